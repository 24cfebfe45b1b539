#include "crewe/cuda/imaging/ssb.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/cuda/fft.hpp"
#include "crewe/cuda/table.hpp"
#include "crewe/imaging/ssb_plan.hpp"
#include "crewe/parallel.hpp"
#include "ssb_kernels.hpp"

namespace crewe::cuda::imaging {
namespace {

using crewe::imaging::SsbColumn;
using crewe::imaging::SsbPlan;

SsbPlan make_plan(const SsbOptions& options, int threads) {
  crewe::imaging::check_ssb(options);
  return SsbPlan(options,
                 [threads](std::size_t n, std::size_t grain, RangeFunction f) { parallel_for(n, grain, threads, f); });
}

unsigned whole(std::size_t n) {
  return static_cast<unsigned>(n);
}

std::vector<double2> pairs_of(const std::vector<std::complex<double>>& numbers) {
  std::vector<double2> pairs;
  for (const auto& z : numbers) pairs.push_back(make_double2(z.real(), z.imag()));
  return pairs;
}

// Detector pixels by joined pixel.
struct Members {
  explicit Members(const std::vector<std::int32_t>& place) {
    const auto joined = static_cast<std::size_t>(*std::ranges::max_element(place) + 1);
    first.assign(joined + 1, 0);
    for (const std::int32_t at : place) {
      if (at >= 0) ++first[static_cast<std::size_t>(at) + 1];
    }
    for (std::size_t i = 0; i < joined; ++i) first[i + 1] += first[i];
    pixels.resize(first.back());
    std::vector<unsigned> next = first;
    for (std::size_t i = 0; i < place.size(); ++i) {
      if (place[i] >= 0) pixels[next[static_cast<std::size_t>(place[i])]++] = whole(i);
    }
  }
  std::vector<unsigned> first, pixels;
};

}  // namespace

struct Ssb::State {
  State(const SsbOptions& given, int threads, cudaStream_t in) : State(given, in, make_plan(given, threads)) {}

  State(const SsbOptions& given, cudaStream_t in, const SsbPlan& plan)
      : options(given),
        stream(in),
        padded(plan.pixels),
        members(plan.members),
        complex(plan.complex),
        place(plan.place),
        along(options.sx, padded / 2, padded / 2, 1),
        lines(kSsbLines * line_size(), in),
        work(lines.size(), in),
        sums(plan.rows.size(), in),
        all(plan.rows.size(), in),
        total(2, in) {
    const Members of(plan.place);
    joined = of.first.size() - 1;
    first = table_on_device(of.first, in);
    pixels = table_on_device(of.pixels, in);
    dark = table_on_device(options.dark, in);
    gain = table_on_device(options.gain, in);
    weights = table_on_device(plan.weights, in);
    scale = table_on_device(pairs_of(plan.scale), in);
    list_frequencies(plan);
    std::vector<double2> turn;
    for (std::size_t i = 0; i < options.sy; ++i) {
      const double angle = -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(options.sy);
      turn.push_back(make_double2(std::cos(angle), std::sin(angle)));
    }
    turns = table_on_device(turn, in);
  }

  void list_frequencies(const SsbPlan& plan) {
    std::vector<unsigned> row(plan.rows.begin(), plan.rows.end()), col;
    std::vector<SsbGroup> list;
    for (const SsbColumn& column : plan.columns) {
      col.insert(col.end(), column.count, whole(column.col));
      for (std::size_t i = 0; i < column.count; i += kSsbGroup) {
        const std::size_t n = std::min<std::size_t>(kSsbGroup, column.count - i);
        list.push_back({whole(column.first + i), whole(n), whole(column.col)});
      }
    }
    rows = table_on_device(row, stream);
    cols = table_on_device(col, stream);
    groups = table_on_device(list, stream);
  }

  std::size_t line_size() const { return options.sx * padded; }
  SsbPixels table() const {
    return {first.data(), pixels.data(), whole(joined), whole(padded), whole(options.kx), dark.data(), gain.data()};
  }

  // The slot in which the bright pixels of a row are gathered.
  std::size_t open(std::size_t row) {
    std::size_t slot = 0;
    while (slot < open_rows.count && open_rows.rows[slot] != row) ++slot;
    if (slot == kSsbLines) {
      close();
      slot = 0;
    }
    if (slot == open_rows.count) open_rows.rows[open_rows.count++] = whole(row);
    return slot;
  }

  // The open lines' share becomes part of the sums.
  void close() {
    project(sums.data(), total.data());
    lines.zero();
    open_rows.count = 0;
  }

  // Transforms a copy of the open lines and adds their projections on the weights to the sums, into `out`.
  void project(double2* out, double* total_out) {
    const std::size_t used = open_rows.count * line_size();
    check(cudaMemcpyAsync(work.data(), lines.data(), used * sizeof(float), cudaMemcpyDeviceToDevice, stream),
          "lines of the scan");
    auto* const z = reinterpret_cast<float2*>(work.data());
    for (std::size_t slot = 0; slot < open_rows.count; ++slot) along.forward(z + slot * line_size() / 2, stream);
    ssb_project({groups.data(), whole(groups.size()), rows.data(), turns.data(), weights.data(), z, whole(padded),
                 whole(options.sx), whole(options.sy), complex, open_rows, sums.data(), out},
                stream);
    ssb_total(z, whole(padded / 2), whole(options.sx), open_rows.count, total.data(), total_out, stream);
  }

  void count_events(std::vector<unsigned>& at) {
    if (at.empty()) return;
    const Buffer<unsigned> there = table_on_device(at, stream);
    ssb_count(there.data(), there.size(), lines.data(), stream);
    at.clear();
  }

  SsbOptions options;
  cudaStream_t stream;
  std::size_t padded, members, joined = 0;
  bool complex;
  std::vector<std::int32_t> place;  // joined pixel of each detector pixel, −1: outside
  Fft1 along;
  SsbOpen open_rows{};
  Buffer<float> lines, work;  // (kSsbLines, sx, padded): bright pixels of the open rows
  Buffer<double2> sums, all;  // Ψ(Q) of closed rows; with the open ones
  Buffer<double> total;       // of the bright pixels of closed rows; with the open ones
  Buffer<float> weights, dark, gain;
  Buffer<double2> scale, turns;
  Buffer<unsigned> first, pixels, rows, cols;
  Buffer<SsbGroup> groups;
};

Ssb::Ssb(const SsbOptions& options, int threads, cudaStream_t stream)
    : state_(std::make_unique<State>(options, threads, stream)) {
  clear();
}
Ssb::~Ssb() = default;

const SsbOptions& Ssb::options() const noexcept {
  return state_->options;
}

void Ssb::clear() {
  State& s = *state_;
  s.lines.zero();
  s.sums.zero();
  s.total.zero();
  s.open_rows.count = 0;
}

void Ssb::add(const FrameBlock& block, std::span<const std::uint32_t> frames,
              std::span<const std::uint32_t> positions) {
  State& s = *state_;
  const std::size_t sx = s.options.sx;
  const FrameBlock::Steps steps = block.steps();
  for (std::size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const std::size_t row = positions[begin] / sx;
    // Frames that follow each other in memory and to the right or to the left in the scan.
    end = begin + 1;
    int step = 1;
    if (end < frames.size() && positions[end] + 1 == positions[begin]) step = -1;
    while (end < frames.size() && frames[end] == frames[end - 1] + 1 && positions[end] / sx == row &&
           positions[end] == positions[end - 1] + static_cast<std::uint32_t>(step)) {
      ++end;
    }
    const SsbRun run{block.data + static_cast<std::ptrdiff_t>(frames[begin]) * steps.frame,
                     block.pixel,
                     steps.frame,
                     steps.row,
                     steps.column,
                     whole(end - begin),
                     whole(positions[begin] % sx),
                     step};
    ssb_gather(run, s.table(), s.lines.data() + s.open(row) * s.line_size(), s.stream);
  }
}

// Events of one row after the other, in their order: rows that are opened again cost a projection.
void Ssb::add(std::span<const io::Event> events) {
  State& s = *state_;
  const std::size_t sx = s.options.sx;
  std::vector<std::uint32_t> by_row(events.size());
  for (std::uint32_t i = 0; i < events.size(); ++i) by_row[i] = i;
  std::ranges::stable_sort(by_row, {}, [&](std::uint32_t i) { return events[i].position / sx; });
  std::vector<unsigned> at;
  for (const std::uint32_t i : by_row) {
    const io::Event& event = events[i];
    const std::int32_t place = s.place[std::size_t{event.y} * s.options.kx + event.x];
    if (place < 0) continue;
    const std::size_t row = event.position / sx;
    const auto known = s.open_rows.rows + s.open_rows.count;
    if (s.open_rows.count == kSsbLines && std::find(s.open_rows.rows, known, row) == known) s.count_events(at);
    const std::size_t slot = s.open(row);
    at.push_back(whole(slot * s.line_size() + event.position % sx * s.padded + static_cast<std::size_t>(place)));
  }
  s.count_events(at);
}

bool Ssb::spectrum(std::size_t positions, float2* out) {
  State& s = *state_;
  const std::size_t size = s.options.sy * s.options.sx;
  s.project(s.all.data(), s.total.data() + 1);
  detail::fill_zero(out, size * sizeof(float2), s.stream);
  ssb_spectrum({s.all.data(), s.scale.data(), s.rows.data(), s.cols.data(), whole(s.sums.size()), whole(s.options.sy),
                whole(s.options.sx), s.total.data() + 1, static_cast<double>(s.members)},
               static_cast<double>(positions), out, s.stream);
  double total[2];
  s.total.get(total, 2);
  check(cudaStreamSynchronize(s.stream), "sums of single-sideband ptychography");
  return std::isfinite(total[1]);
}

bool ssb(std::span<const FrameBlock> blocks, const SsbOptions& options, View<float2, 2> wave, int threads,
         cudaStream_t stream) {
  const std::size_t sy = options.sy, sx = options.sx;
  Ssb scan(options, threads, stream);
  std::vector<std::uint32_t> frames, places;
  std::uint32_t position = 0;
  for (const FrameBlock& block : blocks) {
    if (block.ny != options.ky || block.nx != options.kx) {
      reject("frames", shape_text(std::array{options.ky, options.kx}) + " pixels",
             shape_text(std::array{block.ny, block.nx}));
    }
    frames.clear();
    places.clear();
    for (std::uint32_t i = 0; i < block.count; ++i) {
      frames.push_back(i);
      places.push_back(position++);
    }
    scan.add(block, frames, places);
  }
  if (position != sy * sx) reject("frames", std::to_string(sy * sx) + " of them", std::to_string(position));
  check_shape(wave, {sy, sx}, "wave");
  const Buffer<float2> field(sy * sx, stream);
  if (!scan.spectrum(position, field.data())) return false;
  Fft2(sy, sx, 1).inverse(field.data(), stream);
  ssb_waves(field.data(), 1 / static_cast<float>(sy * sx), wave, stream);
  return true;
}

}  // namespace crewe::cuda::imaging
