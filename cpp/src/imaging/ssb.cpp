#include "crewe/imaging/ssb.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include "crewe/checks.hpp"
#include "crewe/fft.hpp"
#include "crewe/imaging/ssb_plan.hpp"
#include "imaging/ssb_kernel.hpp"

namespace crewe::imaging {
struct Ssb::State {
  State(SsbOptions given, Parallel how)
      : options((check_ssb(given), std::move(given))),
        parallel(std::move(how)),
        plan(options, parallel),
        along(options.sx),
        lines(kSsbLines * options.sx * plan.pixels),
        work(lines.size()),
        signals(plan.columns.size() * kSsbLines * 2 * plan.pixels),
        projected(kSsbLines * 2 * plan.rows.size()),
        sums(plan.rows.size()) {
    open_rows.reserve(kSsbLines);
    turns.reserve(options.sy);
    for (std::size_t i = 0; i < options.sy; ++i) {
      turns.push_back(
          std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(options.sy)));
    }
  }

  // Where the bright pixels of a row are gathered.
  float* open(std::size_t row) {
    std::size_t slot = 0;
    while (slot < open_rows.size() && open_rows[slot] != row) ++slot;
    if (slot == kSsbLines) close();
    slot = std::min(slot, open_rows.size());
    if (slot == open_rows.size()) open_rows.push_back(row);
    return lines.data() + slot * line_size();
  }

  // The open lines' share of Ψ(Q) becomes part of the sums.
  void close() {
    total += project();
    for (std::size_t q = 0; q < sums.size(); ++q) sums[q] = with_open(q);
    std::fill_n(lines.begin(), open_rows.size() * line_size(), 0.0F);
    open_rows.clear();
  }

  // Ψ(Q) = Σ exp(−2πi Q_y·row)·Σ_k W G of the closed lines, and of the open ones after `project`.
  std::complex<double> with_open(std::size_t q) const {
    std::complex<double> sum = sums[q];
    for (std::size_t slot = 0; slot < open_rows.size(); ++slot) {
      const float* const value = projected.data() + 2 * (slot * sums.size() + q);
      sum += turns[plan.rows[q] * open_rows[slot] % options.sy] * std::complex<double>(value[0], value[1]);
    }
    return sum;
  }

  // Transforms a copy of the open lines and projects it on the weights; the sum of their bright pixels.
  double project() {
    const std::size_t sx = options.sx, pairs = plan.pixels / 2, count = open_rows.size();
    constexpr std::size_t kStrip = 64;  // complex columns
    const std::size_t strips = (pairs + kStrip - 1) / kStrip;
    parallel(count * strips, 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        const std::size_t line = i / strips * line_size(), begin = i % strips * kStrip;
        const std::size_t end = std::min(pairs, begin + kStrip);
        for (std::size_t x = 0; x < sx; ++x) {
          const std::size_t at = line + 2 * x * pairs;
          std::copy(lines.data() + at + 2 * begin, lines.data() + at + 2 * end, work.data() + at + 2 * begin);
        }
        along.columns(reinterpret_cast<std::complex<float>*>(work.data() + line) + begin, end - begin,
                      static_cast<std::ptrdiff_t>(pairs), fft::Direction::forward);
      }
    });
    const std::size_t each = plan.complex ? 2 * plan.pixels : plan.pixels;
    parallel(plan.columns.size(), 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t c = from; c < to; ++c) {
        const SsbColumn& column = plan.columns[c];
        float* const mine = signals.data() + c * kSsbLines * 2 * plan.pixels;
        for (std::size_t slot = 0; slot < count; ++slot) {
          const float* const line = work.data() + slot * line_size();
          const float* const at = line + 2 * column.col * pairs;
          const float* const mirror = line + 2 * ((sx - column.col) % sx) * pairs;
          float* const real = mine + slot * 2 * plan.pixels;
          CREWE_SIMD_CALL(ssb_unpack, at, mirror, pairs, real, real + plan.pixels);
        }
        CREWE_SIMD_CALL(ssb_project, {plan.weights.data() + column.first * each, plan.pixels, plan.complex,
                                      column.count, mine, count, projected.data() + 2 * column.first, 2 * sums.size()});
      }
    });
    double sum = 0;  // of frequency 0
    for (std::size_t slot = 0; slot < count; ++slot) {
      for (std::size_t i = 0; i < 2 * pairs; ++i) sum += static_cast<double>(work[slot * line_size() + i]);
    }
    return sum;
  }

  std::size_t line_size() const { return options.sx * plan.pixels; }

  SsbOptions options;
  Parallel parallel;
  SsbPlan plan;
  fft::Plan<float> along;
  std::vector<std::complex<double>> turns;  // exp(−2πi n/sy)
  std::vector<std::size_t> open_rows;
  std::vector<float> lines, work;          // (kSsbLines, sx, pixels): bright pixels of the open rows
  std::vector<float> signals;              // (columns, kSsbLines, 2, pixels)
  std::vector<float> projected;            // (kSsbLines, frequencies, 2)
  std::vector<std::complex<double>> sums;  // Ψ(Q) of closed rows
  double total = 0;                        // of their bright pixels
  std::vector<std::uint32_t> by_row, row_ends;
};

Ssb::Ssb(SsbOptions options, Parallel parallel)
    : state_(std::make_unique<State>(std::move(options), std::move(parallel))) {}
Ssb::~Ssb() = default;

const SsbOptions& Ssb::options() const noexcept {
  return state_->options;
}

void Ssb::clear() {
  State& s = *state_;
  std::fill(s.lines.begin(), s.lines.end(), 0.0F);
  std::fill(s.sums.begin(), s.sums.end(), 0.0);
  s.open_rows.clear();
  s.total = 0;
}

void Ssb::add(const FrameBlock& block, std::span<const std::uint32_t> frames,
              std::span<const std::uint32_t> positions) {
  State& s = *state_;
  const std::size_t sx = s.options.sx;
  const FrameBlock::Steps step = block.steps();
  for (std::size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const std::size_t row = positions[begin] / sx;
    while (end < frames.size() && positions[end] / sx == row) ++end;
    float* const line = s.open(row);
    s.parallel(end - begin, 16, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = begin + from; i < begin + to; ++i) {
        const SsbGather task{block.data + static_cast<std::ptrdiff_t>(frames[i]) * step.frame,
                             block.pixel,
                             step.row,
                             step.column,
                             s.plan.pieces.data(),
                             s.plan.pieces.size(),
                             s.plan.join,
                             s.options.kx,
                             s.options.dark.empty() ? nullptr : s.options.dark.data(),
                             s.options.gain.empty() ? nullptr : s.options.gain.data()};
        CREWE_SIMD_CALL(ssb_gather, task, line + positions[i] % sx * s.plan.pixels);
      }
    });
  }
}

// Events of one row after the other, in their order: rows that are opened again cost a projection.
void Ssb::add(std::span<const io::Event> events) {
  State& s = *state_;
  const std::size_t sx = s.options.sx;
  s.row_ends.assign(s.options.sy + 1, 0);
  for (const io::Event& event : events) ++s.row_ends[event.position / sx + 1];
  for (std::size_t row = 0; row < s.options.sy; ++row) s.row_ends[row + 1] += s.row_ends[row];
  s.by_row.resize(std::max(s.by_row.size(), events.size()));
  for (std::uint32_t i = 0; i < events.size(); ++i) s.by_row[s.row_ends[events[i].position / sx]++] = i;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const io::Event& event = events[s.by_row[i]];
    const std::int32_t place = s.plan.place[std::size_t{event.y} * s.options.kx + event.x];
    if (place < 0) continue;
    float* const line = s.open(event.position / sx);
    line[event.position % sx * s.plan.pixels + static_cast<std::size_t>(place)] += 1;
  }
}

bool Ssb::spectrum(std::size_t positions, std::complex<float>* out) {
  State& s = *state_;
  const std::size_t sy = s.options.sy, sx = s.options.sx;
  const double total = s.total + s.project();
  std::fill_n(out, sy * sx, 0.0F);
  if (!std::isfinite(total)) return false;
  if (!(total > 0) || positions == 0) return true;
  const double unit = static_cast<double>(positions * s.plan.members) / total;  // 1/I₀
  for (const SsbColumn& column : s.plan.columns) {
    for (std::size_t q = column.first; q < column.first + column.count; ++q) {
      const std::complex<double> value = s.with_open(q) * s.plan.scale[q] * unit;
      const std::size_t row = s.plan.rows[q];
      out[row * sx + column.col] = std::complex<float>(value);
      out[(sy - row) % sy * sx + (sx - column.col) % sx] = std::complex<float>(std::conj(value));
    }
  }
  return true;
}

void ssb(std::span<const FrameBlock> blocks, const SsbOptions& options, View<float, 2> phase, int threads) {
  const std::size_t positions = options.sy * options.sx;
  std::size_t count = 0;
  for (const FrameBlock& block : blocks) {
    if (block.ny != options.ky || block.nx != options.kx) {
      reject("frames", shape_text(std::array{options.ky, options.kx}) + " pixels",
             shape_text(std::array{block.ny, block.nx}));
    }
    count += block.count;
  }
  if (count != positions) reject("frames", std::to_string(positions) + " of them", std::to_string(count));
  check_shape(phase, {options.sy, options.sx}, "phase");
  Ssb scan(options,
           [threads](std::size_t n, std::size_t grain, RangeFunction f) { parallel_for(n, grain, threads, f); });
  std::vector<std::uint32_t> frames, places;
  std::uint32_t position = 0;
  for (const FrameBlock& block : blocks) {
    frames.clear();
    places.clear();
    for (std::uint32_t i = 0; i < block.count; ++i) {
      frames.push_back(i);
      places.push_back(position++);
    }
    scan.add(block, frames, places);
  }
  std::vector<std::complex<float>> field(positions);
  if (!scan.spectrum(positions, field.data())) {
    throw std::invalid_argument("frames: finite numbers wanted, NaN or infinity came in the bright disc");
  }
  fft::fft2(field.data(), 1, options.sy, options.sx, fft::Direction::inverse, threads);
  for (std::size_t y = 0; y < options.sy; ++y) {
    for (std::size_t x = 0; x < options.sx; ++x) phase(y, x) = field[y * options.sx + x].real();
  }
}

}  // namespace crewe::imaging
