// Merlin (Medipix3) frames: an ASCII header and the pixels, one frame after the other in a .mib file, one per message
// on the data socket.
//
//   formatted (U08, U16, U32): rows of big-endian numbers, y then x.
//   raw (R64): 64-bit words with the first pixel last, of 1, 8 or 16 bits per pixel for counters of 1, 6 or 12 bits;
//     24 bits are two 12-bit images, first·4096 + second, in one frame or, where the header's width isn't doubled, in
//     two. A 2x2 quad sends rows of chip 4 | 3 | 2 | 1; chips 1, 2 are the upper half, 3, 4 the lower one, turned by
//     180°.
// Images come out (ky, kx) in native byte order: uint8 for counters of 1 and 6 bits, uint16 for 12, uint32 for 24.
// Source: Quantum Detectors' header as described by rosettasciio and LiberTEM, checked on files of several detectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crewe/error.hpp"

namespace crewe::io {

struct MibLayout {
  std::size_t header = 0;      // bytes before the pixels, as the header says
  std::size_t data = 0;        // bytes of pixels after it
  std::size_t ny = 0, nx = 0;  // the image
  std::size_t pixel = 0;       // bytes per pixel of the image: 1, 2 or 4
  std::size_t gap = 0;         // pixels between the chips of a raw 2x2G quad, filled with 0
  int depth = 0;               // bits of the counter: 1, 6, 12 or 24; 0 if a formatted frame doesn't say
  int parts = 1;               // headers with data per frame: 2 for raw 24 bit in two pieces
  bool raw = false, quad = false;

  std::size_t frame_bytes() const { return ny * nx * pixel; }
};

// The frames of one file or acquisition: their layout by the first header, against which all others are checked.
class MibFraming {
 public:
  // `bytes` begin with a header; `offset` is their place in the stream, for messages. `depth`: bits of the counter
  // where a raw header doesn't say, 0 = unknown. FormatError if it is no header, says what can't be, or is cut.
  explicit MibFraming(std::span<const std::byte> bytes, std::uint64_t offset = 0, int depth = 0);

  const MibLayout& layout() const { return layout_; }

  // Bytes from one frame to the next, with `prefix` bytes before each header (15 on the socket).
  std::size_t stride(std::size_t prefix = 0) const {
    return static_cast<std::size_t>(layout_.parts) * (prefix + layout_.header + layout_.data);
  }

  struct Run {
    std::size_t count = 0;       // whole frames
    std::uint64_t sequence = 0;  // the first one's number; those of a raw frame in two parts are halved
  };
  // The whole frames at the begin of `bytes`, up to the first that differs in layout or, with `consecutive`, breaks the
  // count. Damage in the very first frame is a FormatError; `offset` is the place of `bytes` in the stream.
  Run check(std::span<const std::byte> bytes, std::uint64_t offset, std::size_t prefix, bool consecutive) const;

  // `count` frames, checked before, → images (count, ny, nx).
  void unpack(const std::byte* bytes, std::size_t count, std::size_t prefix, std::byte* images) const;

 private:
  std::uint64_t check_header(std::span<const std::byte> bytes, std::uint64_t offset) const;
  std::uint64_t frame_number(std::span<const std::byte> bytes, std::uint64_t offset, std::size_t prefix) const;

  MibLayout layout_;
  int hint_ = 0;       // depth, if a header doesn't say
  int said_ = 0;       // depth, as the first header says
  std::string fixed_;  // the fields that are the same in every header, from the header's size to the chips
};

// The bytes of a .mib file in any pieces → images. Holds back at most one frame.
class MibDecoder {
 public:
  explicit MibDecoder(int depth = 0) : hint_(depth) {}

  // Memory for `count` images (count, ny, nx), asked for at most once per call.
  using Memory = std::function<std::byte*(const MibLayout& layout, std::size_t count)>;

  // The images that these bytes complete, in that memory: their number, which damage may make smaller than asked for.
  // Damage is a FormatError: at once if no image comes before it, else at the next call; nothing is decoded after it.
  std::size_t feed(std::span<const std::byte> bytes, const Memory& memory);

  const MibLayout* layout() const { return framing_ ? &framing_->layout() : nullptr; }
  std::size_t pending() const { return pending_.size(); }  // bytes of a frame that isn't whole yet
  std::uint64_t offset() const { return offset_; }         // bytes decoded

 private:
  bool begin(std::span<const std::byte>& bytes);

  int hint_;
  std::optional<MibFraming> framing_;
  std::vector<std::byte> pending_;
  std::uint64_t offset_ = 0;
  std::optional<FormatError> damage_;
};

}  // namespace crewe::io
