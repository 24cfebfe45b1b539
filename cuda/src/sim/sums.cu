// Sums over waves: patterns, signals of detectors, mean waves. Behind a plane of interest the waves are transformed
// along y once, their power is written once (4 B for each kept pixel) and read once per detector; order of summation
// fixed.
#include <stdexcept>

#include "crewe/checks.hpp"
#include "sim/state.hpp"

namespace crewe::cuda::sim {

namespace {

// |F{ψ}|² per |columns forward|²: a field is F{ψ}/(nx·ny) along x and y transformed back along y.
double spectrum_scale(const Grid& grid) {
  return static_cast<double>(grid.nx()) * static_cast<double>(grid.nx());
}

// (waves, ny places, columns).
Buffer<float> power_of(const Waves& waves) {
  const Multislice::State& s = waves.engine().state();
  if (waves.state().entry != Waves::State::Entry::passed) {
    throw std::invalid_argument("waves: a spectrum is made by the first slice, none was passed");
  }
  const std::size_t count = waves.groups() * waves.count();
  Buffer<float> power(count * s.grid.field_size(), s.stream);
  s.grid.launch_columns(&columns_power, count, s.stream, waves.state().fields.data(), power.data());
  return power;
}

void check_waves(const Multislice& engine, const Waves& waves, std::size_t count) {
  if (&waves.engine() != &engine || waves.count() != count) {
    throw std::invalid_argument("waves: of the same engine, as many as begun with, wanted");
  }
}

// Pixels that make up one of the output: list[start[i]] … list[start[i + 1] − 1].
struct Bins {
  std::vector<int> start, list;
  Bins(std::span<const std::int32_t> to, const std::vector<std::int32_t>& frequency, std::size_t size) {
    std::vector<std::vector<int>> members(size);
    for (std::size_t i = 0; i < frequency.size(); ++i) {
      if (frequency[i] < 0 || to[static_cast<std::size_t>(frequency[i])] < 0) continue;
      members.at(static_cast<std::size_t>(to[static_cast<std::size_t>(frequency[i])])).push_back(static_cast<int>(i));
    }
    for (const std::vector<int>& each : members) {
      start.push_back(static_cast<int>(list.size()));
      list.insert(list.end(), each.begin(), each.end());
    }
    start.push_back(static_cast<int>(list.size()));
    list.push_back(0);  // never read; no buffer is empty
  }
};

struct DeviceBins {
  const int *row_start, *row, *column_start, *column;
};

// One thread per pixel of the output; pixels of a position follow each other.
__global__ void add_patterns(const float* power, int ny, int columns, int groups, int count, DeviceBins bins, int oy,
                             int ox, float weight, float* out) {
  const std::size_t pixels = static_cast<std::size_t>(oy) * static_cast<std::size_t>(ox);
  const std::size_t at = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= static_cast<std::size_t>(count) * pixels) return;
  const std::size_t position = at / pixels, pixel = at % pixels;
  const int y = static_cast<int>(pixel / static_cast<std::size_t>(ox)),
            x = static_cast<int>(pixel % static_cast<std::size_t>(ox));
  const std::size_t field = static_cast<std::size_t>(ny) * static_cast<std::size_t>(columns);
  float sum = 0.0F;
  for (int g = 0; g < groups; ++g) {
    const float* from = power + (static_cast<std::size_t>(g) * static_cast<std::size_t>(count) + position) * field;
    for (int r = bins.row_start[y]; r < bins.row_start[y + 1]; ++r) {
      const float* row = from + static_cast<std::size_t>(bins.row[r]) * static_cast<std::size_t>(columns);
      for (int c = bins.column_start[x]; c < bins.column_start[x + 1]; ++c) sum += row[bins.column[c]];
    }
  }
  out[at] += weight * sum;
}

// One block per position (x) and detector (y).
__global__ void add_signals(const float* power, const float* detectors, std::size_t field, int groups, double weight,
                            double* out) {
  __shared__ double parts[32];
  const float* detector = detectors + blockIdx.y * field;
  double sum = 0.0;
  for (int g = 0; g < groups; ++g) {
    const float* from = power + (static_cast<std::size_t>(g) * gridDim.x + blockIdx.x) * field;
    for (std::size_t i = threadIdx.x; i < field; i += blockDim.x) {
      sum += static_cast<double>(from[i]) * static_cast<double>(detector[i]);
    }
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(kWholeWarp, sum, static_cast<unsigned>(step));
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned w = 1; w < blockDim.x / kWarp; ++w) sum += parts[w];
    out[blockIdx.x * gridDim.y + blockIdx.y] += weight * sum;
  }
}

// Onto images.
struct Weighted {
  static constexpr bool kTiles = false;
  float2* to;
  float weight;
  int ny, nx;
  __device__ void operator()(std::size_t wave, int y, int x, float2 value) const {
    const std::size_t row = wave * static_cast<std::size_t>(ny) + static_cast<std::size_t>(y);
    float2& at = to[row * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x)];
    at = make_float2(at.x + weight * value.x, at.y + weight * value.y);
  }
};

template <class T, class U>
void fetch(const Buffer<T>& sums, U* out, std::size_t wanted, const Multislice::State& s) {
  if (wanted != sums.size()) reject("out", std::to_string(sums.size()) + " numbers", std::to_string(wanted));
  const UseDevice use(s.device);
  sums.get(reinterpret_cast<T*>(out), sums.size());
  s.stream.synchronize();
}

}  // namespace

struct Patterns::State {
  const Multislice& engine;
  std::size_t oy, ox, count = 0;
  Bins rows, columns;
  Buffer<int> row_start, row, column_start, column;
  Buffer<float> sums;
};

Patterns::Patterns(const Multislice& engine, std::span<const std::int32_t> row, std::span<const std::int32_t> column,
                   std::size_t oy, std::size_t ox) {
  const Multislice::State& s = engine.state();
  if (row.size() != s.grid.ny()) reject("row", std::to_string(s.grid.ny()) + " numbers", std::to_string(row.size()));
  if (column.size() != s.grid.nx()) {
    reject("column", std::to_string(s.grid.nx()) + " numbers", std::to_string(column.size()));
  }
  if (oy == 0 || ox == 0) reject("oy, ox", "1 or more", shape_text(std::array{oy, ox}));
  const UseDevice use(s.device);
  state_ = std::unique_ptr<State>(new State{engine,
                                            oy,
                                            ox,
                                            0,
                                            Bins(row, s.grid.place_frequency(), oy),
                                            Bins(column, s.grid.column_frequency(), ox),
                                            {},
                                            {},
                                            {},
                                            {},
                                            {}});
  const auto copied = [&](const std::vector<int>& values) {
    return Buffer<int>(values.data(), values.size(), s.stream);
  };
  state_->row_start = copied(state_->rows.start);
  state_->row = copied(state_->rows.list);
  state_->column_start = copied(state_->columns.start);
  state_->column = copied(state_->columns.list);
  s.stream.synchronize();
}
Patterns::~Patterns() = default;

void Patterns::begin(std::size_t count) {
  const Multislice::State& s = state_->engine.state();
  const UseDevice use(s.device);
  state_->count = count;
  state_->sums = Buffer<float>();
  state_->sums = Buffer<float>(count * state_->oy * state_->ox, s.stream);
  state_->sums.zero();
}

void Patterns::add(const Waves& waves, double weight) {
  const bool all = state_->count == 1;
  check_waves(state_->engine, waves, all ? waves.count() : state_->count);
  const Multislice::State& s = state_->engine.state();
  const UseDevice use(s.device);
  const Buffer<float> power = power_of(waves);
  const DeviceBins bins{state_->row_start.data(), state_->row.data(), state_->column_start.data(),
                        state_->column.data()};
  launch(&add_patterns, dim3(blocks_of(state_->sums.size(), 256)), dim3(256), 0, s.stream, power.data(),
         static_cast<int>(s.grid.ny()), static_cast<int>(s.grid.columns()),
         static_cast<int>(all ? waves.groups() * waves.count() : waves.groups()), static_cast<int>(state_->count), bins,
         static_cast<int>(state_->oy), static_cast<int>(state_->ox),
         static_cast<float>(weight * spectrum_scale(s.grid)), state_->sums.data());
}

void Patterns::result(View<float, 3> out) const {
  check_contiguous(out, "out");
  fetch(state_->sums, out.data, out.size(), state_->engine.state());
}

struct Signals::State {
  const Multislice& engine;
  std::size_t detectors, count = 0;
  Buffer<float> weights;
  Buffer<double> sums;
};

Signals::Signals(const Multislice& engine, View<const float, 3> detectors) {
  const Multislice::State& s = engine.state();
  const Grid& grid = s.grid;
  const std::size_t n = detectors.shape[0];
  if (n == 0) reject("detectors", "at least one", "none");
  check_shape(detectors, {n, grid.ny(), grid.nx()}, "detectors");
  const UseDevice use(s.device);
  std::vector<float> weights(n * grid.field_size(), 0.0F);
  for (std::size_t d = 0; d < n; ++d) {
    grid.for_each_pixel([&](std::size_t place, std::size_t column, std::size_t iy, std::size_t ix) {
      weights[d * grid.field_size() + place * grid.columns() + column] = detectors(d, iy, ix);
    });
  }
  state_ = std::unique_ptr<State>(new State{engine, n, 0, Buffer<float>(weights.data(), weights.size(), s.stream), {}});
  s.stream.synchronize();
}
Signals::~Signals() = default;

void Signals::begin(std::size_t count) {
  const Multislice::State& s = state_->engine.state();
  const UseDevice use(s.device);
  state_->count = count;
  state_->sums = Buffer<double>(count * state_->detectors, s.stream);
  state_->sums.zero();
}

void Signals::add(const Waves& waves, double weight) {
  check_waves(state_->engine, waves, state_->count);
  const Multislice::State& s = state_->engine.state();
  const UseDevice use(s.device);
  const Buffer<float> power = power_of(waves);
  launch(&add_signals, dim3(static_cast<unsigned>(waves.count()), static_cast<unsigned>(state_->detectors)), dim3(256),
         0, s.stream, power.data(), state_->weights.data(), s.grid.field_size(), static_cast<int>(waves.groups()),
         weight * spectrum_scale(s.grid), state_->sums.data());
}

void Signals::result(View<double, 2> out) const {
  check_contiguous(out, "out");
  fetch(state_->sums, out.data, out.size(), state_->engine.state());
}

struct WaveSums::State {
  const Multislice& engine;
  std::size_t count = 0;
  Buffer<float2> sums;
};

WaveSums::WaveSums(const Multislice& engine) : state_(new State{engine, 0, {}}) {}
WaveSums::~WaveSums() = default;

void WaveSums::begin(std::size_t count) {
  const Multislice::State& s = state_->engine.state();
  const UseDevice use(s.device);
  state_->count = count;
  state_->sums = Buffer<float2>();
  state_->sums = Buffer<float2>(count * s.grid.ny() * s.grid.nx(), s.stream);
  state_->sums.zero();
}

void WaveSums::add(const Waves& waves, double weight) {
  check_waves(state_->engine, waves, state_->count);
  const Multislice::State& s = state_->engine.state();
  const Grid& grid = s.grid;
  if (waves.state().entry != Waves::State::Entry::passed) {
    throw std::invalid_argument("waves: they haven't passed a slice yet");
  }
  const UseDevice use(s.device);
  for (std::size_t group = 0; group < waves.groups(); ++group) {
    const float2* fields = waves.state().fields.data() + group * waves.count() * grid.field_size();
    grid.launch_rows(&rows_exit<Weighted>, waves.count(), s.stream, fields,
                     Weighted{state_->sums.data(), static_cast<float>(weight), grid.plan().y.n, grid.plan().x.n});
  }
}

void WaveSums::result(View<std::complex<float>, 3> out) const {
  check_contiguous(out, "out");
  fetch(state_->sums, out.data, out.size(), state_->engine.state());
}

}  // namespace crewe::cuda::sim
