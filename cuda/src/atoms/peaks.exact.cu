// A thread per pixel; most pixels have a higher neighbour and read four numbers. The map is read twice, 8 bytes per
// pixel: once to count, once to write. The rows of neighbours come from the caches.
#include <stdexcept>

#include "compact.hpp"
#include "crewe/atoms/summit.hpp"
#include "crewe/cuda/atoms/proposals.hpp"

namespace crewe::cuda::atoms {
namespace {

struct Map {
  const float* data;
  std::size_t ny, nx, reach;
  float lower;
  __device__ bool operator()(std::size_t i) const {
    return crewe::atoms::is_summit(data, ny, nx, i / nx, i % nx, reach, lower);
  }
};

struct Put {
  Map map;
  double* found;
  __device__ void operator()(std::size_t place, std::size_t i) const {
    const crewe::atoms::Peak peak = crewe::atoms::summit(map.data, map.ny, map.nx, i / map.nx, i % map.nx);
    found[3 * place] = peak.y;
    found[3 * place + 1] = peak.x;
    found[3 * place + 2] = static_cast<double>(peak.height);
  }
};

}  // namespace

void peaks(View<const float, 2> map, std::size_t reach, float lower, double* found, std::uint32_t* count,
           cudaStream_t stream) {
  if (!map.contiguous()) throw std::invalid_argument("map: a C-contiguous image wanted");
  if (reach < 1) throw std::invalid_argument("reach: 1 or more wanted");
  const Map all{map.data, map.shape[0], map.shape[1], reach, lower};
  compact(map.size(), all, Put{all, found}, count, stream);
}

}  // namespace crewe::cuda::atoms
