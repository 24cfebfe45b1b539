// What the library throws, beside std::invalid_argument, std::out_of_range and std::bad_alloc.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace crewe {

// Damaged data: `offset` is the byte at which the damage was met. What was decoded before it has been handed out.
class FormatError : public std::runtime_error {
 public:
  FormatError(const std::string& what, std::uint64_t byte)
      : std::runtime_error(what + " (at byte " + std::to_string(byte) + ")"), offset(byte) {}
  std::uint64_t offset;
};

// A device that isn't there, is full or failed.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A queue is full and the caller asked not to wait.
class BusyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace crewe
