// Streams and events that clean up after themselves.
#pragma once

#include "crewe/cuda/device.hpp"

namespace crewe::cuda {

// A stream of the current device that waits for no other.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  operator cudaStream_t() const { return stream_; }
  void synchronize() const;  // throws what went wrong in the stream

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  operator cudaEvent_t() const { return event_; }
  void record(cudaStream_t stream);
  void synchronize() const;
  void hold_back(cudaStream_t stream) const;  // what comes next in `stream` waits for the event

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace crewe::cuda
