#include "crewe/io/t3p.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crewe/checks.hpp"
#include "io/event_kernels.hpp"
#include "io/event_sink.hpp"

namespace crewe::io {
namespace {

constexpr std::size_t record_bytes = 16;

struct Record {
  std::uint32_t index = 0;
  std::uint64_t toa = 0;
  std::uint8_t overflow = 0, ftoa = 0;
};

Record record_at(const std::byte* at) {
  Record record;
  std::memcpy(&record.index, at, 4);
  std::memcpy(&record.toa, at + 4, 8);
  record.overflow = static_cast<std::uint8_t>(at[12]);
  record.ftoa = static_cast<std::uint8_t>(at[13]);
  return record;
}

}  // namespace

struct T3pScan::State {
  Format format;
  ChipPlaces places;
  EventSink sink;
  DwellPlace dwell;
  Counts counts;
  std::optional<Damage> damage;
  std::uint64_t offset = 0;      // of the first byte in `carry`, or of the next one
  std::vector<std::byte> carry;  // a record or line that was cut
  std::uint64_t beyond = 0;      // bytes of that line that aren't kept
  std::vector<std::byte> block;  // records made from text
  // Column of each field of the text: matrix index, ToA, FToA, overflow; −1 = not there.
  std::array<int, 4> columns{-1, -1, -1, -1};
  bool header_read = false;
  bool by_product = false;  // all dwells are whole ticks, and all of a dwell counts

  State(Format kind, const EventOptions& options)
      : format(kind), places(options), sink(options), dwell(dwell_place(options)) {
    if (options.dwell == 0) reject("dwell", "the time per probe position [s]", "0");
    by_product = dwell.dwell == std::floor(dwell.dwell) && std::isinf(dwell.acceptance);
  }

  void place(const std::byte* records, std::size_t n);
  void place_block_of(const std::byte* records, std::size_t n);
  void place_strange(const Record& record);
  void binary(std::span<const std::byte> bytes);
  void text(std::span<const std::byte> bytes);
  void line(std::string_view text, std::uint64_t at);
  void header(std::string_view text, std::uint64_t at);
  void note(std::string what, std::uint64_t at) {
    if (!damage) damage = Damage{std::move(what), at, 0};
  }
  void flush_text() {
    place(block.data(), block.size() / record_bytes);
    block.clear();
  }
};

void T3pScan::State::place(const std::byte* records, std::size_t n) {
  const std::size_t whole = n / place_pad * place_pad;
  for (std::size_t i = 0; i < n;) {
    const std::byte* at = records + record_bytes * i;
    if (i == whole) {  // the kernels take whole vectors: what is left over is copied and filled up
      std::array<std::byte, record_bytes * place_pad> padded;
      for (std::size_t j = 0; j < place_pad; ++j) {
        std::memcpy(padded.data() + record_bytes * j, at + record_bytes * std::min(j, n - i - 1), record_bytes);
      }
      place_block_of(padded.data(), n - i);
      return;
    }
    if (by_product) {
      const std::size_t within =
          CREWE_SIMD_CALL(t3p_within, reinterpret_cast<const unsigned char*>(at), std::min(most_hits, whole - i),
                          places.flip[0], places.shift[0], dwell, sink.room());
      counts.hits += within;
      sink.take(within, some_in);
      i += within;
      if (within > 0) continue;
    }
    const std::size_t count = std::min(place_block, whole - i);
    place_block_of(at, count);
    i += count;
  }
}

void T3pScan::State::place_block_of(const std::byte* records, std::size_t n) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(records);
  dwell.wrap = false;
  unsigned seen = CREWE_SIMD_CALL(t3p_place, bytes, n, places.flip[0], places.shift[0], dwell, sink.room());
  if ((seen & some_beyond) != 0) {
    dwell.wrap = true;
    seen = CREWE_SIMD_CALL(t3p_place, bytes, n, places.flip[0], places.shift[0], dwell, sink.room());
  }
  if ((seen & some_strange) == 0) {
    counts.hits += n;
    sink.take(n, seen);
  } else {
    for (std::size_t j = 0; j < n; ++j) place_strange(record_at(records + record_bytes * j));
  }
}

// A record by itself, with a look at all of its fields.
void T3pScan::State::place_strange(const Record& record) {
  if (record.overflow != 0 && places.flip.size() == 1) {
    ++counts.gaps;
    if (record.index == 0x75) counts.gap_ticks += 16 * record.toa;
    if (record.index == 0x74) ++sink.counts.lost;
    return;
  }
  ++counts.hits;
  const std::size_t chip = record.index >> 16;
  if (chip >= places.flip.size() || record.toa >> 47 != 0) {
    ++sink.counts.stray;
    return;
  }
  // Time and pixel as for the kernel that takes timed hits.
  const std::uint64_t pixel = std::uint64_t{record.index & 0xff} << 48 | std::uint64_t{record.index >> 8 & 0xff} << 32;
  std::array<std::uint64_t, place_pad> hits;
  hits.fill((pixel ^ places.flip[chip]) + places.shift[chip]);
  dwell.start = static_cast<double>(static_cast<std::int64_t>(16 * record.toa) - record.ftoa);
  dwell.wrap = true;
  const unsigned seen = CREWE_SIMD_CALL(place_dwell, hits.data(), 1, dwell, sink.room());
  sink.take(1, seen);
}

void T3pScan::State::binary(std::span<const std::byte> bytes) {
  if (!carry.empty()) {
    const std::size_t more = std::min(record_bytes - carry.size(), bytes.size());
    carry.insert(carry.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(more));
    bytes = bytes.subspan(more);
    if (carry.size() < record_bytes) return;
    place(carry.data(), 1);
    offset += record_bytes;
    carry.clear();
  }
  const std::size_t n = bytes.size() / record_bytes;
  place(bytes.data(), n);
  offset += n * record_bytes;
  bytes = bytes.subspan(n * record_bytes);
  carry.assign(bytes.begin(), bytes.end());
}

// ------------------------------------------------------------------------------------------------------------ text
void T3pScan::State::text(std::span<const std::byte> bytes) {
  constexpr std::size_t longest_line = 4096;
  while (!bytes.empty()) {
    const void* end = std::memchr(bytes.data(), '\n', bytes.size());
    const std::size_t length =
        end == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const std::byte*>(end) - bytes.data());
    if (end == nullptr || !carry.empty()) {
      const std::size_t kept = std::min(length, longest_line - std::min(carry.size(), longest_line));
      carry.insert(carry.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
      beyond += length - kept;  // a line that long holds something else than numbers
    }
    if (end == nullptr) break;
    const std::uint64_t next = offset + (carry.empty() ? length : carry.size() + beyond) + 1;
    beyond = 0;
    if (carry.empty()) {
      line({reinterpret_cast<const char*>(bytes.data()), length}, offset);
    } else {
      line({reinterpret_cast<const char*>(carry.data()), carry.size()}, offset);
      carry.clear();
    }
    offset = next;
    bytes = bytes.subspan(length + 1);
  }
  flush_text();
}

void T3pScan::State::header(std::string_view text, std::uint64_t at) {
  constexpr std::array<std::string_view, 4> names{"Matrix Index", "ToA", "FToA", "Overflow"};
  int column = 0;
  while (true) {
    const std::size_t tab = text.find('\t');
    const std::string_view name = text.substr(0, tab);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (name == names[i]) columns[i] = column;
    }
    if (tab == std::string_view::npos) break;
    text.remove_prefix(tab + 1);
    ++column;
  }
  header_read = true;
  if (columns[0] < 0 || columns[1] < 0) {
    note("the header line names no \"Matrix Index\" and \"ToA\"", at);
    columns = {1, 2, 4, 5};
  }
}

void T3pScan::State::line(std::string_view text, std::uint64_t at) {
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  if (text.empty()) return;
  if (!header_read) {
    header(text, at);
    return;
  }
  const std::size_t whole = text.size() + 1;
  std::array<std::uint64_t, 4> values{};
  int found = 0;
  for (int column = 0; !text.empty(); ++column) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || (end != text.data() + text.size() && *end != '\t')) break;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] == column) {
        values[i] = value;
        ++found;
      }
    }
    text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  }
  const auto wanted = std::count_if(columns.begin(), columns.end(), [](int column) { return column >= 0; });
  if (found != wanted || !text.empty() || values[0] > 0xffffffff || values[2] > 255 || values[3] > 255) {
    ++counts.bad_lines;
    note("a line of six whole numbers was due", at);
    damage->skipped += whole;
    return;
  }
  std::array<std::byte, record_bytes> record{};
  const auto index = static_cast<std::uint32_t>(values[0]);
  std::memcpy(record.data(), &index, 4);
  std::memcpy(record.data() + 4, &values[1], 8);
  record[12] = static_cast<std::byte>(values[3]);
  record[13] = static_cast<std::byte>(values[2]);
  block.insert(block.end(), record.begin(), record.end());
  if (block.size() == record_bytes * place_block) flush_text();
}

// --------------------------------------------------------------------------------------------------------- the class
T3pScan::T3pScan(Format format, const EventOptions& options) : state_(std::make_unique<State>(format, options)) {}
T3pScan::~T3pScan() = default;
T3pScan::T3pScan(T3pScan&&) noexcept = default;
T3pScan& T3pScan::operator=(T3pScan&&) noexcept = default;

EventBlock T3pScan::feed(std::span<const std::byte> bytes) {
  state_->sink.clear();
  state_->format == Format::binary ? state_->binary(bytes) : state_->text(bytes);
  return state_->sink.block();
}

EventBlock T3pScan::finish() {
  State& s = *state_;
  s.sink.clear();
  if (s.format == Format::text) {
    if (!s.carry.empty()) s.line({reinterpret_cast<const char*>(s.carry.data()), s.carry.size()}, s.offset);
    s.flush_text();
  } else if (!s.carry.empty()) {
    s.note("the data end within a record", s.offset + s.carry.size());
    s.damage->skipped += s.carry.size();
  }
  s.carry.clear();
  return s.sink.block();
}

const T3pScan::Counts& T3pScan::records() const {
  return state_->counts;
}
const EventCounts& T3pScan::counts() const {
  return state_->sink.counts;
}
const std::optional<Damage>& T3pScan::damage() const {
  return state_->damage;
}

}  // namespace crewe::io
