#include "live/queue.hpp"

#include <algorithm>
#include <utility>

namespace crewe::live {

Queue::Queue(std::size_t slots, std::function<void(const Slot&)> work)
    : work_(std::move(work)), slots_(std::max<std::size_t>(slots, 1)), thread_([this] { run(); }) {}

Queue::~Queue() {
  {
    const std::lock_guard held(mutex_);
    stop_ = true;
  }
  filled_.notify_one();
  thread_.join();
}

bool Queue::put(const Slot& slot, bool wait) {
  std::unique_lock held(mutex_);
  if (count_ == slots_.size() && !wait) return false;
  freed_.wait(held, [this] { return count_ < slots_.size(); });
  slots_[(head_ + count_) % slots_.size()] = slot;
  ++count_;
  held.unlock();
  filled_.notify_one();
  return true;
}

void Queue::drain() {
  std::unique_lock held(mutex_);
  freed_.wait(held, [this] { return count_ == 0; });
}

void Queue::raise() {
  std::exception_ptr error;
  {
    const std::lock_guard held(mutex_);
    error = std::exchange(error_, nullptr);
  }
  if (error) std::rethrow_exception(error);
}

void Queue::run() {
  std::unique_lock held(mutex_);
  for (;;) {
    filled_.wait(held, [this] { return count_ > 0 || stop_; });
    if (count_ == 0) return;
    const Slot slot = slots_[head_];
    held.unlock();
    std::exception_ptr error;
    try {
      work_(slot);
    } catch (...) {
      error = std::current_exception();
    }
    if (slot.release.call != nullptr) slot.release.call(slot.release.user);
    held.lock();
    if (error && !error_) error_ = error;
    // The slot counts as taken until its buffer is released.
    head_ = (head_ + 1) % slots_.size();
    --count_;
    freed_.notify_all();
  }
}

}  // namespace crewe::live
