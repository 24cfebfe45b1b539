// A lock that the producer takes block after block, and that lets others in between: a plain mutex that is taken again
// at once would keep them out for as long as the producer is busy.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace crewe::live {

class TurnLock {
 public:
  // The producer: after those who wait.
  std::unique_lock<std::mutex> producer() {
    for (std::uint32_t guests = waiting_.load(std::memory_order_acquire); guests != 0;
         guests = waiting_.load(std::memory_order_acquire)) {
      waiting_.wait(guests, std::memory_order_acquire);
    }
    return std::unique_lock(mutex_);
  }

  // Anybody else.
  std::unique_lock<std::mutex> guest() {
    waiting_.fetch_add(1, std::memory_order_acq_rel);
    std::unique_lock held(mutex_);
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) == 1) waiting_.notify_all();
    return held;
  }

 private:
  std::mutex mutex_;
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace crewe::live
