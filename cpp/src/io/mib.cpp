#include "crewe/io/mib.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "mib_kernels.hpp"

namespace crewe::io {
namespace {

constexpr std::size_t chip = 256;                // pixels of a chip, each way
constexpr std::size_t longest_header = 1 << 16;  // 256 + 128 per chip are in use
constexpr std::size_t most_chips = 64;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 24)) out += c >= ' ' && c <= '~' ? c : '.';
  return "'" + out + "'";
}

// Comma-separated fields of a header.
class Fields {
 public:
  Fields(std::string_view text, std::uint64_t offset) : text_(text), offset_(offset) {}

  std::string_view next(const char* name) {
    const std::size_t comma = text_.find(',', at_);
    if (comma == std::string_view::npos) fail(name, "a comma after it", text_.substr(at_));
    std::string_view field = text_.substr(at_, comma - at_);
    begin_ = at_;
    at_ = comma + 1;
    while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
    while (!field.empty() && field.back() == ' ') field.remove_suffix(1);
    return field;
  }

  std::uint64_t number(const char* name, std::uint64_t low, std::uint64_t high) {
    const std::string_view field = next(name);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size() || value < low || value > high) {
      fail(name, "a number from " + std::to_string(low) + " to " + std::to_string(high), field);
    }
    return value;
  }

  [[noreturn]] void fail(const char* name, const std::string& wanted, std::string_view came) const {
    throw FormatError("Merlin frame header, " + std::string(name) + ": " + wanted + " wanted, " + shown(came) + " came",
                      offset_ + begin_);
  }

  std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::uint64_t offset_;
  std::size_t begin_ = 0, at_ = 0;
};

constexpr std::uint64_t longest_count = 999'999'999'999'999'999;

// "2x2G" → 4 chips. What isn't "<rows>x<columns>" is no layout.
std::size_t chips_of(std::string_view layout, const Fields& fields) {
  std::size_t rows = 0, columns = 0;
  const char* const end = layout.data() + layout.size();
  const auto first = std::from_chars(layout.data(), end, rows);
  if (first.ec == std::errc() && first.ptr != end && (*first.ptr == 'x' || *first.ptr == 'X')) {
    const auto second = std::from_chars(first.ptr + 1, end, columns);
    const bool whole = second.ptr == end || (second.ptr + 1 == end && *second.ptr == 'G');
    if (second.ec == std::errc() && whole && rows > 0 && columns > 0 && rows <= most_chips && columns <= most_chips &&
        rows * columns <= most_chips) {
      return rows * columns;
    }
  }
  fields.fail("layout", "1x1, 2x2, Nx1, 2x2G or Nx1G", layout);
}

// Bits of the counter as the header's extension says, or 0.
int depth_of(std::string_view header) {
  const std::size_t extension = header.find("MQ1A,");
  if (extension == std::string_view::npos) return 0;
  std::string_view rest = header.substr(extension);
  for (int k = 0; k < 3; ++k) {  // the token, the time, the shutter time
    const std::size_t comma = rest.find(',');
    if (comma == std::string_view::npos) return 0;
    rest.remove_prefix(comma + 1);
  }
  int depth = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), depth);
  return depth;
}

struct Kind {
  std::string_view name;
  std::size_t pixel;
};
constexpr Kind formatted[] = {{"U08", 1}, {"U16", 2}, {"U32", 4}};

// What follows from the fields: bytes of data, size of the image.
void lay_out_raw(MibLayout& layout, std::size_t width, std::size_t height, std::string_view assembly,
                 std::uint64_t offset) {
  layout.quad = assembly.starts_with("2x2") || assembly.starts_with("2X2");
  if (!layout.quad && !assembly.starts_with("1x1") && !assembly.starts_with("1X1")) {
    throw FormatError("raw Merlin frames of a " + std::string(assembly) +
                          " assembly: the order of the chips isn't known; record them formatted",
                      offset);
  }
  if (layout.depth != 1 && layout.depth != 6 && layout.depth != 12 && layout.depth != 24) {
    throw FormatError("raw Merlin frame: a counter depth of 1, 6, 12 or 24 bits wanted, " +
                          (layout.depth == 0 ? "the header says none" : std::to_string(layout.depth) + " came") +
                          " (depth= says it)",
                      offset);
  }
  const std::size_t row = layout.quad ? 4 * chip : chip;
  const bool doubled = layout.depth == 24 && width == 2 * row;
  if (doubled) width = row;
  if (width != row) {
    throw FormatError(
        "raw Merlin frame: " + std::to_string(row) + " pixels a row wanted, " + std::to_string(width) + " came",
        offset);
  }
  layout.pixel = layout.depth <= 6 ? 1 : layout.depth == 12 ? 2 : 4;
  layout.gap = layout.quad && assembly.ends_with('G') ? 2 : 0;
  layout.ny = layout.quad ? 2 * height + layout.gap : height;
  layout.nx = layout.quad ? 2 * chip + layout.gap : chip;
  layout.parts = layout.depth == 24 && !doubled ? 2 : 1;
  const std::size_t bits = layout.depth == 1 ? 1 : layout.depth == 6 ? 8 : doubled ? 32 : 16;
  layout.data = width * height * bits / 8;
}

std::uint64_t message_length(std::string_view prefix) {
  if (prefix.size() < 15) return 0;
  std::uint64_t length = 0;
  const char* const begin = prefix.data() + 4;
  const auto [end, error] = std::from_chars(begin, begin + 10, length);
  if (!prefix.starts_with("MPX,") || error != std::errc() || end != begin + 10 || prefix[14] != ',') return 0;
  return length;
}

// Bytes of the header that `bytes` begin with, as it says itself; empty if more bytes are needed to tell.
std::optional<std::size_t> header_size(std::span<const std::byte> bytes, std::uint64_t offset) {
  constexpr std::string_view magic = "MQ1,";
  const std::string_view text = text_of(bytes);
  const std::size_t known = std::min(text.size(), magic.size());
  if (text.substr(0, known) != magic.substr(0, known)) {
    throw FormatError("no Merlin frame: 'MQ1,' wanted, " + shown(text.substr(0, 8)) + " came", offset);
  }
  constexpr std::size_t longest_begin = 48;  // magic, number, size
  std::size_t commas = 0;
  for (std::size_t i = 0; i < std::min(text.size(), longest_begin) && commas < 3; ++i) commas += text[i] == ',';
  if (commas < 3 && text.size() < longest_begin) return std::nullopt;
  Fields fields(text, offset);
  fields.next("magic");
  fields.number("frame number", 0, longest_count);
  return fields.number("size of the header", 64, longest_header);
}

}  // namespace

MibFraming::MibFraming(std::span<const std::byte> bytes, std::uint64_t offset, int depth) : hint_(depth) {
  const auto size = header_size(bytes, offset);
  if (!size || *size > bytes.size()) {
    throw FormatError("Merlin frame: the header is cut after " + std::to_string(bytes.size()) + " bytes", offset);
  }
  const std::string_view header = text_of(bytes.first(*size));
  Fields fields(header, offset);
  fields.next("magic");
  fields.next("frame number");
  const std::size_t begin = fields.at();
  layout_.header = fields.number("size of the header", 64, longest_header);
  fields.number("number of chips", 1, most_chips);
  const std::size_t width = fields.number("width", 1, 1 << 16), height = fields.number("height", 1, 1 << 16);
  const std::string_view kind = fields.next("pixel type");
  const std::string_view assembly = fields.next("layout");
  const std::size_t chips = chips_of(assembly, fields);
  fields.next("chip select");
  fixed_ = header.substr(begin, fields.at() - begin);

  layout_.depth = said_ = depth_of(header);
  layout_.raw = kind == "R64";
  const auto found =
      std::find_if(std::begin(formatted), std::end(formatted), [&](const Kind& k) { return k.name == kind; });
  if (!layout_.raw && found == std::end(formatted)) {
    throw FormatError("Merlin frame header, pixel type: U08, U16, U32 or R64 wanted, " + shown(kind) + " came", offset);
  }
  // A gap adds a pixel or two between chips; raw frames of 24 bits say twice their width.
  const std::size_t most = chips * (chip + 2) * (chip + 2) * (layout_.raw ? 2 : 1);
  if (width * height > most) {
    throw FormatError("Merlin frame header, size: at most " + std::to_string(most) + " pixels wanted for " +
                          std::to_string(chips) + " chips, " + std::to_string(width) + " x " + std::to_string(height) +
                          " came",
                      offset);
  }
  if (layout_.raw) {
    if (layout_.depth == 0) layout_.depth = hint_;
    lay_out_raw(layout_, width, height, assembly, offset);
  } else {
    layout_.ny = height;
    layout_.nx = width;
    layout_.pixel = found->pixel;
    layout_.data = layout_.frame_bytes();
  }
}

// The frame's number, if its header says the same layout as the first.
std::uint64_t MibFraming::check_header(std::span<const std::byte> bytes, std::uint64_t offset) const {
  const std::string_view header = text_of(bytes);
  std::uint64_t number = 0;
  if (header.starts_with("MQ1,")) {
    const char* const end = header.data() + header.size();
    const auto [comma, error] = std::from_chars(header.data() + 4, end, number);
    const auto after = static_cast<std::size_t>(comma - header.data()) + 1;
    if (error == std::errc() && after <= header.size() && *comma == ',' && header.substr(after).starts_with(fixed_) &&
        (!layout_.raw || depth_of(header) == said_)) {
      return number;
    }
  }
  const MibFraming other(bytes, offset, hint_);  // says what is wrong with it
  const MibLayout &a = layout_, &b = other.layout_;
  if (a.header == b.header && a.data == b.data && a.ny == b.ny && a.nx == b.nx && a.raw == b.raw &&
      a.depth == b.depth && a.quad == b.quad && a.gap == b.gap && a.pixel == b.pixel) {
    return number;
  }
  throw FormatError("Merlin frame: " + std::to_string(b.ny) + " x " + std::to_string(b.nx) + " pixels in " +
                        std::to_string(b.header + b.data) + " bytes, the frames before had " + std::to_string(a.ny) +
                        " x " + std::to_string(a.nx) + " in " + std::to_string(a.header + a.data),
                    offset);
}

std::uint64_t MibFraming::frame_number(std::span<const std::byte> bytes, std::uint64_t offset,
                                       std::size_t prefix) const {
  const std::size_t part = prefix + layout_.header + layout_.data;
  std::uint64_t numbers[2] = {0, 0};
  for (int k = 0; k < layout_.parts; ++k) {
    const std::size_t at = static_cast<std::size_t>(k) * part;
    if (prefix != 0) {
      const std::string_view head = text_of(bytes.subspan(at, prefix));
      if (message_length(head) != layout_.header + layout_.data + 1) {
        throw FormatError("Merlin message: 'MPX' and a length of " + std::to_string(layout_.header + layout_.data + 1) +
                              " wanted, " + shown(head) + " came",
                          offset + at);
      }
    }
    numbers[k] = check_header(bytes.subspan(at + prefix, layout_.header), offset + at + prefix);
  }
  return layout_.parts == 2 && numbers[1] == numbers[0] + 1 ? (numbers[0] + 1) / 2 : numbers[0];
}

MibFraming::Run MibFraming::check(std::span<const std::byte> bytes, std::uint64_t offset, std::size_t prefix,
                                  bool consecutive) const {
  const std::size_t step = stride(prefix), whole = bytes.size() / step;
  Run run;
  for (; run.count < whole; ++run.count) {
    const std::size_t at = run.count * step;
    std::uint64_t number = 0;
    try {
      number = frame_number(bytes.subspan(at, step), offset + at, prefix);
    } catch (const FormatError&) {
      if (run.count == 0) throw;
      break;
    }
    if (run.count == 0) {
      run.sequence = number;
    } else if (consecutive && number != run.sequence + run.count) {
      break;
    }
  }
  return run;
}

namespace {

// A row of raw pixels → uint8 or uint16.
void unpack_row(const MibLayout& layout, const unsigned char* in, std::size_t pixels, bool turned, void* out) {
  if (layout.depth == 1) {
    CREWE_SIMD_CALL(raw1, in, pixels / 64, turned, static_cast<std::uint8_t*>(out));
  } else if (layout.depth == 6) {
    CREWE_SIMD_CALL(raw6, in, pixels / 8, turned, static_cast<std::uint8_t*>(out));
  } else {
    CREWE_SIMD_CALL(raw12, in, pixels / 4, turned, static_cast<std::uint16_t*>(out));
  }
}

// A chip's row in both images of a 24-bit frame → uint32.
void unpack_row24(const MibLayout& layout, const unsigned char* high, const unsigned char* low, bool turned,
                  void* out) {
  std::uint16_t upper[chip], lower[chip];
  std::uint32_t joined[chip];
  unpack_row(layout, high, chip, turned, upper);
  unpack_row(layout, low, chip, turned, lower);
  for (std::size_t x = 0; x < chip; ++x) joined[x] = static_cast<std::uint32_t>(upper[x]) << 12 | lower[x];
  std::memcpy(out, joined, sizeof joined);
}

// `low`: the second image of 24 bits.
void unpack_raw(const MibLayout& layout, const unsigned char* in, const unsigned char* low, std::byte* out) {
  const std::size_t chips = layout.quad ? 4 : 1, rows = layout.quad ? (layout.ny - layout.gap) / 2 : layout.ny;
  const std::size_t row_bytes = layout.depth == 1 ? chip / 8 : layout.depth == 6 ? chip : 2 * chip;
  if (layout.gap != 0) std::memset(out, 0, layout.frame_bytes());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < chips; ++k) {
      const std::size_t at = (r * chips + k) * row_bytes;
      const std::size_t number = chips - k;  // 4, 3, 2, 1 along a row
      const bool below = number > 2;
      const std::size_t y = below ? layout.ny - 1 - r : r, x = layout.quad && number % 2 == 0 ? chip + layout.gap : 0;
      std::byte* const place = out + (y * layout.nx + x) * layout.pixel;
      if (layout.depth == 24) {
        unpack_row24(layout, in + at, low + at, below, place);
      } else {
        unpack_row(layout, in + at, chip, below, place);
      }
    }
  }
}

}  // namespace

void MibFraming::unpack(const std::byte* bytes, std::size_t count, std::size_t prefix, std::byte* images) const {
  const MibLayout& layout = layout_;
  const std::size_t pixels = layout.ny * layout.nx, part = prefix + layout.header + layout.data;
  for (std::size_t k = 0; k < count; ++k) {
    const auto* const in = reinterpret_cast<const unsigned char*>(bytes + k * stride(prefix) + prefix + layout.header);
    std::byte* const out = images + k * layout.frame_bytes();
    if (layout.raw) {
      unpack_raw(layout, in, in + (layout.parts == 2 ? part : layout.data / 2), out);
    } else if (layout.pixel == 1) {
      std::memcpy(out, in, pixels);
    } else if (layout.pixel == 2) {
      CREWE_SIMD_CALL(swap16, in, pixels, reinterpret_cast<std::uint16_t*>(out));
    } else {
      CREWE_SIMD_CALL(swap32, in, pixels, reinterpret_cast<std::uint32_t*>(out));
    }
  }
}

// Reads the first header; false if more bytes are needed. Takes from `bytes` what it needs for that.
bool MibDecoder::begin(std::span<const std::byte>& bytes) {
  constexpr std::size_t step = 16;  // three of them tell the size; a header is longer
  while (true) {
    const auto size = header_size(pending_, offset_);
    if (size && pending_.size() >= *size) break;
    const std::size_t wanted = size ? *size - pending_.size() : step - pending_.size() % step;
    const auto taken = bytes.first(std::min(wanted, bytes.size()));
    if (taken.empty()) return false;
    pending_.insert(pending_.end(), taken.begin(), taken.end());
    bytes = bytes.subspan(taken.size());
  }
  framing_.emplace(pending_, offset_, hint_);
  return true;
}

std::size_t MibDecoder::feed(std::span<const std::byte> bytes, const Memory& memory) {
  if (damage_) throw *damage_;
  std::size_t done = 0;
  try {
    if (!framing_ && !begin(bytes)) return 0;
    const std::size_t step = framing_->stride(), size = framing_->layout().frame_bytes();
    const std::size_t most = (pending_.size() + bytes.size()) / step;
    std::byte* const images = most == 0 ? nullptr : memory(framing_->layout(), most);
    if (!pending_.empty()) {
      const auto rest = bytes.first(std::min(step - pending_.size(), bytes.size()));
      pending_.insert(pending_.end(), rest.begin(), rest.end());
      bytes = bytes.subspan(rest.size());
      if (pending_.size() < step) return 0;
      framing_->check(pending_, offset_, 0, false);
      framing_->unpack(pending_.data(), 1, 0, images);
      done = 1;
      offset_ += step;
      pending_.clear();
    }
    while (bytes.size() >= step) {
      const std::size_t count = framing_->check(bytes, offset_, 0, false).count;
      framing_->unpack(bytes.data(), count, 0, images + done * size);
      done += count;
      offset_ += count * step;
      bytes = bytes.subspan(count * step);
    }
    pending_.assign(bytes.begin(), bytes.end());
  } catch (const FormatError& error) {
    damage_ = error;
    if (done == 0) throw;
  }
  return done;
}

}  // namespace crewe::io
