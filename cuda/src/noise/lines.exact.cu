// What happens along the lines of a scan.
//
// shift_lines, unshift: 8 bytes per pixel of memory; the 16 rows of a spline come from the cache of a
// block, which makes eight lines one after the other, 1024 columns wide. fast_scan: 8 bytes and one product per weight
// and pixel, 400 weights for a slow detector: arithmetic bounds it, 28 µs for 1024² on 132 multiprocessors of 128
// lanes. A thread makes four neighbouring pixels and reads four pixels and four weights at a time from shared memory
// for sixteen products. Sums have the order of the CPU.
#include "crewe/cuda/launch.hpp"
#include "crewe/cuda/noise/stages.hpp"
#include "crewe/noise/scan.hpp"
#include "crewe/noise/taps.hpp"
#include "noise/shapes.hpp"

namespace crewe::cuda::noise {
namespace {

using crewe::noise::kReach;
using crewe::noise::kTaps;
using crewe::noise::mirrored;

constexpr unsigned kTile = 1024;  // columns
constexpr unsigned kLinesEach = 8;

__global__ void normals_kernel(double* shifts, std::size_t lines, double sigma_y, double sigma_x, std::uint64_t seed) {
  const std::size_t line = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (line >= lines) return;
  const unsigned axis = blockIdx.z;
  rng::Sequence numbers({seed + image, rng::Stage::jitter, 0}, (std::uint64_t{axis} << 32) + line);
  shifts[(image * lines + line) * 2 + axis] = (axis == 0 ? sigma_y : sigma_x) * numbers.normal();
}

// Each direction of each image is one series: a thread goes along it, and has 32 numbers on their way at a time; 1024
// lines take about 20 µs.
__global__ void series_kernel(double* shifts, std::size_t lines, std::size_t series, double phi_y, double phi_x) {
  const std::size_t k = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= series) return;
  double* const mine = shifts + k / 2 * lines * 2 + k % 2;
  const double phi = k % 2 == 0 ? phi_y : phi_x;
  double shift = mine[0] / std::sqrt(1 - phi * phi);
  mine[0] = shift;
  constexpr int kAhead = 32;
  for (std::size_t first = 1; first < lines; first += kAhead) {
    double steps[kAhead];
    for (int k = 0; k < kAhead; ++k) steps[k] = first + k < lines ? mine[2 * (first + k)] : 0;
    for (int k = 0; k < kAhead; ++k) {
      shift = phi * shift + steps[k];
      if (first + k < lines) mine[2 * (first + k)] = shift;
    }
  }
}

// A line is the sum of rows mirrored(first + r), weighted, at columns mirrored(i + shift + t), weighted.
struct Filter {
  std::ptrdiff_t row, column;
  unsigned rows, columns;  // numbers of weights
  float row_weights[kTaps], column_weights[kTaps];
};

__device__ void fill(double place, std::ptrdiff_t& first, unsigned& count, float* weights) {
  const crewe::noise::Place at = crewe::noise::split(place);
  if (at.fraction == 0.0) {
    first = at.whole;
    count = 1;
    weights[0] = 1;
    return;
  }
  first = at.whole + 1 - kReach;
  count = kTaps;
  crewe::noise::spline_taps(at.fraction, weights);
}

__global__ void filters_kernel(const double* shifts, std::size_t ny, std::size_t lines, Filter* filters) {
  const std::size_t line = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (line >= lines) return;
  Filter& filter = filters[line];
  fill(static_cast<double>(line % ny) + shifts[2 * line], filter.row, filter.rows, filter.row_weights);
  fill(shifts[2 * line + 1], filter.column, filter.columns, filter.column_weights);
}

__global__ void shift_kernel(const float* in, float* out, std::size_t ny, std::size_t nx, const Filter* filters,
                             const float* scale) {
  __shared__ float line[kTile + kTaps];
  const std::size_t image = blockIdx.z, first = std::size_t{blockIdx.x} * kTile;
  const unsigned count = nx - first < kTile ? static_cast<unsigned>(nx - first) : kTile;
  const float factor = scale == nullptr ? 1.0f : scale[image];
  in += image * ny * nx;
  out += image * ny * nx;
  for (std::size_t y = std::size_t{blockIdx.y} * kLinesEach; y < ny && y < (blockIdx.y + std::size_t{1}) * kLinesEach;
       ++y) {
    const Filter& filter = filters[image * ny + y];
    for (unsigned i = threadIdx.x; i < count + filter.columns - 1; i += blockDim.x) {
      const std::size_t x = mirrored(static_cast<std::ptrdiff_t>(first + i) + filter.column, nx);
      float sum = 0;
      for (unsigned r = 0; r < filter.rows; ++r) {
        sum += filter.row_weights[r] * (in[mirrored(filter.row + static_cast<int>(r), ny) * nx + x] * factor);
      }
      line[i] = sum;
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < count; i += blockDim.x) {
      float sum = 0;
      for (unsigned t = 0; t < filter.columns; ++t) sum += filter.column_weights[t] * line[i + t];
      out[y * nx + first + i] = sum;
    }
    __syncthreads();
  }
}

__global__ void back_kernel(const float* in, float* out, std::size_t ny, std::size_t nx, std::size_t inner,
                            const Filter* filters) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= ny * nx * inner) return;
  const std::size_t y = i / (nx * inner), x = i / inner % nx, k = i % inner;
  const Filter& filter = filters[y];
  float sum = 0;
  for (unsigned t = 0; t < filter.columns; ++t) {
    const std::size_t column = mirrored(static_cast<std::ptrdiff_t>(x) + filter.column + static_cast<int>(t), nx);
    sum += filter.column_weights[t] * in[(y * nx + column) * inner + k];
  }
  out[i] = sum;
}

__global__ void recipe_kernel(const float* in, float* out, std::size_t line, const crewe::noise::Recipe* recipes) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x, y = blockIdx.y;
  if (i >= line) return;
  const crewe::noise::Recipe& recipe = recipes[y];
  float sum = 0;
  for (std::size_t r = 0; r < recipe.count; ++r) sum += recipe.weights[r] * in[recipe.lines[r] * line + i];
  out[y * line + i] = sum;
}

constexpr unsigned kWeights = 512;  // at a time

__global__ void smear_kernel(const float* in, float* out, std::size_t nx, const float* taps, unsigned count,
                             float before) {
  __shared__ __align__(16) float window[kTile + kWeights];
  __shared__ __align__(16) float weights[kWeights];
  const std::size_t first = std::size_t{blockIdx.x} * kTile;
  const float* const line = in + (std::size_t{blockIdx.z} * gridDim.y + blockIdx.y) * nx;
  float* const target = out + (std::size_t{blockIdx.z} * gridDim.y + blockIdx.y) * nx;
  const unsigned mine = 4 * threadIdx.x;
  float sum[4] = {};
  for (unsigned done = 0; done < count; done += kWeights) {
    const unsigned now = count - done < kWeights ? count - done : kWeights;
    for (unsigned t = threadIdx.x; t < kWeights; t += blockDim.x) weights[t] = t < now ? taps[done + t] : 0.0f;
    for (unsigned i = threadIdx.x; i < kTile + kWeights; i += blockDim.x) {
      // Element i of the window is column first + i + done − (count − 1) of the line, its first pixel before it.
      const std::size_t place = first + i + done;
      const std::size_t column = place < count - 1 ? 0 : place - (count - 1);
      window[i] = column < nx ? line[column] : 0.0f;
    }
    __syncthreads();
    float4 low = *reinterpret_cast<const float4*>(window + mine);
    for (unsigned t = 0; t < now; t += 4) {
      const float4 high = *reinterpret_cast<const float4*>(window + mine + t + 4);
      const float4 w = *reinterpret_cast<const float4*>(weights + t);
      const float x[7] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z};
      for (int k = 0; k < 4; ++k) {
        sum[k] += w.x * x[k];
        sum[k] += w.y * x[k + 1];
        sum[k] += w.z * x[k + 2];
        sum[k] += w.w * x[k + 3];
      }
      low = high;
    }
    __syncthreads();
  }
  for (unsigned k = 0; k < 4; ++k) {
    if (first + mine + k >= nx) continue;
    target[first + mine + k] = before == 0 ? sum[k] : sum[k] + before * line[0];
  }
}

// One block per image: parts come one after the other, later ones see what earlier ones left.
__global__ void parts_kernel(float* images, std::size_t pixels, const crewe::noise::LinePart* parts,
                             std::size_t count) {
  __shared__ double sums[kThreads];
  for (std::size_t k = 0; k < count; ++k) {
    const crewe::noise::LinePart part = parts[blockIdx.x * count + k];
    float* const segment = images + blockIdx.x * pixels + part.first;
    double sum = 0;
    for (std::size_t i = threadIdx.x; i < part.size; i += blockDim.x) sum += static_cast<double>(segment[i]);
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned half = kThreads / 2; half > 0; half /= 2) {
      if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
      __syncthreads();
    }
    const auto value = static_cast<float>(sums[0] / static_cast<double>(part.size) * part.factor);
    for (std::size_t i = threadIdx.x; i < part.size; i += blockDim.x) segment[i] = value;
    __syncthreads();
  }
}

Buffer<Filter> filters_of(const double* shifts, std::size_t ny, std::size_t lines, cudaStream_t stream) {
  Buffer<Filter> filters(lines, stream);
  launch(filters_kernel, blocks_of(lines, kThreads), kThreads, 0, stream, shifts, ny, lines, filters.data());
  return filters;
}

}  // namespace

void jitter_series(View<double, 3> shifts, const double sigma[2], const double phi[2], std::uint64_t seed,
                   cudaStream_t stream) {
  for (int axis = 0; axis < 2; ++axis) {
    if (!(sigma[axis] >= 0)) reject("sigma", "0 pixels or more", std::to_string(sigma[axis]));
    if (!(phi[axis] >= 0 && phi[axis] < 1)) reject("phi", "0 <= phi < 1", std::to_string(phi[axis]));
  }
  check_shape(shifts, {shifts.shape[0], shifts.shape[1], 2}, "shifts");
  check_contiguous(shifts, "shifts");
  const std::size_t n = shifts.shape[0], lines = shifts.shape[1];
  if (shifts.size() == 0) return;
  launch(normals_kernel, {blocks_of(lines, kThreads), grid_axis(n), 2}, kThreads, 0, stream, shifts.data, lines,
         sigma[0], sigma[1], seed);
  launch(series_kernel, blocks_of(2 * n, 32), 32, 0, stream, shifts.data, lines, 2 * n, phi[0], phi[1]);
}

void shift_lines(Images images, View<const double, 3> shifts, Results out, const float* scale, cudaStream_t stream) {
  check_apart(images, out);
  const auto [n, ny, nx] = images.shape;
  check_shape(shifts, {n, ny, 2}, "shifts");
  check_contiguous(shifts, "shifts");
  if (images.size() == 0) return;
  const Buffer<Filter> filters = filters_of(shifts.data, ny, n * ny, stream);
  launch(shift_kernel, {blocks_of(nx, kTile), grid_axis((ny + kLinesEach - 1) / kLinesEach), grid_axis(n)}, kThreads, 0,
         stream, images.data, out.data, ny, nx, filters.data(), scale);
}

void unshift(Images data, View<const double, 2> shifts, Results out, cudaStream_t stream) {
  check_apart(data, out);
  const auto [ny, nx, inner] = data.shape;
  check_shape(shifts, {ny, 2}, "shifts");
  if (data.size() == 0) return;
  std::vector<double> places;  // as filters_kernel takes them, which adds a line's number to y
  for (std::size_t y = 0; y < ny; ++y) places.insert(places.end(), {0.0, -shifts(y, 1)});
  const Buffer<double> back(places.data(), places.size(), stream);
  const Buffer<Filter> filters = filters_of(back.data(), ny, ny, stream);
  const std::vector<crewe::noise::Recipe> found = crewe::noise::unshift_recipes(shifts);
  const Buffer<crewe::noise::Recipe> recipes(found.data(), found.size(), stream);
  const Buffer<float> kept(data.size(), stream);
  launch(back_kernel, blocks_of(data.size(), kThreads), kThreads, 0, stream, data.data, kept.data(), ny, nx, inner,
         filters.data());
  launch(recipe_kernel, {blocks_of(nx * inner, kThreads), grid_axis(ny)}, kThreads, 0, stream, kept.data(), out.data,
         nx * inner, recipes.data());
}

void fast_scan(Images images, Results out, const std::vector<float>& response, cudaStream_t stream) {
  check_stacks(images, out);
  if (response.empty()) reject("response", "numbers", "none");
  if (images.size() == 0) return;
  Buffer<float> copy;
  if (images.data == out.data) {
    copy = Buffer<float>(images.size(), stream);
    check(cudaMemcpyAsync(copy.data(), images.data, images.size() * sizeof(float), cudaMemcpyDeviceToDevice, stream),
          "copy of images");
    images.data = copy.data();
  }
  const auto [n, ny, nx] = images.shape;
  const crewe::noise::LineTaps line = crewe::noise::line_taps(response, nx);
  const Buffer<float> taps(line.taps.data(), line.taps.size(), stream);
  launch(smear_kernel, {blocks_of(nx, kTile), grid_axis(ny), grid_axis(n)}, kTile / 4, 0, stream, images.data, out.data,
         nx, taps.data(), static_cast<unsigned>(line.taps.size()), line.before);
}

void row_lines(Results images, std::size_t count, const double length[2], const double factor[2], std::uint64_t seed,
               cudaStream_t stream) {
  check_stacks(images, images);
  const auto [n, ny, nx] = images.shape;
  if (images.size() == 0 || count == 0) return;
  std::vector<crewe::noise::LinePart> parts;
  for (std::size_t k = 0; k < n; ++k) {
    const auto some = crewe::noise::line_parts(ny, nx, count, length, factor, seed + k, 0);
    parts.insert(parts.end(), some.begin(), some.end());
  }
  const Buffer<crewe::noise::LinePart> device(parts.data(), parts.size(), stream);
  launch(parts_kernel, grid_axis(n), kThreads, 0, stream, images.data, ny * nx, device.data(), count);
}

}  // namespace crewe::cuda::noise
