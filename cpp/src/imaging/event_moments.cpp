#include "crewe/imaging/event_moments.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <stdexcept>
#include <string>

#include "crewe/checks.hpp"
#include "imaging/event_kernels.hpp"

namespace crewe::imaging {
namespace {

// So many that 65536 pixels, the most there can be along an axis, don't overflow a packed sum within a block.
constexpr std::size_t block_events = 2048;
// Positions summed in packed integers at a time: events come nearly in order of position.
constexpr std::size_t window_positions = 1024;
// Detectors per packed sum, 16 bits each; beyond two such sums the detectors are summed one by one in double.
constexpr std::size_t fields = 4;
constexpr std::size_t max_packed = 2 * fields - 1;

bool is_binary(const std::vector<float>& weights) {
  return std::all_of(weights.begin(), weights.end(), [](float w) { return w == 0.0f || w == 1.0f; });
}

// A packed moment: count in the bits 0-15, Σy in 16-39, Σx in 40-63.
std::uint64_t packed(const io::Event& event) {
  return 1 | static_cast<std::uint64_t>(event.y) << 16 | static_cast<std::uint64_t>(event.x) << 40;
}

// Adds until a packed sum could overflow.
std::size_t most_adds(std::size_t ny, std::size_t nx) {
  const std::size_t largest = std::max<std::size_t>(1, std::max(ny, nx) - 1);
  return std::min<std::size_t>(65535, ((std::size_t{1} << 24) - 1) / largest);
}

EventExtent extent_of(std::span<const io::Event> events) {
  return CREWE_SIMD_CALL(event_extent, reinterpret_cast<const unsigned char*>(events.data()), events.size());
}

}  // namespace

struct EventReducer::State {
  FrameReducer::Options options;
  std::size_t positions = 0;
  std::size_t rings = 0;
  bool exact = false;                 // all weights are 0 or 1
  std::vector<std::uint8_t> flags;    // per pixel: bit 0 = w, bit 1 + k = m_k; empty: all are 1
  std::vector<std::uint64_t> spread;  // flags → one packed increment per `fields` detectors, [256][words]
  std::size_t words = 0;

  std::vector<std::uint64_t> moments;                        // [position − base][copies]
  std::vector<std::uint64_t> detectors;                      // [words][position − base][copies]
  std::size_t base = 0, first = window_positions, last = 0;  // window; its positions in use: [first, last)
  std::size_t adds = 0, limit = 0;                           // to one packed sum so far, at most

  std::vector<std::uint64_t> seen;  // a bit per position touched in this call
  std::size_t seen_first = std::numeric_limits<std::size_t>::max(), seen_last = 0;

  std::size_t pixel(const io::Event& event) const { return event.y * options.nx + event.x; }
  bool alive(std::size_t pixel) const { return options.dead_pixels.empty() || options.dead_pixels[pixel] == 0; }
  static double weight(const std::vector<float>& weights, std::size_t pixel) {
    return weights.empty() ? 1.0 : static_cast<double>(weights[pixel]);
  }

  void prepare();
  void touch(std::size_t position) {
    seen[position / 64] |= std::uint64_t{1} << position % 64;
    seen_first = std::min(seen_first, position / 64);
    seen_last = std::max(seen_last, position / 64);
  }
  void list_touched(std::vector<std::uint32_t>& touched);
  void add_weighted(std::span<const io::Event> events, const Sums& into);
  void add_exact(std::span<const io::Event> events, const Sums& into);
  template <std::size_t Words>
  void add_flagged(std::span<const io::Event> events);
  void add_window(std::span<const io::Event> events);
  void flush(const Sums& into);
};

void EventReducer::State::prepare() {
  const std::size_t pixels = options.ny * options.nx, k = options.detectors.size();
  if (pixels == 0 || options.ny > 65536 || options.nx > 65536) {
    reject("detector", "1 to 65536 pixels along y and x", shape_text(std::array{options.ny, options.nx}));
  }
  check_pixels(options.weights.size(), pixels, "weights");
  check_pixels(options.gain.size(), pixels, "gain");
  check_pixels(options.dead_pixels.size(), pixels, "dead_pixels");
  check_pixels(options.rings.size(), pixels, "rings");
  for (const std::vector<float>& detector : options.detectors) check_pixels(detector.size(), pixels, "detectors");
  if (positions == 0 || positions > std::numeric_limits<std::uint32_t>::max()) {
    reject("positions", "1 to 2^32 - 1", std::to_string(positions));
  }
  for (const std::uint8_t ring : options.rings) {
    if (ring != no_ring) rings = std::max<std::size_t>(rings, ring + std::size_t{1});
  }
  exact = options.gain.empty() && k <= max_packed && is_binary(options.weights) &&
          std::all_of(options.detectors.begin(), options.detectors.end(), is_binary);
  seen.assign(positions / 64 + 1, 0);
  if (!exact) return;

  if (k > 0 || !options.weights.empty() || !options.dead_pixels.empty()) {
    flags.assign(pixels, 0);
    for (std::size_t i = 0; i < pixels; ++i) {
      if (!alive(i)) continue;
      unsigned bits = weight(options.weights, i) != 0 ? 1 : 0;
      for (std::size_t j = 0; j < k; ++j) bits |= weight(options.detectors[j], i) != 0 ? 2u << j : 0u;
      flags[i] = static_cast<std::uint8_t>(bits);
    }
  }
  words = (k + fields - 1) / fields;
  spread.assign(256 * words, 0);
  for (std::size_t bits = 0; bits < 256; ++bits) {
    for (std::size_t j = 0; j < k; ++j) {
      if (bits >> (j + 1) & 1) spread[bits * words + j / fields] += std::uint64_t{1} << 16 * (j % fields);
    }
  }
  moments.assign(window_positions * copies, 0);
  detectors.assign(window_positions * copies * words, 0);
  limit = most_adds(options.ny, options.nx);
}

void EventReducer::State::list_touched(std::vector<std::uint32_t>& touched) {
  for (std::size_t word = seen_first; word <= seen_last && word < seen.size(); ++word) {
    for (std::uint64_t bits = seen[word]; bits != 0; bits &= bits - 1) {
      touched.push_back(static_cast<std::uint32_t>(64 * word + static_cast<std::size_t>(std::countr_zero(bits))));
    }
    seen[word] = 0;
  }
  seen_first = std::numeric_limits<std::size_t>::max();
  seen_last = 0;
}

// Any weights, any order: one event after the other, in double.
void EventReducer::State::add_weighted(std::span<const io::Event> events, const Sums& into) {
  const std::size_t k = options.detectors.size();
  for (const io::Event& event : events) {
    const std::size_t at = pixel(event);
    if (!alive(at)) continue;
    const double gain = weight(options.gain, at);
    if (into.moments != nullptr) {
      const double w = weight(options.weights, at) * gain;
      Moments& sum = into.moments[event.position];
      sum.n += w;
      sum.y += event.y * w;
      sum.x += event.x * w;
    }
    if (into.detectors != nullptr) {
      for (std::size_t j = 0; j < k; ++j) {
        into.detectors[event.position * k + j] += weight(options.detectors[j], at) * gain;
      }
    }
    touch(event.position);
  }
}

// Weights of 0 and 1, positions far from each other: one event after the other, whole numbers in double.
void EventReducer::State::add_exact(std::span<const io::Event> events, const Sums& into) {
  const std::size_t k = options.detectors.size();
  for (const io::Event& event : events) {
    const unsigned bits = flags.empty() ? 1 : flags[pixel(event)];
    if (bits == 0) continue;
    if (into.moments != nullptr && (bits & 1) != 0) {
      Moments& sum = into.moments[event.position];
      sum.n += 1;
      sum.y += event.y;
      sum.x += event.x;
    }
    if (into.detectors != nullptr) {
      for (std::size_t j = 0; j < k; ++j) into.detectors[event.position * k + j] += bits >> (j + 1) & 1;
    }
    touch(event.position);
  }
}

// Weights of 0 and 1, positions within the window: packed integers.
template <std::size_t Words>
void EventReducer::State::add_flagged(std::span<const io::Event> events) {
  constexpr std::size_t plane = window_positions * copies;
  const auto add = [&](const io::Event& event, std::size_t copy) {
    const std::size_t at = (event.position - base) * copies + copy, bits = flags[pixel(event)];
    moments[at] += packed(event) & (std::uint64_t{0} - (bits & 1));
    for (std::size_t j = 0; j < Words; ++j) detectors[j * plane + at] += spread[bits * Words + j];
  };
  const std::size_t whole = events.size() / copies * copies;
  for (std::size_t i = 0; i < whole; i += copies) {
    for (std::size_t copy = 0; copy < copies; ++copy) add(events[i + copy], copy);
  }
  for (std::size_t i = whole; i < events.size(); ++i) add(events[i], i - whole);
}

void EventReducer::State::add_window(std::span<const io::Event> events) {
  adds += (events.size() + copies - 1) / copies;
  if (flags.empty()) {
    CREWE_SIMD_CALL(add_packed, reinterpret_cast<const unsigned char*>(events.data()), events.size(),
                    static_cast<std::uint32_t>(base), moments.data());
  } else if (words == 0) {
    add_flagged<0>(events);
  } else if (words == 1) {
    add_flagged<1>(events);
  } else {
    add_flagged<2>(events);
  }
}

void EventReducer::State::flush(const Sums& into) {
  const std::size_t k = options.detectors.size();
  for (std::size_t at = first; at < last; ++at) {
    std::uint64_t* sums = &moments[at * copies];
    std::uint64_t any = 0, n = 0, y = 0, x = 0;
    for (std::size_t copy = 0; copy < copies; ++copy) {
      any |= sums[copy];
      n += sums[copy] & 0xffff;
      y += sums[copy] >> 16 & 0xffffff;
      x += sums[copy] >> 40;
      sums[copy] = 0;
    }
    if (into.moments != nullptr) {
      Moments& total = into.moments[base + at];
      total.n += static_cast<double>(n);
      total.y += static_cast<double>(y);
      total.x += static_cast<double>(x);
    }
    for (std::size_t j = 0; j < words; ++j) {
      std::uint64_t* packed_sums = &detectors[(j * window_positions + at) * copies];
      std::array<std::uint64_t, fields> counts{};
      for (std::size_t copy = 0; copy < copies; ++copy) {
        any |= packed_sums[copy];
        for (std::size_t i = 0; i < fields; ++i) counts[i] += packed_sums[copy] >> 16 * i & 0xffff;
        packed_sums[copy] = 0;
      }
      if (into.detectors == nullptr) continue;
      for (std::size_t i = j * fields; i < std::min(k, (j + 1) * fields); ++i) {
        into.detectors[(base + at) * k + i] += static_cast<double>(counts[i % fields]);
      }
    }
    if (any != 0) touch(base + at);
  }
  first = window_positions;
  last = 0;
  adds = 0;
}

EventReducer::EventReducer(const FrameReducer::Options& options, std::size_t positions)
    : state_(std::make_unique<State>()) {
  state_->options = options;
  state_->positions = positions;
  state_->prepare();
}
EventReducer::~EventReducer() = default;
EventReducer::EventReducer(EventReducer&&) noexcept = default;
EventReducer& EventReducer::operator=(EventReducer&&) noexcept = default;

std::size_t EventReducer::positions() const {
  return state_->positions;
}
std::size_t EventReducer::pixels() const {
  return state_->options.ny * state_->options.nx;
}
std::size_t EventReducer::detectors() const {
  return state_->options.detectors.size();
}
std::size_t EventReducer::rings() const {
  return state_->rings;
}

void EventReducer::check(std::span<const io::Event> events) const {
  const State& s = *state_;
  const EventExtent extent = extent_of(events);
  if (extent.last < s.positions && extent.y < s.options.ny && extent.x < s.options.nx) return;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const io::Event& event = events[i];
    if (event.position < s.positions && event.y < s.options.ny && event.x < s.options.nx) continue;
    throw std::out_of_range("event " + std::to_string(i) + ": position " + std::to_string(event.position) +
                            ", pixel (" + std::to_string(event.y) + ", " + std::to_string(event.x) + ") beyond " +
                            std::to_string(s.positions) + " positions, detector (" + std::to_string(s.options.ny) +
                            ", " + std::to_string(s.options.nx) + ")");
  }
}

void EventReducer::add(std::span<const io::Event> events, const Sums& into, std::vector<std::uint32_t>& touched) {
  State& s = *state_;
  Sums wanted = into;
  if (!s.options.moments) wanted.moments = nullptr;
  for (std::size_t begin = 0; begin < events.size(); begin += block_events) {
    const auto block = events.subspan(begin, std::min(block_events, events.size() - begin));
    if (wanted.pattern != nullptr || wanted.profiles != nullptr) {
      for (const io::Event& event : block) {
        const std::size_t at = s.pixel(event);
        if (!s.alive(at)) continue;
        const double gain = State::weight(s.options.gain, at);
        if (wanted.pattern != nullptr) wanted.pattern[at] += gain;
        if (wanted.profiles != nullptr && s.rings > 0 && s.options.rings[at] != no_ring) {
          wanted.profiles[event.position * s.rings + s.options.rings[at]] += static_cast<float>(gain);
          s.touch(event.position);
        }
      }
    }
    if (!s.exact) {
      s.add_weighted(block, wanted);
      continue;
    }
    const EventExtent extent = extent_of(block);
    if (extent.last - extent.first >= window_positions) {
      s.add_exact(block, wanted);
      continue;
    }
    const bool inside = extent.first >= s.base && extent.last < s.base + window_positions;
    if (!inside || s.adds + block_events / copies > s.limit) {
      s.flush(wanted);
      // The next events lie further on: most of the window is kept for them.
      const std::size_t spare = window_positions - (extent.last - extent.first + 1);
      s.base = extent.first - std::min<std::size_t>(spare / 8, extent.first);
    }
    s.add_window(block);
    s.first = std::min(s.first, extent.first - s.base);
    s.last = std::max(s.last, extent.last - s.base + 1);
  }
  if (s.exact) s.flush(wanted);
  s.list_touched(touched);
}

}  // namespace crewe::imaging
