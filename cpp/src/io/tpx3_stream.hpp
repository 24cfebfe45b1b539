// Words of a Timepix3 stream: fields, framing by chunks, clock.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "crewe/io/tpx3.hpp"

namespace crewe::io::tpx3 {

inline constexpr std::int64_t turn = std::int64_t{1} << 34;  // [ticks]
inline constexpr std::uint32_t magic = 0x33585054;           // "TPX3"

inline std::uint64_t load(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// What a word is, by its top byte.
enum class Word { hit, tdc, time, control, unknown };

inline Word kind(std::uint64_t word) {
  const auto top = static_cast<unsigned>(word >> 56);
  switch (top >> 4) {
    case 0xb:
      return Word::hit;
    case 0x6:
      return top == 0x6f || top == 0x6a || top == 0x6e || top == 0x6b ? Word::tdc : Word::unknown;
    case 0x4:
      return top == 0x44 ? Word::time : top == 0x45 ? Word::control : Word::unknown;
    case 0x5:
      return top <= 0x51 || top == 0x5a || top == 0x5c || top == 0x5f ? Word::control : Word::unknown;
    case 0x7:
      return top <= 0x72 ? Word::control : Word::unknown;
    case 0xa:  // a pixel in integral mode: no time
      return Word::control;
    default:
      return Word::unknown;
  }
}

// Times as they stand in a word; the clock makes them go on beyond a turn.
inline std::int64_t hit_time(std::uint64_t word) {
  const std::uint64_t coarse = (word & 0xffff) << 14 | (word >> 30 & 0x3fff);
  return static_cast<std::int64_t>(coarse << 4) - static_cast<std::int64_t>(word >> 16 & 0xf);
}
// 3.125 ns and a twelfth of that; old firmware sends 0 for 1.
inline std::int64_t tdc_time(std::uint64_t word) {
  const auto stamp = static_cast<std::int64_t>(word >> 9 & 0x7ffffffff);
  const auto fine = static_cast<std::int64_t>(word >> 5 & 0xf);
  return 2 * stamp + (fine >= 7 ? 1 : 0);
}
inline std::int64_t heartbeat_time(std::uint64_t word) {
  return static_cast<std::int64_t>(word >> 16 & 0xffffffff) << 4;
}
inline bool tdc_rising(std::uint64_t word) {
  const std::uint64_t top = word >> 56;
  return top == 0x6f || top == 0x6e;
}
inline std::uint8_t tdc_channel(std::uint64_t word) {
  const std::uint64_t top = word >> 56;
  return top == 0x6f || top == 0x6a ? 1 : 2;
}

// Address: 7 bits of double column, 6 of super pixel, 3 of pixel.
inline std::uint16_t hit_x(std::uint64_t word) {
  return static_cast<std::uint16_t>((word >> 52 & 0xfe) | (word >> 46 & 1));
}
inline std::uint16_t hit_y(std::uint64_t word) {
  return static_cast<std::uint16_t>((word >> 45 & 0xfc) | (word >> 44 & 3));
}
inline std::uint16_t hit_tot(std::uint64_t word) {
  return static_cast<std::uint16_t>(word >> 20 & 0x3ff);
}

// Time that goes on: each word lies within half a turn (13.4 s) of the word before it.
struct Clock {
  std::int64_t last = 0;
  bool started = false;

  std::int64_t at(std::int64_t time) {
    if (!started) {
      started = true;
      last = time & (turn - 1);
    }
    constexpr std::int64_t half = turn / 2;
    last += ((time - last + half) & (turn - 1)) - half;
    return last;
  }
};

inline bool is_magic(std::uint64_t word) {
  return static_cast<std::uint32_t>(word) == magic;
}
// In a stream without headers nothing but the words tells that they are words: known ones earn credit, others cost it.
struct Credit {
  static constexpr unsigned limit = 64;
  unsigned left = 16;
  void known(std::size_t n) { left = static_cast<unsigned>(std::min<std::size_t>(left + n, limit)); }
  bool unknown() { return --left == 0; }
};

// Cuts bytes into runs of words of one chip.
class Stream {
 public:
  Tpx3Counts counts;
  std::optional<Damage> damage;
  Credit credit;

  // A header: whole words, a chip number that can be, and the mode byte of the first header.
  bool is_header(std::uint64_t word) const {
    return is_magic(word) && (word >> 38 & 3) == 0 && (word >> 48 & 7) == 0 && (word >> 40 & 0xff) == mode_;
  }
  // A header in the middle of a chunk: the size of that chunk was a lie. Words that mean something else come first.
  bool is_stray_header(std::uint64_t word) const {
    const auto top = static_cast<unsigned>(word >> 56);
    return is_header(word) && top >> 4 != 0xa && top >> 4 != 0xb && top >> 4 != 6 && top != 0x44 && top != 0x45;
  }

  // Counts a control or unknown word and returns true; false if the run ends before it.
  bool passes(std::uint64_t word, Word kind) {
    if (is_stray_header(word)) return false;
    if (kind == Word::unknown && state_ == State::bare && credit.unknown()) return false;
    ++(kind == Word::unknown ? counts.unknown : counts.control);
    return true;
  }

  // take(chip, words, n) → how many words it took; fewer than n: the next one looks like a header, or credit ran out.
  template <class Take>
  void feed(std::span<const std::byte> bytes, Take&& take) {
    while (!bytes.empty()) {
      if (state_ == State::seek) {
        bytes = seek(bytes);
      } else if (kept_ > 0) {
        const std::size_t more = std::min(8 - kept_, bytes.size());
        std::memcpy(carry_.data() + kept_, bytes.data(), more);
        kept_ += more;
        bytes = bytes.subspan(more);
        if (kept_ < 8) return;
        kept_ = 0;
        if (words(carry_.data(), 1, take) == 0) {  // no header begins at its first byte
          pass(1);
          keep(std::span(carry_).subspan(1));
        }
      } else if (const std::size_t n = bytes.size() / 8; n > 0) {
        bytes = bytes.subspan(8 * words(bytes.data(), n, take));
      } else {
        keep(bytes);
        return;
      }
    }
  }

  void finish() {
    const std::uint64_t end = offset_ + kept_;
    if (state_ == State::chunk) {
      note("the stream ends within a chunk, " + std::to_string(8 * left_ - kept_) + " bytes early", end);
    } else if (kept_ > 0 && state_ != State::seek) {
      note("the stream ends within a word", end);
    }
    if (damage) damage->skipped += kept_;
    cut();
  }

  // What comes next begins anew, with a chunk if the stream has chunks.
  void cut() {
    offset_ += kept_;
    kept_ = 0;
    state_ = counts.chunks > 0 ? State::header : State::start;
  }

 private:
  enum class State { start, header, chunk, bare, seek };
  static constexpr std::size_t longest_run = 8192;  // words, as in a chunk

  State state_ = State::start;
  std::uint64_t offset_ = 0;          // of the next byte that isn't in carry_
  std::array<std::byte, 8> carry_{};  // a word that was cut
  std::size_t kept_ = 0;
  std::size_t left_ = 0;  // words of the chunk that are still to come
  std::uint8_t chip_ = 0;
  std::uint64_t mode_ = 0;

  void keep(std::span<const std::byte> bytes) {
    kept_ = bytes.size();
    std::memmove(carry_.data(), bytes.data(), kept_);
  }

  void note(std::string what, std::uint64_t offset) {
    if (!damage) damage = Damage{std::move(what), offset, 0};
  }

  void begin_chunk(std::uint64_t header) {
    ++counts.chunks;
    chip_ = static_cast<std::uint8_t>(header >> 32);
    left_ = static_cast<std::size_t>(header >> 51);
    state_ = left_ > 0 ? State::chunk : State::header;
  }

  // Words while there is no damage; returns how many were used.
  template <class Take>
  std::size_t words(const std::byte* at, std::size_t n, Take&& take) {
    std::size_t used = 0;
    while (used < n && state_ != State::seek) {
      const std::byte* here = at + 8 * used;
      const std::uint64_t word = load(here);
      if (state_ == State::start && !is_magic(word)) {
        state_ = State::bare;
        chip_ = 0;
        credit = {};
      }
      if (state_ == State::start || state_ == State::header) {
        if (state_ == State::start) mode_ = word >> 40 & 0xff;
        if (!is_header(word)) {
          note("a chunk header was due", offset_);
          state_ = State::seek;
          break;
        }
        begin_chunk(word);
        ++used;
        offset_ += 8;
        continue;
      }
      const std::size_t run = std::min(n - used, state_ == State::chunk ? left_ : longest_run);
      const std::size_t taken = take(chip_, here, run);
      used += taken;
      offset_ += 8 * taken;
      if (state_ == State::chunk) {
        left_ -= taken;
        if (left_ == 0) state_ = State::header;
      }
      if (taken == run) continue;
      if (is_stray_header(load(at + 8 * used))) {
        if (state_ == State::chunk) note("a chunk header, where the chunk before it should go on", offset_);
        state_ = State::header;
      } else {
        note("neither a chunk header nor words of a Timepix3", offset_);
        state_ = State::seek;
      }
    }
    return used;
  }

  // Passes over bytes until a header; returns what is left of them.
  std::span<const std::byte> seek(std::span<const std::byte> bytes) {
    std::array<std::byte, 14> seam;
    while (kept_ > 0) {  // a header that begins in the carried bytes
      const std::size_t more = std::min<std::size_t>(7, bytes.size());
      std::memcpy(seam.data(), carry_.data(), kept_);
      std::memcpy(seam.data() + kept_, bytes.data(), more);
      if (kept_ + more < 8) {
        std::memcpy(carry_.data(), seam.data(), kept_ + more);
        kept_ += more;
        return {};
      }
      if (is_header(load(seam.data()))) {
        state_ = State::header;
        return bytes;
      }
      --kept_;
      std::memmove(carry_.data(), carry_.data() + 1, kept_);
      pass(1);
    }
    const std::byte first{0x54};
    std::size_t at = 0;
    while (at + 8 <= bytes.size()) {
      const void* found = std::memchr(bytes.data() + at, static_cast<int>(first), bytes.size() - 7 - at);
      if (found == nullptr) {
        at = bytes.size() - 7;
        break;
      }
      at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
      if (is_header(load(bytes.data() + at))) {
        pass(at);
        state_ = State::header;
        return bytes.subspan(at);
      }
      ++at;
    }
    pass(at);
    keep(bytes.subspan(at));
    return {};
  }

  void pass(std::size_t bytes) {
    offset_ += bytes;
    damage->skipped += bytes;
  }
};

}  // namespace crewe::io::tpx3
