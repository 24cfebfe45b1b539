#include "crewe/sim/multislice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numbers>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "crewe/checks.hpp"
#include "crewe/parallel.hpp"
#include "crewe/sim/propagator.hpp"
#include "sim/field.hpp"

namespace crewe::sim {

using fft::Buffer;

namespace {

std::size_t thread_count(int threads) {
  return threads > 0 ? static_cast<std::size_t>(threads) : std::max(1U, std::thread::hardware_concurrency());
}

// |F{ψ}|² per |columns forward|²: a field is F{ψ}/(nx·ny) along x and y transformed back along y.
double spectrum_scale(std::size_t nx) {
  return static_cast<double>(nx) * static_cast<double>(nx);
}

}  // namespace

template <class T>
struct Multislice<T>::State {
  MultisliceOptions options;
  BandLimit band;
  Field2D<T> grid;
  std::vector<Buffer<T>> propagators;  // A·P/(ny·nx)
  Buffer<T> limit;                     // A/(ny·nx)
  std::vector<Buffer<T>> transmission;

  explicit State(const MultisliceOptions& o)
      : options(o), band(o.dy, o.dx), grid(o.ny, o.nx, kept_columns(o.nx, o.dx, band.cut)) {}

  Buffer<T> factor(double thickness) const {
    Buffer<T> table(grid.column_factor_size());
    const double scale = 1.0 / (static_cast<double>(options.ny) * static_cast<double>(options.nx));
    for (std::size_t y = 0; y < options.ny; ++y) {
      const double ky = frequency(y, options.ny) / (static_cast<double>(options.ny) * options.dy);
      for (std::size_t c = 0; c < grid.columns().size(); ++c) {
        const double kx = frequency(grid.columns()[c], options.nx) / (static_cast<double>(options.nx) * options.dx);
        const std::complex<double> value =
            scale * propagator(band, ky, kx, options.wavelength, thickness, options.tilt_y, options.tilt_x);
        T* to = table.data() + grid.column_factor_at(y, c);
        to[0] = static_cast<T>(value.real());
        to[grid.lanes()] = static_cast<T>(value.imag());
      }
    }
    return table;
  }
};

void check_multislice(const MultisliceOptions& options) {
  if (!(options.dy > 0) || !(options.dx > 0)) {
    reject("sampling", "positive numbers [Å]", std::to_string(options.dy) + " and " + std::to_string(options.dx));
  }
  if (!(options.wavelength > 0)) reject("wavelength", "a positive number [Å]", std::to_string(options.wavelength));
  if (!std::isfinite(options.interaction)) {
    reject("interaction", "a finite number [rad/(V·Å)]", std::to_string(options.interaction));
  }
}

template <class T>
Multislice<T>::Multislice(const MultisliceOptions& options) {
  check_multislice(options);
  state_ = std::make_unique<State>(options);
  state_->limit = state_->factor(0.0);
  for (const double thickness : options.thickness) state_->propagators.push_back(state_->factor(thickness));
}

template <class T>
Multislice<T>::~Multislice() = default;

template <class T>
std::size_t Multislice<T>::slices() const {
  return state_->transmission.size();
}

template <class T>
std::size_t Multislice<T>::slice_bytes() const {
  return state_->grid.row_factor_size() * sizeof(T);
}

template <class T>
std::size_t Multislice<T>::wave_bytes() const {
  return state_->grid.field_size() * sizeof(T);
}

template <class T>
void Multislice<T>::reserve(std::size_t n) {
  state_->transmission.resize(n);
  for (Buffer<T>& function : state_->transmission) {
    if (function.size() == 0) function = Buffer<T>(state_->grid.row_factor_size());
  }
}

template <class T>
void Multislice<T>::load(std::size_t at, View<const T, 3> potential, int threads) {
  State& state = *state_;
  const Field2D<T>& grid = state.grid;
  const std::size_t n = potential.shape[0], room = state.transmission.size();
  check_shape(potential, {n, grid.ny(), grid.nx()}, "potential");
  check_contiguous(potential, "potential");
  if (n > room || at > room - n) throw std::out_of_range("first: slices beyond the room that was reserved");
  const T sigma = static_cast<T>(state.options.interaction);
  parallel_for(n, 1, threads, [&](std::size_t begin, std::size_t end) {
    Buffer<T> field(grid.field_size());
    const Sweep<T> rows = grid.all_rows(field.data());
    for (std::size_t s = begin; s < end; ++s) {
      CREWE_SIMD_CALL(rows_enter_phase, rows, potential.data + s * grid.ny() * grid.nx(), sigma);
      CREWE_SIMD_CALL(columns_step, grid.all_columns(field.data()), state.limit.data());
      CREWE_SIMD_CALL(rows_exit, rows, state.transmission[at + s].data());
    }
  });
}

template <class T>
struct Waves<T>::State {
  Buffer<T> fields;              // count · field_size
  Buffer<std::complex<T>> real;  // waves before the first slice, or nothing
  bool plane = true;             // ψ = 1, before the first slice
  bool started = false;          // the fields hold the waves
};

template <class T>
Waves<T>::Waves(const Multislice<T>& engine, std::size_t count)
    : engine_(engine), count_(count), state_(std::make_unique<State>()) {
  if (count > std::numeric_limits<std::size_t>::max() / engine.wave_bytes()) throw std::bad_alloc();
  state_->fields = Buffer<T>(count * engine.state_->grid.field_size());
}

template <class T>
Waves<T>::~Waves() = default;

template <class T>
void Waves<T>::set_waves(View<const std::complex<T>, 3> waves) {
  const Field2D<T>& grid = engine_.state_->grid;
  check_shape(waves, {count_, grid.ny(), grid.nx()}, "waves");
  check_contiguous(waves, "waves");
  state_->real = Buffer<std::complex<T>>(waves.size());
  std::copy_n(waves.data, waves.size(), state_->real.data());
  state_->plane = false;
  state_->started = false;
}

template <class T>
void Waves<T>::set_probes(View<const std::complex<double>, 2> spectrum, View<const double, 2> positions, int threads) {
  const Field2D<T>& grid = engine_.state_->grid;
  const MultisliceOptions& options = engine_.state_->options;
  check_shape(spectrum, {grid.ny(), grid.nx()}, "spectrum");
  check_shape(positions, {count_, 2}, "positions");
  struct Component {
    std::size_t at, ky, column;
    std::complex<double> value;
  };
  std::vector<Component> components;
  const double scale = 1.0 / (static_cast<double>(grid.ny()) * static_cast<double>(grid.nx()));
  for (std::size_t ky = 0; ky < grid.ny(); ++ky) {
    for (std::size_t c = 0; c < grid.columns().size(); ++c) {
      const std::complex<double> value = spectrum(ky, grid.columns()[c]);
      if (value != 0.0) components.push_back({grid.spectrum_at(ky, c), ky, c, scale * value});
    }
  }
  const auto ramp = [](std::size_t k, std::size_t n, double place) {
    const double angle = -2.0 * std::numbers::pi * frequency(k, n) * (place - std::floor(place));
    return std::complex<double>(std::cos(angle), std::sin(angle));
  };
  parallel_for(count_, 1, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<std::complex<double>> along_y(grid.ny()), along_x(grid.columns().size());
    for (std::size_t i = begin; i < end; ++i) {
      T* field = state_->fields.data() + i * grid.field_size();
      std::fill_n(field, grid.field_size(), T(0));
      const double y = positions(i, std::size_t{0}) / (static_cast<double>(grid.ny()) * options.dy);
      const double x = positions(i, std::size_t{1}) / (static_cast<double>(grid.nx()) * options.dx);
      for (std::size_t k = 0; k < along_y.size(); ++k) along_y[k] = ramp(k, grid.ny(), y);
      for (std::size_t c = 0; c < along_x.size(); ++c) along_x[c] = ramp(grid.columns()[c], grid.nx(), x);
      for (const Component& component : components) {
        const std::complex<double> value = component.value * along_y[component.ky] * along_x[component.column];
        field[component.at] = static_cast<T>(value.real());
        field[component.at + grid.lanes()] = static_cast<T>(value.imag());
      }
      CREWE_SIMD_CALL(columns_inverse, grid.all_columns(field));
    }
  });
  state_->plane = false;
  state_->started = true;
}

template <class T>
void Waves<T>::advance(std::span<const std::uint32_t> transmission, std::span<const std::uint32_t> propagator,
                       int threads) {
  const auto& engine = *engine_.state_;
  const Field2D<T>& grid = engine.grid;
  if (transmission.size() != propagator.size()) {
    reject("propagator", std::to_string(transmission.size()) + " indices, as of transmission,",
           std::to_string(propagator.size()));
  }
  for (std::size_t s = 0; s < transmission.size(); ++s) {
    if (transmission[s] >= engine.transmission.size())
      throw std::out_of_range("transmission: a slice that isn't loaded");
    if (propagator[s] >= engine.propagators.size()) throw std::out_of_range("propagator: one that isn't there");
  }
  if (transmission.empty()) return;
  const bool entering = !state_->started;
  const auto rows = [&](std::size_t wave, std::size_t s, std::size_t first, std::size_t last) {
    const Sweep<T> sweep = grid.sweep(state_->fields.data() + wave * grid.field_size(), first, last);
    const T* factor = engine.transmission[transmission[s]].data();
    if (s > 0 || !entering) {
      CREWE_SIMD_CALL(rows_step, sweep, factor);
    } else {
      const std::complex<T>* from = state_->plane ? nullptr : state_->real.data() + wave * grid.ny() * grid.nx();
      CREWE_SIMD_CALL(rows_enter, sweep, reinterpret_cast<const T*>(from), factor);
    }
  };
  const auto columns = [&](std::size_t wave, std::size_t s, std::size_t first, std::size_t last) {
    const Sweep<T> sweep = grid.sweep(state_->fields.data() + wave * grid.field_size(), first, last);
    CREWE_SIMD_CALL(columns_step, sweep, engine.propagators[propagator[s]].data());
  };
  const std::size_t workers = thread_count(threads);
  if (count_ >= workers) {
    parallel_for(count_, 1, threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t wave = begin; wave < end; ++wave) {
        for (std::size_t s = 0; s < transmission.size(); ++s) {
          rows(wave, s, 0, grid.row_groups());
          columns(wave, s, 0, grid.column_groups());
        }
      }
    });
  } else {
    const std::size_t row_grain = std::max<std::size_t>(1, grid.row_groups() / (4 * workers));
    const std::size_t column_grain = std::max<std::size_t>(1, grid.column_groups() / (4 * workers));
    for (std::size_t wave = 0; wave < count_; ++wave) {
      for (std::size_t s = 0; s < transmission.size(); ++s) {
        parallel_for(grid.row_groups(), row_grain, threads,
                     [&](std::size_t first, std::size_t last) { rows(wave, s, first, last); });
        parallel_for(grid.column_groups(), column_grain, threads,
                     [&](std::size_t first, std::size_t last) { columns(wave, s, first, last); });
      }
    }
  }
  state_->started = true;
  state_->plane = false;
  state_->real = Buffer<std::complex<T>>();
}

template <class T>
void Waves<T>::wave(View<std::complex<T>, 3> out, int threads) const {
  const Field2D<T>& grid = engine_.state_->grid;
  const std::size_t pixels = grid.ny() * grid.nx();
  check_shape(out, {count_, grid.ny(), grid.nx()}, "out");
  check_contiguous(out, "out");
  if (!state_->started) {
    if (state_->plane)
      std::fill_n(out.data, out.size(), std::complex<T>(1));
    else
      std::copy_n(state_->real.data(), out.size(), out.data);
    return;
  }
  parallel_for(count_, 1, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Sweep<T> sweep = grid.all_rows(state_->fields.data() + i * grid.field_size());
      CREWE_SIMD_CALL(rows_exit_wave, sweep, reinterpret_cast<T*>(out.data + i * pixels));
    }
  });
}

// f(wave, its spectrum in the layout of the field) for all waves.
template <class T>
template <class F>
void Waves<T>::for_each_spectrum(int threads, F f) const {
  if (!state_->started) throw std::invalid_argument("waves: a spectrum is made by the first slice, none was passed");
  const Field2D<T>& grid = engine_.state_->grid;
  parallel_for(count_, 1, threads, [&](std::size_t begin, std::size_t end) {
    Buffer<T> spectrum(grid.field_size());
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(state_->fields.data() + i * grid.field_size(), grid.field_size(), spectrum.data());
      CREWE_SIMD_CALL(columns_forward, grid.all_columns(spectrum.data()));
      f(i, spectrum.data());
    }
  });
}

template <class T>
template <class Out>
void Waves<T>::add_intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                             View<Out, 3> out, int threads) const {
  const Field2D<T>& grid = engine_.state_->grid;
  if (row.size() != grid.ny()) reject("row", std::to_string(grid.ny()) + " numbers", std::to_string(row.size()));
  if (column.size() != grid.nx()) {
    reject("column", std::to_string(grid.nx()) + " numbers", std::to_string(column.size()));
  }
  check_shape(out, {count_, out.shape[1], out.shape[2]}, "out");
  for (const std::int32_t r : row) {
    if (r >= static_cast<std::int64_t>(out.shape[1])) throw std::out_of_range("row: one beyond the output");
  }
  for (const std::int32_t c : column) {
    if (c >= static_cast<std::int64_t>(out.shape[2])) throw std::out_of_range("column: one beyond the output");
  }
  const Out scale = static_cast<Out>(weight * spectrum_scale(grid.nx()));
  for_each_spectrum(threads, [&](std::size_t i, const T* spectrum) {
    const View<Out, 2> image = out[i];
    for (std::size_t ky = 0; ky < grid.ny(); ++ky) {
      if (row[ky] < 0) continue;
      for (std::size_t c = 0; c < grid.columns().size(); ++c) {
        const std::int32_t to = column[grid.columns()[c]];
        if (to < 0) continue;
        const T* at = spectrum + grid.spectrum_at(ky, c);
        const T re = at[0], im = at[grid.lanes()];
        image(static_cast<std::size_t>(row[ky]), static_cast<std::size_t>(to)) +=
            scale * static_cast<Out>(re * re + im * im);
      }
    }
  });
}

template <class T>
void Waves<T>::intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                         View<float, 3> out, int threads) const {
  add_intensity(row, column, weight, out, threads);
}

template <class T>
void Waves<T>::intensity(std::span<const std::int32_t> row, std::span<const std::int32_t> column, double weight,
                         View<double, 3> out, int threads) const {
  add_intensity(row, column, weight, out, threads);
}

template <class T>
void Waves<T>::signals(View<const float, 3> detectors, double weight, View<double, 2> out, int threads) const {
  const Field2D<T>& grid = engine_.state_->grid;
  const std::size_t n = detectors.shape[0];
  check_shape(detectors, {n, grid.ny(), grid.nx()}, "detectors");
  check_shape(out, {count_, n}, "out");
  for_each_spectrum(threads, [&](std::size_t i, const T* spectrum) {
    std::vector<double> sums(n, 0.0);
    for (std::size_t ky = 0; ky < grid.ny(); ++ky) {
      for (std::size_t c = 0; c < grid.columns().size(); ++c) {
        const T* at = spectrum + grid.spectrum_at(ky, c);
        const double re = static_cast<double>(at[0]), im = static_cast<double>(at[grid.lanes()]);
        const double power = re * re + im * im;
        for (std::size_t d = 0; d < n; ++d) {
          sums[d] += power * static_cast<double>(detectors(d, ky, grid.columns()[c]));
        }
      }
    }
    for (std::size_t d = 0; d < n; ++d) out(i, d) += weight * spectrum_scale(grid.nx()) * sums[d];
  });
}

template <class T>
void transform_pairs(std::complex<T>* data, std::size_t ny, std::size_t nx, std::size_t pairs) {
  const Field2D<T> grid(ny, nx);
  Buffer<T> field(grid.field_size());
  const Sweep<T> rows = grid.all_rows(field.data()), columns = grid.all_columns(field.data());
  CREWE_SIMD_CALL(rows_enter, rows, reinterpret_cast<const T*>(data), static_cast<const T*>(nullptr));
  for (std::size_t i = 0; i < pairs; ++i) {
    CREWE_SIMD_CALL(columns_step, columns, static_cast<const T*>(nullptr));
    if (i + 1 < pairs) CREWE_SIMD_CALL(rows_step, rows, static_cast<const T*>(nullptr));
  }
  CREWE_SIMD_CALL(rows_exit_wave, rows, reinterpret_cast<T*>(data));
}

template class Multislice<float>;
template class Multislice<double>;
template class Waves<float>;
template class Waves<double>;
template void transform_pairs(std::complex<float>*, std::size_t, std::size_t, std::size_t);
template void transform_pairs(std::complex<double>*, std::size_t, std::size_t, std::size_t);

}  // namespace crewe::sim
