// Borrowed blocks on their way to a worker thread: a ring of slots that is allocated once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "crewe/imaging/moments.hpp"
#include "crewe/io/event.hpp"
#include "crewe/live/session.hpp"

namespace crewe::live {

class Queue {
 public:
  struct Slot {
    imaging::FrameBlock frames;  // or, where these are none,
    std::size_t first = 0;
    std::span<const io::Event> events;
    bool more = false;
    Release release;
  };
  // `work` sums a block; what it throws is kept for `raise`.
  Queue(std::size_t slots, std::function<void(const Slot&)> work);
  ~Queue();  // after the last block

  // False: full, and not told to wait.
  bool put(const Slot& slot, bool wait);
  // Until all blocks are summed and released.
  void drain();
  // Throws the first error since the last call, if there was one.
  void raise();

 private:
  void run();

  std::function<void(const Slot&)> work_;
  std::vector<Slot> slots_;
  std::mutex mutex_;
  std::condition_variable filled_, freed_;
  std::size_t head_ = 0, count_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace crewe::live
