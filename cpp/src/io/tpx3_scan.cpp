// Hits → events: hits wait in batches per chip, as time and pixel, until the line in which they lie has ended.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "io/event_kernels.hpp"
#include "io/event_sink.hpp"
#include "io/scan_lines.hpp"
#include "io/tpx3_stream.hpp"

namespace crewe::io {
namespace {

using tpx3::Word;
using Lines = std::span<const Line>;

constexpr std::size_t batch_hits = most_hits;
constexpr std::int64_t patience = 8;                         // lines that the others wait for a chip
constexpr std::int64_t batch_reach = std::int64_t{1} << 31;  // a batch holds times within ± this of its middle [ticks]

// Hits of one chip.
struct Batch {
  std::int64_t base = 0;
  std::size_t count = 0;
  std::uint64_t hits[batch_hits + place_pad];

  std::int64_t time(std::size_t i) const { return base + static_cast<std::int64_t>(hits[i] & 0xffffffff); }
  std::int64_t middle() const { return base + batch_reach; }
};

struct ChipState {
  std::uint64_t flip = 0, shift = 0;
  std::uint64_t place = 0;                      // words so far
  std::vector<std::unique_ptr<Batch>> waiting;  // in order of arrival; the last one is being filled
  std::size_t line = 0;                         // of the last hit
  std::uint64_t hits = 0;
};

}  // namespace

struct Tpx3Scan::State {
  EventOptions options;
  EventSink sink;
  tpx3::Stream stream;
  tpx3::Clock clock;
  ScanLines lines;
  std::vector<ChipState> chips;
  std::vector<std::unique_ptr<Batch>> pool;
  std::size_t waiting = 0;  // batches in use
  std::uint64_t given = 0;  // lines given out
  DwellPlace dwell;

  explicit State(EventOptions given)
      : options(std::move(given)), sink(options), lines(options.chips.size()), dwell(dwell_place(options)) {
    const ChipPlaces places(options);
    for (std::size_t i = 0; i < options.chips.size(); ++i) {
      chips.emplace_back();
      chips[i].flip = places.flip[i];
      chips[i].shift = places.shift[i];
    }
  }

  std::size_t take(std::uint8_t index, const std::byte* words, std::size_t n);
  std::size_t take_pixels(ChipState& chip, const std::byte* words, std::size_t n);
  bool take_word(std::size_t index, std::uint64_t word);
  Batch& batch(ChipState& chip);
  Batch& new_batch(ChipState& chip);
  void release(std::unique_ptr<Batch> batch);
  void drop_oldest();
  void update(std::size_t index);
  bool may_borrow(std::size_t index) const;
  bool catch_up(std::size_t index);
  void settle_all(ScanLines::Patience patience);
  std::uint64_t common() const;
  void give(std::uint64_t until);
  void drain(std::size_t index, std::uint64_t until, bool all);
  void place(ChipState& chip, Lines known, Batch& batch, bool all);
  void place_one(ChipState& chip, Lines known, std::uint64_t hit, std::int64_t time);
  void place_by_dwell(Batch& batch);
  std::size_t find(Lines known, std::size_t line, std::int64_t time) const;
  LinePlace line_place(Lines known, std::size_t line, std::int64_t base) const;
};

// ------------------------------------------------------------------------------------------------- words → timed hits
std::size_t Tpx3Scan::State::take(std::uint8_t index, const std::byte* words, std::size_t n) {
  const bool placed = index < chips.size();
  std::size_t i = 0;
  while (i < n) {
    if (placed && n - i >= place_pad && clock.started) {
      i += take_pixels(chips[index], words + 8 * i, (n - i) / place_pad * place_pad);
    }
    // Something else than pixels, near each other in time, is among the next words.
    for (const std::size_t end = std::min(n, i + place_block); i < end; ++i) {
      if (!take_word(index, tpx3::load(words + 8 * i))) {
        if (placed) update(index);
        return i;
      }
    }
  }
  if (placed) update(index);
  return n;
}

// Words up to the first one that is no pixel; returns how many.
std::size_t Tpx3Scan::State::take_pixels(ChipState& chip, const std::byte* words, std::size_t n) {
  const auto* at = reinterpret_cast<const unsigned char*>(words);
  std::size_t taken = 0;
  while (taken < n) {
    Batch& to = batch(chip);
    const std::size_t room = std::min(n - taken, (batch_hits - to.count) / place_pad * place_pad);
    const auto base = static_cast<std::uint64_t>(to.base) & (tpx3::turn - 1);
    const std::size_t done =
        CREWE_SIMD_CALL(tpx3_extract, at + 8 * taken, room, base, chip.flip, chip.shift, to.hits + to.count);
    if (done > 0) {
      to.count += done;
      clock.last = to.time(to.count - 1);
    }
    taken += done;
    if (done < room) break;
  }
  chip.hits += taken;
  chip.place += taken;
  stream.counts.hits += taken;
  stream.credit.known(taken);
  return taken;
}

bool Tpx3Scan::State::take_word(std::size_t index, std::uint64_t word) {
  const bool placed = index < chips.size();
  const Word kind = tpx3::kind(word);
  if (kind == Word::hit) {
    ++stream.counts.hits;
    const std::int64_t time = clock.at(tpx3::hit_time(word));
    if (placed) {
      ChipState& chip = chips[index];
      Batch* to = &batch(chip);
      if (time < to->base || time - to->base >= 2 * batch_reach) to = &new_batch(chip);
      const std::uint64_t pixel = std::uint64_t{tpx3::hit_x(word)} << 48 | std::uint64_t{tpx3::hit_y(word)} << 32;
      to->hits[to->count++] = ((pixel ^ chip.flip) + chip.shift) | static_cast<std::uint64_t>(time - to->base);
      ++chip.hits;
    } else {
      ++sink.counts.stray;
    }
  } else if (kind == Word::tdc) {
    ++stream.counts.tdc;
    const std::int64_t time = clock.at(tpx3::tdc_time(word));
    if (placed && options.dwell == 0 && tpx3::tdc_channel(word) == 1) {
      lines.edge(index, time, tpx3::tdc_rising(word), chips[index].place);
    }
  } else if (kind == Word::time) {
    ++stream.counts.heartbeats;
    clock.at(tpx3::heartbeat_time(word));
  } else if (!stream.passes(word, kind)) {
    return false;
  }
  if (kind != Word::unknown) stream.credit.known(1);
  if (placed) ++chips[index].place;
  return true;
}

// The batch that a chip's next hits go to: with room for a block, and its times near the clock's.
Batch& Tpx3Scan::State::batch(ChipState& chip) {
  if (chip.waiting.empty()) return new_batch(chip);
  Batch& last = *chip.waiting.back();
  if (last.count + place_pad > batch_hits || std::abs(clock.last - last.middle()) >= batch_reach) {
    return new_batch(chip);
  }
  return last;
}

Batch& Tpx3Scan::State::new_batch(ChipState& chip) {
  if (waiting * batch_hits >= options.waiting) drop_oldest();
  if (pool.empty()) pool.push_back(std::make_unique_for_overwrite<Batch>());
  chip.waiting.push_back(std::move(pool.back()));
  pool.pop_back();
  ++waiting;
  Batch& fresh = *chip.waiting.back();
  fresh.base = clock.last - batch_reach;
  fresh.count = 0;
  return fresh;
}

void Tpx3Scan::State::release(std::unique_ptr<Batch> batch) {
  pool.push_back(std::move(batch));
  --waiting;
}

void Tpx3Scan::State::drop_oldest() {
  const auto most = std::max_element(chips.begin(), chips.end(), [](const ChipState& a, const ChipState& b) {
    return a.waiting.size() < b.waiting.size();
  });
  if (most->waiting.empty()) return;
  bool lines_begun = false;
  for (std::size_t i = 0; i < chips.size(); ++i) lines_begun |= lines.has_edges(i);
  // Without a line that has begun these hits lie before the scan, or after it.
  (lines_begun ? sink.counts.lost : sink.counts.stray) += most->waiting.front()->count;
  release(std::move(most->waiting.front()));
  most->waiting.erase(most->waiting.begin());
}

// ----------------------------------------------------------------------------------------------------------- lines
// After a run of words of a chip: are there new lines for it?
void Tpx3Scan::State::update(std::size_t index) {
  if (options.dwell > 0) {
    drain(index, 0, true);
    return;
  }
  bool any = lines.has_edges(index) && lines.settle(index, chips[index].place, ScanLines::Patience::wait);
  while (may_borrow(index)) any |= lines.borrow(index);
  for (std::size_t i = 0; i < chips.size(); ++i) any |= i != index && catch_up(i);
  if (any) give(common());
}

// A chip that has said nothing since a line ended that is long over for the others won't say anything about it.
bool Tpx3Scan::State::catch_up(std::size_t index) {
  const auto long_over = [&](const Line* line) {
    return line != nullptr && clock.last - line->fall > patience * (line->fall - line->rise);
  };
  if (!long_over(lines.next(index))) return false;
  bool any = lines.settle(index, chips[index].place, ScanLines::Patience::now);
  while (long_over(lines.next(index))) any |= lines.borrow(index);
  return any;
}

// A chip that has sent many hits from after a line, or some from long after it, but no edges of it, won't send any. A
// chip with edges waiting gets one line more of patience.
bool Tpx3Scan::State::may_borrow(std::size_t index) const {
  const Line* line = lines.next(index, lines.has_edges(index) ? 1 : 0);
  if (line == nullptr) return false;
  const std::int64_t long_after = line->fall + 2 * (line->fall - line->rise);
  std::size_t later = 0;
  const auto& batches = chips[index].waiting;
  for (std::size_t i = batches.size(); i-- > 0;) {
    const Batch& batch = *batches[i];
    if (batch.count == 0) continue;
    if (batch.time(batch.count - 1) >= long_after) return true;
    if (batch.time(0) < line->fall) {
      for (std::size_t j = batch.count; j-- > 0 && later < ScanLines::disorder;) later += batch.time(j) >= line->fall;
      break;
    }
    later += batch.count;
    if (later >= ScanLines::disorder) break;
  }
  return later >= ScanLines::disorder;
}

// Lines are given out when all chips that send hits have come to their end, so that positions come whole and in order;
// a chip that is far behind isn't waited for. The number of the line after these.
std::uint64_t Tpx3Scan::State::common() const {
  const std::uint64_t count = lines.count();
  if (2 * waiting * batch_hits > options.waiting) return count;
  std::uint64_t least = count;
  for (std::size_t i = 0; i < chips.size(); ++i) {
    if (chips[i].hits > 0) least = std::min(least, lines.reached(i));
  }
  return std::max(least, count - std::min<std::uint64_t>(count, patience));
}

// Gives out the lines before number `until`.
void Tpx3Scan::State::give(std::uint64_t until) {
  if (until <= given) return;
  given = until;
  for (std::size_t i = 0; i < chips.size(); ++i) drain(i, until, false);
}

void Tpx3Scan::State::settle_all(ScanLines::Patience patience) {
  if (options.dwell > 0) return;
  for (std::size_t i = 0; i < chips.size(); ++i) lines.settle(i, chips[i].place, patience);
  for (std::size_t i = 0; i < chips.size(); ++i) {
    while (lines.next(i) != nullptr) lines.borrow(i);
  }
  given = lines.count();
  for (std::size_t i = 0; i < chips.size(); ++i) drain(i, given, patience == ScanLines::Patience::end);
}

// ------------------------------------------------------------------------------------------------ timed hits → events
// Gives out what lies before the end of the chip's last line before number `until`; with `all` the rest belongs
// nowhere.
void Tpx3Scan::State::drain(std::size_t index, std::uint64_t until, bool all) {
  ChipState& chip = chips[index];
  Lines known = lines.lines(index);
  while (!known.empty() && known.back().number >= until) known = known.first(known.size() - 1);
  std::size_t kept = 0;
  for (std::unique_ptr<Batch>& batch : chip.waiting) {
    if (options.dwell > 0) {
      place_by_dwell(*batch);
    } else if (known.empty()) {
      if (all) sink.counts.stray += std::exchange(batch->count, 0);
    } else if (batch->count > 0 && (all || batch->time(0) < known.back().fall)) {
      place(chip, known, *batch, all);
    }
    if (batch->count == 0) {
      release(std::move(batch));
    } else {
      std::swap(chip.waiting[kept++], batch);
    }
  }
  chip.waiting.resize(kept);
}

// The line that had begun last at a time, or the first one; `line` is where to begin to look.
std::size_t Tpx3Scan::State::find(Lines known, std::size_t line, std::int64_t time) const {
  line = std::min(line, known.size() - 1);
  while (line + 1 < known.size() && known[line + 1].rise <= time) ++line;
  while (line > 0 && time < known[line].rise) --line;
  return line;
}

LinePlace Tpx3Scan::State::line_place(Lines known, std::size_t line, std::int64_t base) const {
  const Line& here = known[line];
  const std::uint64_t row = here.number % options.sy, scan = here.number / options.sy;
  const auto sx = static_cast<double>(options.sx), length = static_cast<double>(here.fall - here.rise);
  LinePlace place;
  place.start = static_cast<double>(base - here.rise);
  place.length = options.scans > 0 && scan >= options.scans ? 0 : length;
  place.region = line + 1 < known.size() ? static_cast<double>(known[line + 1].rise - here.rise) : length;
  place.nx = sx;
  place.acceptance = dwell.acceptance * sx;
  place.first = row * options.sx;
  return place;
}

void Tpx3Scan::State::place(ChipState& chip, Lines known, Batch& batch, bool all) {
  const std::int64_t horizon = all ? std::numeric_limits<std::int64_t>::max() : known.back().fall;
  const std::size_t count = batch.count;
  std::fill_n(batch.hits + count, place_pad, batch.hits[count - 1]);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count;) {
    const std::int64_t time = batch.time(i);
    chip.line = find(known, chip.line, time);
    const LinePlace line = line_place(known, chip.line, batch.base);
    const std::size_t n = std::min(place_block, count - i);
    bool alone = time >= horizon;
    if (!alone && time < known[chip.line].fall && std::isinf(line.acceptance) &&
        line.nx * line.length < largest_product) {
      const std::size_t within = CREWE_SIMD_CALL(place_within_line, batch.hits + i, count - i, line, sink.room());
      sink.take(within, some_in);
      i += within;
      if (within > 0) continue;
    }
    if (!alone) {
      const unsigned seen = CREWE_SIMD_CALL(place_line, batch.hits + i, n, line, sink.room());
      alone = (seen & some_beyond) != 0;
      if (!alone) sink.take(n, seen);
    }
    for (std::size_t j = i; alone && j < i + n; ++j) {
      const std::int64_t at = batch.time(j);
      if (at >= horizon) {
        batch.hits[kept++] = batch.hits[j];
      } else {
        place_one(chip, known, batch.hits[j], at);
      }
    }
    i += n;
  }
  batch.count = kept;
}

// A hit by itself: the one before lay in another line.
void Tpx3Scan::State::place_one(ChipState& chip, Lines known, std::uint64_t hit, std::int64_t time) {
  chip.line = find(known, chip.line, time);
  const std::uint64_t hits[place_pad] = {hit, hit, hit, hit, hit, hit, hit, hit};
  const LinePlace line = line_place(known, chip.line, time - static_cast<std::int64_t>(hit & 0xffffffff));
  sink.take(1, CREWE_SIMD_CALL(place_line, hits, 1, line, sink.room()));
}

void Tpx3Scan::State::place_by_dwell(Batch& batch) {
  if (batch.count == 0) return;
  std::fill_n(batch.hits + batch.count, place_pad, batch.hits[batch.count - 1]);
  dwell.start = static_cast<double>(batch.base);
  for (std::size_t i = 0; i < batch.count; i += place_block) {
    const std::size_t n = std::min(place_block, batch.count - i);
    std::uint64_t* events = sink.room();
    dwell.wrap = false;
    unsigned seen = CREWE_SIMD_CALL(place_dwell, batch.hits + i, n, dwell, events);
    if ((seen & some_beyond) != 0) {
      dwell.wrap = true;
      seen = CREWE_SIMD_CALL(place_dwell, batch.hits + i, n, dwell, events);
    }
    sink.take(n, seen);
  }
  batch.count = 0;
}

// ------------------------------------------------------------------------------------------------------------ the
// class
Tpx3Scan::Tpx3Scan(EventOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Tpx3Scan::~Tpx3Scan() = default;
Tpx3Scan::Tpx3Scan(Tpx3Scan&&) noexcept = default;
Tpx3Scan& Tpx3Scan::operator=(Tpx3Scan&&) noexcept = default;

EventBlock Tpx3Scan::feed(std::span<const std::byte> bytes) {
  State& s = *state_;
  s.sink.clear();
  s.stream.feed(bytes,
                [&s](std::uint8_t chip, const std::byte* words, std::size_t n) { return s.take(chip, words, n); });
  return s.sink.block();
}

EventBlock Tpx3Scan::flush() {
  state_->sink.clear();
  state_->settle_all(ScanLines::Patience::now);
  return state_->sink.block();
}

EventBlock Tpx3Scan::finish() {
  state_->sink.clear();
  state_->stream.finish();
  state_->settle_all(ScanLines::Patience::end);
  return state_->sink.block();
}

void Tpx3Scan::cut() {
  state_->stream.cut();
  state_->lines.cut(state_->clock.last);
}

const Tpx3Counts& Tpx3Scan::words() const {
  return state_->stream.counts;
}
std::vector<std::uint64_t> Tpx3Scan::hits_per_chip() const {
  std::vector<std::uint64_t> hits;
  for (const ChipState& chip : state_->chips) hits.push_back(chip.hits);
  return hits;
}
const EventCounts& Tpx3Scan::counts() const {
  return state_->sink.counts;
}
std::uint64_t Tpx3Scan::lines() const {
  return state_->lines.count();
}
const std::optional<Damage>& Tpx3Scan::damage() const {
  return state_->stream.damage;
}

double Tpx3Scan::dwell() const {
  const State& s = *state_;
  if (s.options.dwell > 0) return s.options.dwell;
  return s.lines.mean_length() / static_cast<double>(s.options.sx) * tick;
}

bool Tpx3Scan::complete() const {
  const State& s = *state_;
  if (s.options.scans == 0) return false;
  if (s.options.dwell > 0) {  // and a line more for chips that are behind
    return static_cast<double>(s.clock.last) >=
           s.dwell.dwell * (s.dwell.total * s.dwell.scans + static_cast<double>(s.options.sx));
  }
  const std::uint64_t wanted = s.options.scans * s.options.sy;
  if (s.lines.count() < wanted) return false;
  for (std::size_t i = 0; i < s.chips.size(); ++i) {
    if (s.chips[i].hits > 0 && s.lines.reached(i) < wanted) return false;
  }
  return true;
}

}  // namespace crewe::io
