// Structure factors of slices of atoms, on the way to their transmission functions:
//
//   V̂_s(k) = Σ_species F(k) Σ_j exp(−2πi k·r_j)
//
// A block sums a tile of 32 × 32 frequencies (ky, kx) >= 0, four real products for each; 8 operations per atom and
// frequency, so 10⁴ atoms at 512² take 5·10⁹. Phases of 32 atoms at a time are made in shared memory: 2048 sines for
// 131,072 products. Two slices share a transform, as real and imaginary part.
#include <algorithm>

#include "crewe/checks.hpp"
#include "crewe/sim/structure_factor.hpp"
#include "sim/state.hpp"

namespace crewe::cuda::sim {

namespace {

constexpr int kTile = 32, kAtoms = 32, kSide = 16;  // threads: kSide², each 2 × 2 frequencies

using crewe::sim::structure_factor;
using crewe::sim::StructureFactor;
using crewe::sim::StructureSums;

struct Atoms {
  const double *y, *x;         // parts of the cell
  const std::int64_t* starts;  // of slice·species + species
  const float* factors;        // (species, qy, qx)
  int species, qy, qx;
};

// (cos, sin) of 2πk·position of kAtoms atoms from `first` at the frequencies `k0` … k0 + kTile − 1; zero beyond `last`.
__device__ inline void fill_phases(const double* positions, std::int64_t first, std::int64_t last, int k0,
                                   float2 (&phases)[kAtoms][kTile]) {
  for (int i = static_cast<int>(threadIdx.x); i < kAtoms * kTile; i += static_cast<int>(blockDim.x)) {
    const int atom = i / kTile, k = i % kTile;
    float2 phase = make_float2(0.0F, 0.0F);
    if (first + atom < last) {
      const double turn = static_cast<double>(k0 + k) * positions[first + atom];
      sincospif(static_cast<float>(2.0 * (turn - rint(turn))), &phase.y, &phase.x);
    }
    phases[atom][k] = phase;
  }
}

__device__ inline void add(StructureSums<float>& sums, float2 a, float2 b, float weight) {
  const float2 scaled = make_float2(weight * a.x, weight * a.y);
  sums.cc += scaled.x * b.x;
  sums.cs += scaled.x * b.y;
  sums.sc += scaled.y * b.x;
  sums.ss += scaled.y * b.y;
}

// fields (pairs, ny places, columns): the spectrum of V₁ + iV₂ at all frequencies. Grid: tiles along x, tiles along y,
// pairs of slices.
__global__ void structure_factors(const __grid_constant__ GridPlan grid, float2* fields,
                                  const __grid_constant__ Atoms atoms, int slices, const int* column_of,
                                  const int* place_of) {
  __shared__ float2 along_y[kAtoms][kTile];
  __shared__ float2 along_x[kAtoms][kTile];
  const int ky0 = static_cast<int>(blockIdx.y) * kTile, kx0 = static_cast<int>(blockIdx.x) * kTile;
  const int ty = static_cast<int>(threadIdx.x) / kSide, tx = static_cast<int>(threadIdx.x) % kSide;
  StructureSums<float> sums[2][2][2] = {};
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int slice = 2 * static_cast<int>(blockIdx.z) + half;
    for (int e = 0; e < atoms.species && slice < slices; ++e) {
      const std::int64_t first = atoms.starts[slice * atoms.species + e],
                         last = atoms.starts[slice * atoms.species + e + 1];
      StructureSums<float> one[2][2] = {};
      for (std::int64_t at = first; at < last; at += kAtoms) {
        __syncthreads();
        fill_phases(atoms.y, at, last, ky0, along_y);
        fill_phases(atoms.x, at, last, kx0, along_x);
        __syncthreads();
        const int count = last - at < kAtoms ? static_cast<int>(last - at) : kAtoms;
        for (int atom = 0; atom < count; ++atom) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
#pragma unroll
            for (int j = 0; j < 2; ++j)
              add(one[i][j], along_y[atom][ty + kSide * i], along_x[atom][tx + kSide * j], 1.0F);
          }
        }
      }
#pragma unroll
      for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          const int ky = ky0 + ty + kSide * i, kx = kx0 + tx + kSide * j;
          if (ky >= atoms.qy || kx >= atoms.qx) continue;
          const float factor = atoms.factors[(e * atoms.qy + ky) * atoms.qx + kx];
          sums[half][i][j].cc += factor * one[i][j].cc;
          sums[half][i][j].cs += factor * one[i][j].cs;
          sums[half][i][j].sc += factor * one[i][j].sc;
          sums[half][i][j].ss += factor * one[i][j].ss;
        }
      }
    }
  }
  const int ny = grid.y.n, nx = grid.x.n;
  float2* field = fields + blockIdx.z * grid.field_size();
#pragma unroll
  for (int i = 0; i < 2; ++i) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int ky = ky0 + ty + kSide * i, kx = kx0 + tx + kSide * j;
      if (ky >= atoms.qy || kx >= atoms.qx) continue;
      for (int sign_y = 0; sign_y < 2; ++sign_y) {
        const int iy = sign_y == 0 ? ky : ny - ky;
        if (sign_y == 1 && (ky == 0 || 2 * ky == ny)) continue;
        for (int sign_x = 0; sign_x < 2; ++sign_x) {
          const int ix = sign_x == 0 ? kx : nx - kx;
          if (sign_x == 1 && (kx == 0 || 2 * kx == nx)) continue;
          const StructureFactor<float> one = structure_factor(sums[0][i][j], iy, ix, ny, nx);
          const StructureFactor<float> two = structure_factor(sums[1][i][j], iy, ix, ny, nx);
          field[static_cast<std::size_t>(place_of[iy]) * static_cast<std::size_t>(grid.columns) +
                static_cast<std::size_t>(column_of[ix])] = make_float2(one.re - two.im, one.im + two.re);
        }
      }
    }
  }
}

// Real parts → even slices, imaginary parts → odd ones.
struct Parts {
  static constexpr bool kTiles = false;
  float* to;
  int slices, ny, nx;
  __device__ void operator()(std::size_t pair, int y, int x, float2 value) const {
    const std::size_t pixels = static_cast<std::size_t>(ny) * static_cast<std::size_t>(nx);
    float* at = to + 2 * pair * pixels + static_cast<std::size_t>(y) * static_cast<std::size_t>(nx) +
                static_cast<std::size_t>(x);
    at[0] = value.x;
    if (2 * pair + 1 < static_cast<std::size_t>(slices)) at[pixels] = value.y;
  }
};

}  // namespace

void Multislice::project(std::size_t first, View<const double, 3> factors, std::span<const double> y,
                         std::span<const double> x, std::span<const std::int64_t> starts) {
  const State& s = *state_;
  const Grid &grid = s.grid, &whole = s.whole;
  const std::size_t species = factors.shape[0], ny = grid.ny(), nx = grid.nx(), pixels = ny * nx;
  if (species == 0) reject("factors", "at least one species", "none");
  check_shape(factors, {species, ny / 2 + 1, nx / 2 + 1}, "factors");
  check_contiguous(factors, "factors");
  if (x.size() != y.size()) reject("x", std::to_string(y.size()) + " numbers, as of y,", std::to_string(x.size()));
  if (starts.empty() || (starts.size() - 1) % species != 0) {
    reject("starts", "1 index more than slices times " + std::to_string(species), std::to_string(starts.size()));
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] < (i == 0 ? 0 : starts[i - 1]) || starts[i] > static_cast<std::int64_t>(y.size())) {
      reject("starts", "indices from 0 to " + std::to_string(y.size()) + " that don't fall",
             std::to_string(starts[i]) + " at " + std::to_string(i));
    }
  }
  const std::size_t slices = (starts.size() - 1) / species;
  s.check_slots(first, slices);
  if (slices == 0) return;
  const UseDevice use(s.device);
  std::vector<float> table(factors.size());
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(factors.data[i]);
  std::vector<int> column_of(nx, 0), place_of(ny);
  for (std::size_t c = 0; c < nx; ++c)
    column_of[static_cast<std::size_t>(whole.column_frequency()[c])] = static_cast<int>(c);
  for (std::size_t p = 0; p < ny; ++p)
    place_of[static_cast<std::size_t>(whole.place_frequency()[p])] = static_cast<int>(p);
  const Buffer<float> weights(table.data(), table.size(), s.stream);
  const Buffer<int> columns(column_of.data(), nx, s.stream), places(place_of.data(), ny, s.stream);
  const Buffer<double> ys(y.data(), y.size(), s.stream), xs(x.data(), x.size(), s.stream);
  const Buffer<std::int64_t> begins(starts.data(), starts.size(), s.stream);

  const std::size_t each = pixels * sizeof(float) + (grid.field_size() + whole.field_size() / 2) * sizeof(float2);
  const std::size_t few = std::min((slices + 1) / 2 * 2, std::max<std::size_t>(2, s.scratch / each / 2 * 2));
  Buffer<float> potential(few * pixels, s.stream);
  Buffer<float2> spectra(few / 2 * whole.field_size(), s.stream), fields(few * grid.field_size(), s.stream);
  for (std::size_t start = 0; start < slices; start += few) {
    const std::size_t count = std::min(few, slices - start), pairs = (count + 1) / 2;
    const Atoms atoms{ys.data(),
                      xs.data(),
                      begins.data() + start * species,
                      weights.data(),
                      static_cast<int>(species),
                      static_cast<int>(factors.shape[1]),
                      static_cast<int>(factors.shape[2])};
    if (whole.columns() > nx) spectra.zero();
    launch(&structure_factors,
           dim3(blocks_of(factors.shape[2], kTile), blocks_of(factors.shape[1], kTile), static_cast<unsigned>(pairs)),
           dim3(kSide * kSide), 0, s.stream, whole.plan(), spectra.data(), atoms, static_cast<int>(count),
           columns.data(), places.data());
    whole.launch_columns(&columns_inverse, pairs, s.stream, spectra.data());
    whole.launch_rows(&rows_exit<Parts>, pairs, s.stream, static_cast<const float2*>(spectra.data()),
                      Parts{potential.data(), static_cast<int>(count), static_cast<int>(ny), static_cast<int>(nx)});
    s.transmit(potential.data(), count, first + start, fields.data());
  }
  s.stream.synchronize();
}

}  // namespace crewe::cuda::sim
