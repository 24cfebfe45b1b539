// What the parts of the multislice on the device share: tables of the grid, engine and waves.
#pragma once

#include <algorithm>
#include <bit>
#include <complex>
#include <cstdint>
#include <vector>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/sim/multislice.hpp"
#include "crewe/cuda/stream.hpp"
#include "crewe/sim/propagator.hpp"
#include "sim/sweeps.hpp"

namespace crewe::cuda::sim {

// Transforms of lines of n samples: the plan, and what it points to.
class LineTables {
 public:
  LineTables(std::size_t n, const char* axis, cudaStream_t stream);
  const LinePlan& plan() const { return plan_; }
  // Place of each frequency in a transformed line.
  const std::vector<std::uint32_t>& order() const { return order_; }

 private:
  LinePlan plan_;
  std::vector<std::uint32_t> order_;
  std::vector<float2> factors_;
  Buffer<float2> twiddle_;
};

// A grid of which some columns are kept.
class Grid {
 public:
  Grid(const LineTables& y, const LineTables& x, const std::vector<std::uint32_t>& kept, cudaStream_t stream);
  const GridPlan& plan() const { return plan_; }
  std::size_t ny() const { return static_cast<std::size_t>(plan_.y.n); }
  std::size_t nx() const { return static_cast<std::size_t>(plan_.x.n); }
  std::size_t columns() const { return static_cast<std::size_t>(plan_.columns); }
  std::size_t field_size() const { return ny() * columns(); }
  std::size_t row_tiles_size() const;
  // Frequency along x of each column, −1: padding; along y of each place.
  const std::vector<std::int32_t>& column_frequency() const { return column_frequency_; }
  const std::vector<std::int32_t>& place_frequency() const { return place_frequency_; }

  // f(place, column, ky, kx) for all kept pixels of a spectrum.
  template <class F>
  void for_each_pixel(const F& f) const {
    for (std::size_t place = 0; place < ny(); ++place) {
      for (std::size_t column = 0; column < columns(); ++column) {
        if (column_frequency_[column] < 0) continue;
        f(place, column, static_cast<std::size_t>(place_frequency_[place]),
          static_cast<std::size_t>(column_frequency_[column]));
      }
    }
  }

  template <class... P, class... A>
  void launch_rows(void (*kernel)(P...), std::size_t waves, cudaStream_t stream, const A&... arguments) const {
    launch_lines(plan_.x, waves * static_cast<std::size_t>(plan_.row_blocks), kernel, stream, arguments...);
  }
  template <class... P, class... A>
  void launch_columns(void (*kernel)(P...), std::size_t waves, cudaStream_t stream, const A&... arguments) const {
    launch_lines(plan_.y, waves * static_cast<std::size_t>(plan_.column_blocks), kernel, stream, arguments...);
  }

 private:
  template <class... P, class... A>
  void launch_lines(const LinePlan& lines, std::size_t blocks, void (*kernel)(P...), cudaStream_t stream,
                    const A&... arguments) const {
    const unsigned threads = std::bit_floor(std::clamp(static_cast<unsigned>(lines.lanes * lines.n / 8), 32U, 256U));
    const std::size_t shared =
        static_cast<std::size_t>(lines.n) * static_cast<std::size_t>(lines.lanes + 1) * sizeof(float2);
    launch(kernel, dim3(static_cast<unsigned>(blocks)), dim3(threads), shared, stream, plan_, arguments...);
  }

  GridPlan plan_;
  std::vector<std::int32_t> column_frequency_, place_frequency_, column_at_, place_of_;
  Buffer<int> columns_at_, places_of_;
};

struct Multislice::State {
  State(const MultisliceOptions& options, int device, std::size_t scratch);
  // A·P/(ny·nx) in column tiles.
  Buffer<float2> factor(double thickness) const;
  // exp(iσ·potential) of n slices on the device, limited, → slots first, first + 1, …; fields: room for n waves.
  void transmit(const float* potential, std::size_t n, std::size_t first, float2* fields) const;
  void check_slots(std::size_t first, std::size_t n) const;

  MultisliceOptions options;
  int device;
  std::size_t scratch;
  Stream stream;
  crewe::sim::BandLimit band;
  LineTables y, x;
  Grid grid, whole;  // columns inside the band limit; all
  Buffer<float2> limit;
  std::vector<Buffer<float2>> propagators;
  Buffer<float2> transmission;
  std::size_t slots = 0;
};

struct Waves::State {
  enum class Entry { plane, waves, passed };
  Entry entry = Entry::plane;
  Buffer<float2> fields;    // groups·count
  Buffer<float2> incoming;  // (count, ny, nx) before the first slice
  Buffer<std::uint32_t> slot;
  std::vector<std::vector<std::uint32_t>> held_slots;  // what the stream may not have read yet
  std::vector<double2> held_places;
};

struct Probe::State {
  const Multislice& engine;
  std::vector<float2> values;
  std::vector<int> ky, kx;
  Buffer<float2> spectrum;       // (ny places, columns), over ny·nx
  Buffer<int> along_y, along_x;  // signed frequencies of places and columns
};

}  // namespace crewe::cuda::sim
