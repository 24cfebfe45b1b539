#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "crewe/checks.hpp"
#include "crewe/cuda/fft.hpp"
#include "crewe/cuda/sim/multislice.hpp"
#include "sim/state.hpp"

namespace crewe::cuda::sim {

namespace {

std::vector<std::uint32_t> all_columns(std::size_t nx) {
  std::vector<std::uint32_t> columns(nx);
  for (std::size_t k = 0; k < nx; ++k) columns[k] = static_cast<std::uint32_t>(k);
  return columns;
}

// exp(iσV) of slices (n, ny, nx).
struct Phase {
  const float* potential;
  float sigma;
  int ny, nx;
  __device__ float2 operator()(std::size_t slice, int y, int x) const {
    const std::size_t row = slice * static_cast<std::size_t>(ny) + static_cast<std::size_t>(y);
    float sine, cosine;
    sincosf(sigma * potential[row * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x)], &sine, &cosine);
    return make_float2(cosine, sine);
  }
};

// Into row tiles.
struct Tiles {
  static constexpr bool kTiles = true;
  float2* to;
  std::size_t size;
  int nx, lanes;
  __device__ void operator()(std::size_t slice, int y, int x, float2 value) const {
    const std::size_t at =
        static_cast<std::size_t>(y / lanes) * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x);
    to[slice * size + at * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(y % lanes)] = value;
  }
};

// Into images.
struct Images {
  static constexpr bool kTiles = false;
  float2* to;
  int ny, nx;
  __device__ void operator()(std::size_t wave, int y, int x, float2 value) const {
    const std::size_t row = wave * static_cast<std::size_t>(ny) + static_cast<std::size_t>(y);
    to[row * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x)] = value;
  }
};

// The wave in front of the specimen, (waves of a group, ny, nx) or 1 where it is null, times t.
struct Entering {
  const float2* waves;
  Transmission transmission;
  int ny, nx, lanes;
  __device__ float2 operator()(std::size_t wave, int y, int x) const {
    const std::size_t at =
        static_cast<std::size_t>(y / lanes) * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x);
    const float2 t = transmission.of(wave)[at * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(y % lanes)];
    if (waves == nullptr) return t;
    const std::size_t number = wave % static_cast<std::size_t>(transmission.waves_of_group);
    const std::size_t row = number * static_cast<std::size_t>(ny) + static_cast<std::size_t>(y);
    return times(waves[row * static_cast<std::size_t>(nx) + static_cast<std::size_t>(x)], t);
  }
};

// fields (waves, ny places, columns) = spectrum·exp(−2πi(ky·y + kx·x)), places (waves of a group) as parts of the cell.
__global__ void probe_spectra(const __grid_constant__ GridPlan grid, float2* fields, const float2* spectrum,
                              const double2* places, const int* ky, const int* kx, int waves_of_group, int blocks) {
  const std::size_t wave = blockIdx.x / static_cast<unsigned>(blocks);
  const std::size_t part = blockIdx.x % static_cast<unsigned>(blocks);
  const double2 place = places[wave % static_cast<std::size_t>(waves_of_group)];
  const std::size_t pixel = part * blockDim.x + threadIdx.x;
  if (pixel >= grid.field_size()) return;
  const std::size_t columns = static_cast<std::size_t>(grid.columns);
  const double turn =
      static_cast<double>(ky[pixel / columns]) * place.x + static_cast<double>(kx[pixel % columns]) * place.y;
  float sine, cosine;
  sincospif(static_cast<float>(-2.0 * (turn - rint(turn))), &sine, &cosine);
  fields[wave * grid.field_size() + pixel] = times(spectrum[pixel], make_float2(cosine, sine));
}

}  // namespace

Multislice::State::State(const MultisliceOptions& o, int d, std::size_t s)
    : options(o),
      device(d),
      scratch(s),
      band(o.dy, o.dx),
      y(o.ny, "y", stream),
      x(o.nx, "x", stream),
      grid(y, x, crewe::sim::kept_columns(o.nx, o.dx, band.cut), stream),
      whole(y, x, all_columns(o.nx), stream),
      limit(factor(0.0)) {
  for (const double thickness : options.thickness) propagators.push_back(factor(thickness));
  stream.synchronize();
}

Buffer<float2> Multislice::State::factor(double thickness) const {
  const std::size_t lanes = static_cast<std::size_t>(grid.plan().y.lanes), ny = grid.ny();
  std::vector<float2> table(grid.field_size(), make_float2(0.0F, 0.0F));
  const double scale = 1.0 / (static_cast<double>(ny) * static_cast<double>(grid.nx()));
  grid.for_each_pixel([&](std::size_t place, std::size_t column, std::size_t iy, std::size_t ix) {
    const double ky = crewe::sim::frequency(iy, ny) / (static_cast<double>(ny) * options.dy);
    const double kx = crewe::sim::frequency(ix, grid.nx()) / (static_cast<double>(grid.nx()) * options.dx);
    const std::complex<double> value =
        scale * crewe::sim::propagator(band, ky, kx, options.wavelength, thickness, options.tilt_y, options.tilt_x);
    table[(column / lanes * ny + place) * lanes + column % lanes] =
        make_float2(static_cast<float>(value.real()), static_cast<float>(value.imag()));
  });
  Buffer<float2> buffer(table.data(), table.size(), stream);
  stream.synchronize();
  return buffer;
}

void Multislice::State::transmit(const float* potential, std::size_t n, std::size_t first, float2* fields) const {
  const int ny = grid.plan().y.n, nx = grid.plan().x.n;
  grid.launch_rows(&rows_enter<Phase>, n, stream, fields,
                   Phase{potential, static_cast<float>(options.interaction), ny, nx});
  grid.launch_columns(&columns_step, n, stream, fields, static_cast<const float2*>(limit.data()));
  grid.launch_rows(
      &rows_exit<Tiles>, n, stream, static_cast<const float2*>(fields),
      Tiles{transmission.data() + first * grid.row_tiles_size(), grid.row_tiles_size(), nx, grid.plan().x.lanes});
}

void Multislice::State::check_slots(std::size_t first, std::size_t n) const {
  if (n > slots || first > slots - n) throw std::out_of_range("first: slots beyond the room that was reserved");
}

Multislice::Multislice(const MultisliceOptions& options, int device, std::size_t scratch) {
  crewe::sim::check_multislice(options);
  const UseDevice use(device);
  state_ = std::make_unique<State>(options, device, scratch);
}

Multislice::~Multislice() = default;

void Multislice::reserve(std::size_t n) {
  const UseDevice use(state_->device);
  state_->slots = 0;
  state_->transmission = Buffer<float2>();
  state_->transmission = Buffer<float2>(n * state_->grid.row_tiles_size(), state_->stream);
  state_->slots = n;
}

std::size_t Multislice::slots() const {
  return state_->slots;
}

std::size_t Multislice::slice_bytes() const {
  return state_->grid.row_tiles_size() * sizeof(float2);
}

std::size_t Multislice::wave_bytes() const {
  const Grid& grid = state_->grid;
  return grid.field_size() * (sizeof(float2) + sizeof(float)) + grid.ny() * grid.nx() * sizeof(float2);
}

void Multislice::synchronize() const {
  state_->stream.synchronize();
}

void Multislice::load(std::size_t first, View<const float, 3> potential) {
  const State& s = *state_;
  const std::size_t n = potential.shape[0], pixels = s.grid.ny() * s.grid.nx();
  check_shape(potential, {n, s.grid.ny(), s.grid.nx()}, "potential");
  check_contiguous(potential, "potential");
  s.check_slots(first, n);
  if (n == 0) return;
  const UseDevice use(s.device);
  const std::size_t each = pixels * sizeof(float) + s.grid.field_size() * sizeof(float2);
  const std::size_t few = std::min(n, std::max<std::size_t>(1, s.scratch / each));
  Buffer<float> slices(few * pixels, s.stream);
  Buffer<float2> fields(few * s.grid.field_size(), s.stream);
  for (std::size_t start = 0; start < n; start += few) {
    const std::size_t count = std::min(few, n - start);
    slices.put(potential.data + start * pixels, count * pixels);
    s.transmit(slices.data(), count, first + start, fields.data());
  }
  s.stream.synchronize();
}

Waves::Waves(const Multislice& engine, std::size_t groups, std::size_t count)
    : engine_(engine), groups_(groups), count_(count), state_(std::make_unique<State>()) {
  if (groups == 0 || count == 0) reject("groups, count", "at least one wave", shape_text(std::array{groups, count}));
  const Multislice::State& s = engine.state();
  const UseDevice use(s.device);
  state_->fields = Buffer<float2>(groups * count * s.grid.field_size(), s.stream);
}

Waves::~Waves() {
  cudaStreamSynchronize(engine_.state().stream);  // what it holds may still be read
}

const Waves::State& Waves::state() const {
  return *state_;
}

void Waves::set_waves(View<const std::complex<float>, 3> waves) {
  const Multislice::State& s = engine_.state();
  check_shape(waves, {count_, s.grid.ny(), s.grid.nx()}, "waves");
  check_contiguous(waves, "waves");
  const UseDevice use(s.device);
  state_->incoming = Buffer<float2>(reinterpret_cast<const float2*>(waves.data), waves.size(), s.stream);
  s.stream.synchronize();
  state_->entry = State::Entry::waves;
}

Probe::Probe(const Multislice& engine, View<const std::complex<double>, 2> spectrum)
    : state_(new State{engine, {}, {}, {}, {}, {}, {}}) {
  const Multislice::State& s = engine.state();
  const Grid& grid = s.grid;
  check_shape(spectrum, {grid.ny(), grid.nx()}, "spectrum");
  const UseDevice use(s.device);
  const double scale = 1.0 / (static_cast<double>(grid.ny()) * static_cast<double>(grid.nx()));
  state_->values.assign(grid.field_size(), make_float2(0.0F, 0.0F));
  state_->ky.assign(grid.ny(), 0);
  state_->kx.assign(grid.columns(), 0);
  grid.for_each_pixel([&](std::size_t place, std::size_t column, std::size_t iy, std::size_t ix) {
    const std::complex<double> value = scale * spectrum(iy, ix);
    state_->values[place * grid.columns() + column] =
        make_float2(static_cast<float>(value.real()), static_cast<float>(value.imag()));
    state_->ky[place] = static_cast<int>(crewe::sim::frequency(iy, grid.ny()));
    state_->kx[column] = static_cast<int>(crewe::sim::frequency(ix, grid.nx()));
  });
  state_->spectrum = Buffer<float2>(state_->values.data(), state_->values.size(), s.stream);
  state_->along_y = Buffer<int>(state_->ky.data(), state_->ky.size(), s.stream);
  state_->along_x = Buffer<int>(state_->kx.data(), state_->kx.size(), s.stream);
  s.stream.synchronize();
}

Probe::~Probe() = default;

void Waves::set_probes(const Probe& probe, View<const double, 2> positions) {
  const Multislice::State& s = engine_.state();
  const Grid& grid = s.grid;
  check_shape(positions, {count_, 2}, "positions");
  if (&probe.state().engine != &engine_) throw std::invalid_argument("probe: one of the same engine wanted");
  const UseDevice use(s.device);
  std::vector<double2>& places = state_->held_places;
  places.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    const double y = positions(i, std::size_t{0}) / (static_cast<double>(grid.ny()) * s.options.dy);
    const double x = positions(i, std::size_t{1}) / (static_cast<double>(grid.nx()) * s.options.dx);
    places[i] = make_double2(y - std::floor(y), x - std::floor(x));
  }
  const Buffer<double2> where(places.data(), places.size(), s.stream);
  const unsigned blocks = blocks_of(grid.field_size(), 256);
  launch(&probe_spectra, dim3(static_cast<unsigned>(groups_ * count_) * blocks), dim3(256), 0, s.stream, grid.plan(),
         state_->fields.data(), probe.state().spectrum.data(), where.data(), probe.state().along_y.data(),
         probe.state().along_x.data(), static_cast<int>(count_), static_cast<int>(blocks));
  grid.launch_columns(&columns_inverse, groups_ * count_, s.stream, state_->fields.data());
  state_->entry = State::Entry::passed;
}

void Waves::advance(View<const std::uint32_t, 2> slot, std::span<const std::uint32_t> propagator) {
  const Multislice::State& s = engine_.state();
  const std::size_t slices = propagator.size();
  check_shape(slot, {groups_, slices}, "slot");
  check_contiguous(slot, "slot");
  for (std::size_t i = 0; i < slot.size(); ++i) {
    if (slot.data[i] >= s.slots) throw std::out_of_range("slot: a slice that isn't loaded");
  }
  for (const std::uint32_t p : propagator) {
    if (p >= s.propagators.size()) throw std::out_of_range("propagator: one that isn't there");
  }
  if (slices == 0) return;
  const UseDevice use(s.device);
  std::vector<std::uint32_t>& held = state_->held_slots.emplace_back(slot.data, slot.data + slot.size());
  state_->slot = Buffer<std::uint32_t>(held.data(), held.size(), s.stream);
  Transmission transmission{
      s.transmission.data(),   s.grid.row_tiles_size(), state_->slot.data(), static_cast<int>(slices), 0,
      static_cast<int>(count_)};
  const std::size_t waves = groups_ * count_;
  const GridPlan& plan = s.grid.plan();
  float2* fields = state_->fields.data();
  for (std::size_t i = 0; i < slices; ++i) {
    transmission.slice = static_cast<int>(i);
    if (i > 0 || state_->entry == State::Entry::passed) {
      s.grid.launch_rows(&rows_step, waves, s.stream, fields, transmission);
    } else {
      const float2* from = state_->entry == State::Entry::plane ? nullptr : state_->incoming.data();
      s.grid.launch_rows(&rows_enter<Entering>, waves, s.stream, fields,
                         Entering{from, transmission, plan.y.n, plan.x.n, plan.x.lanes});
    }
    s.grid.launch_columns(&columns_step, waves, s.stream, fields,
                          static_cast<const float2*>(s.propagators[propagator[i]].data()));
  }
  state_->entry = State::Entry::passed;
  state_->incoming = Buffer<float2>();
}

void Waves::wave(std::size_t group, View<std::complex<float>, 3> out) const {
  const Multislice::State& s = engine_.state();
  const Grid& grid = s.grid;
  if (group >= groups_) throw std::out_of_range("group: one that isn't there");
  check_shape(out, {count_, grid.ny(), grid.nx()}, "out");
  check_contiguous(out, "out");
  if (state_->entry != State::Entry::passed) throw std::invalid_argument("waves: they haven't passed a slice yet");
  const UseDevice use(s.device);
  const Buffer<float2> images(out.size(), s.stream);
  const float2* fields = state_->fields.data() + group * count_ * grid.field_size();
  grid.launch_rows(&rows_exit<Images>, count_, s.stream, fields,
                   Images{images.data(), grid.plan().y.n, grid.plan().x.n});
  images.get(reinterpret_cast<float2*>(out.data), out.size());
  s.stream.synchronize();
}

struct TransformPairs::State {
  int device;
  Stream stream;
  Fft2 fft;
  Buffer<float2> waves;
};

TransformPairs::TransformPairs(std::size_t ny, std::size_t nx, std::size_t batch, int device) {
  const UseDevice use(device);
  state_ = std::unique_ptr<State>(new State{device, {}, Fft2(ny, nx, batch), {}});
  state_->waves = Buffer<float2>(ny * nx * batch, state_->stream);
  state_->waves.zero();  // all else would grow by ny·nx with each pair, to infinity
}

TransformPairs::~TransformPairs() = default;

void TransformPairs::run(std::size_t pairs) const {
  const UseDevice use(state_->device);
  for (std::size_t i = 0; i < pairs; ++i) {
    state_->fft.forward(state_->waves.data(), state_->stream);
    state_->fft.inverse(state_->waves.data(), state_->stream);
  }
  state_->stream.synchronize();
}

}  // namespace crewe::cuda::sim
