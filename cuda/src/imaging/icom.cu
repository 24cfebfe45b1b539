// Per position 8 B of com in and 4 B of image out; between them two complex transforms in place, each at least 16 B,
// and the filter, 16 B: bound by memory, at least 60 B per position. One thread per position, a warp along a row.
#include <algorithm>
#include <limits>
#include <numbers>
#include <utility>

#include "crewe/checks.hpp"
#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/fft.hpp"
#include "crewe/cuda/imaging/icom.hpp"
#include "crewe/cuda/launch.hpp"
#include "crewe/imaging/icom_filter.hpp"

namespace crewe::cuda::imaging {
namespace {

struct Place {
  std::size_t y, x, index;
  bool inside;
};

__device__ Place place_in(std::size_t sy, std::size_t sx) {
  const std::size_t index = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  return {index / sx, index % sx, index, index < sy * sx};
}

__global__ void gather(View<const float, 3> com, float2* field) {
  const Place p = place_in(com.shape[0], com.shape[1]);
  if (!p.inside) return;
  const float* at =
      com.data + static_cast<std::ptrdiff_t>(p.y) * com.strides[0] + static_cast<std::ptrdiff_t>(p.x) * com.strides[1];
  field[p.index] = make_float2(at[0], at[com.strides[2]]);
}

__global__ void integrate(float2* field, std::size_t sy, std::size_t sx, double scale, double cut) {
  using namespace crewe::imaging;
  const Place p = place_in(sy, sx);
  if (!p.inside) return;
  const IcomFactor h =
      icom_factor(scale, cut, frequency(p.y, sy), frequency(p.x, sx), odd_frequency(p.y, sy), odd_frequency(p.x, sx));
  const float2 z = field[p.index];
  field[p.index] = make_float2(h.re * z.x - h.im * z.y, h.re * z.y + h.im * z.x);
}

__global__ void real_part(const float2* field, View<float, 2> out) {
  const Place p = place_in(out.shape[0], out.shape[1]);
  if (!p.inside) return;
  out.data[static_cast<std::ptrdiff_t>(p.y) * out.strides[0] + static_cast<std::ptrdiff_t>(p.x) * out.strides[1]] =
      field[p.index].x;
}

// The plan of this thread's last call, if that was for the same scan in the same stream: making one takes longer than a
// transform. It is never freed at the end of a thread, when the driver may have gone.
const Fft2& plan_for(std::size_t sy, std::size_t sx, cudaStream_t stream) {
  struct Last {
    int device;
    std::size_t sy, sx;
    cudaStream_t stream;
    Fft2 fft;
  };
  thread_local Last* last = nullptr;
  int device = 0;
  check(cudaGetDevice(&device), "current device");
  if (last == nullptr || last->device != device || last->sy != sy || last->sx != sx || last->stream != stream) {
    delete std::exchange(last, nullptr);
    last = new Last{device, sy, sx, stream, Fft2(sy, sx, 1)};
  }
  return last->fft;
}

}  // namespace

void icom(View<const float, 3> com, View<float, 2> out, double step, double high_pass, cudaStream_t stream) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  check_shape(com, {sy, sx, 2}, "com");
  constexpr unsigned kThreads = 256;
  const unsigned blocks = blocks_of(sy * sx, kThreads);
  const Buffer<float2> field(sy * sx, stream);
  const Fft2& fft = plan_for(sy, sx, stream);
  launch(gather, blocks, kThreads, 0, stream, com, field.data());
  fft.forward(field.data(), stream);
  // The inverse transform is not divided by the number of positions.
  const double scale = step / (2 * std::numbers::pi) / static_cast<double>(sy * sx);
  const double cut = std::max(high_pass * high_pass, std::numeric_limits<double>::min());  // 0 at zero frequency
  launch(integrate, blocks, kThreads, 0, stream, field.data(), sy, sx, scale, cut);
  fft.inverse(field.data(), stream);
  launch(real_part, blocks, kThreads, 0, stream, field.data(), out);
}

}  // namespace crewe::cuda::imaging
