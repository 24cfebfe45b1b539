// The part of cuFFT that crewe uses, by crewe's own transforms on the CPU.
#include "fft/cufft.hpp"

#include <complex>
#include <map>
#include <vector>

#include "crewe/fft.hpp"

namespace crewe::cuda {
namespace {

struct Shape {
  std::vector<std::size_t> n;
  std::size_t step, distance, batch;
  cudaStream_t stream;
};
std::map<int, Shape> plans;
int next_plan = 1;

int plan_many(int* plan, int rank, int* n, int*, int step, int distance, int*, int, int, int, int batch) {
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  *plan = next_plan++;
  plans[*plan] = {{n, n + rank}, size(step), size(distance), size(batch), nullptr};
  return 0;
}

int set_stream(int plan, cudaStream_t stream) {
  plans.at(plan).stream = stream;
  return 0;
}

cudaError_t transform(const Shape& shape, float2* data, int direction) {
  const auto way = direction == CuFft::kForward ? fft::Direction::forward : fft::Direction::inverse;
  const std::size_t ny = shape.n.size() == 2 ? shape.n[0] : 1, nx = shape.n.back(), size = ny * nx;
  std::vector<std::complex<float>> line(size);
  for (std::size_t i = 0; i < shape.batch; ++i) {
    float2* const from = data + i * shape.distance;
    for (std::size_t j = 0; j < size; ++j) line[j] = {from[j * shape.step].x, from[j * shape.step].y};
    fft::fft2(line.data(), 1, ny, nx, way, 1);
    const float scale = way == fft::Direction::inverse ? static_cast<float>(size) : 1.0F;
    for (std::size_t j = 0; j < size; ++j) from[j * shape.step] = {line[j].real() * scale, line[j].imag() * scale};
  }
  return cudaSuccess;
}

int execute(int plan, float2* in, float2*, int direction) {
  const Shape shape = plans.at(plan);
  emulator::enqueue(shape.stream, [=] { return transform(shape, in, direction); });
  return 0;
}

int destroy(int plan) {
  plans.erase(plan);
  return 0;
}

}  // namespace

const CuFft& cufft() {
  static const CuFft functions{plan_many, set_stream, execute, destroy};
  return functions;
}

}  // namespace crewe::cuda
