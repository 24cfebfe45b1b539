#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "sim/state.hpp"

namespace crewe::cuda::sim {

namespace {

// Radices of n, the large ones first where that saves a pass: 8·8·4 rather than 4·4·4·4; empty if there are others.
std::vector<int> radices_of(std::size_t n) {
  std::vector<int> radices;
  for (const int odd : {7, 5, 3}) {
    for (; n % static_cast<std::size_t>(odd) == 0; n /= static_cast<std::size_t>(odd)) radices.push_back(odd);
  }
  int twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  if (n != 1) return {};
  while (twos >= 5 || twos == 3) radices.insert(radices.begin(), 8), twos -= 3;
  while (twos >= 2) radices.push_back(4), twos -= 2;
  if (twos == 1) radices.push_back(2);
  return radices;
}

int shared_limit() {
  int device = 0, bytes = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "shared memory");
  return bytes;
}

// Lines per block: whole sectors of memory first, then three blocks for each multiprocessor of a Hopper.
int lanes_of(std::size_t n, int limit) {
  const auto bytes = [n](int lanes) { return n * static_cast<std::size_t>(lanes + 1) * sizeof(float2); };
  constexpr std::size_t kThird = 76 << 10;
  for (const int lanes : {16, 8, 4}) {
    if (bytes(lanes) <= std::min(kThird, static_cast<std::size_t>(limit))) return lanes;
  }
  for (const int lanes : {4, 2, 1}) {
    if (bytes(lanes) <= static_cast<std::size_t>(limit)) return lanes;
  }
  return 0;
}

}  // namespace

LineTables::LineTables(std::size_t n, const char* axis, cudaStream_t stream) {
  const std::vector<int> radices = radices_of(n);
  if (n < 2 || radices.empty() || radices.size() > kMostPasses) {
    throw std::invalid_argument("grid: " + std::to_string(n) + " pixels along " + axis +
                                " have prime factors above 7, which the GPU doesn't transform");
  }
  plan_.n = static_cast<int>(n);
  plan_.lanes = lanes_of(n, shared_limit());
  if (plan_.lanes == 0) {
    throw std::invalid_argument("grid: " + std::to_string(n) + " pixels along " + axis +
                                " are more than the shared memory of the GPU holds");
  }
  int length = plan_.n;
  for (const int radix : radices) {
    const int stride = length / radix;
    const std::uint64_t reciprocal =
        stride == 1 ? 0 : ((1ULL << 32) + static_cast<std::uint64_t>(stride) - 1) / static_cast<std::uint64_t>(stride);
    plan_.pass[plan_.passes++] = {radix, length, stride, static_cast<int>(factors_.size()),
                                  static_cast<unsigned>(reciprocal)};
    for (int j = 0; j < stride; ++j) {
      for (int q = 1; q < radix; ++q) {
        const double angle = -2.0 * std::numbers::pi * j * q / length;
        factors_.push_back(make_float2(static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))));
      }
    }
    length = stride;
  }
  order_.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t rest = k, place = 0;
    for (int p = 0; p < plan_.passes; ++p) {
      const std::size_t radix = static_cast<std::size_t>(plan_.pass[p].radix);
      place += rest % radix * static_cast<std::size_t>(plan_.pass[p].stride);
      rest /= radix;
    }
    order_[k] = static_cast<std::uint32_t>(place);
  }
  twiddle_ = Buffer<float2>(factors_.data(), factors_.size(), stream);
  plan_.twiddle = twiddle_.data();
}

Grid::Grid(const LineTables& y, const LineTables& x, const std::vector<std::uint32_t>& kept, cudaStream_t stream) {
  plan_.y = y.plan();
  plan_.x = x.plan();
  const std::size_t nx = x.order().size(), ny = y.order().size();
  const std::size_t lanes = static_cast<std::size_t>(plan_.y.lanes);
  const std::size_t aligned = std::max<std::size_t>(lanes, 16);  // rows begin at a line of the cache
  plan_.columns = static_cast<int>((kept.size() + aligned - 1) / aligned * aligned);
  plan_.row_blocks = (plan_.y.n + plan_.x.lanes - 1) / plan_.x.lanes;
  plan_.column_blocks = plan_.columns / plan_.y.lanes;
  std::vector<std::int32_t> frequency_of(nx, -1);  // of each place along x, of kept ones
  for (const std::uint32_t k : kept) frequency_of[x.order()[k]] = static_cast<std::int32_t>(k);
  column_at_.assign(nx, -1);
  place_of_.assign(columns(), -1);
  column_frequency_.assign(columns(), -1);
  std::size_t column = 0;
  for (std::size_t place = 0; place < nx; ++place) {
    if (frequency_of[place] < 0) continue;
    column_at_[place] = static_cast<std::int32_t>(column);
    place_of_[column] = static_cast<std::int32_t>(place);
    column_frequency_[column] = frequency_of[place];
    ++column;
  }
  place_frequency_.resize(ny);
  for (std::size_t k = 0; k < ny; ++k) place_frequency_[y.order()[k]] = static_cast<std::int32_t>(k);
  columns_at_ = Buffer<int>(column_at_.data(), nx, stream);
  places_of_ = Buffer<int>(place_of_.data(), columns(), stream);
  plan_.column_at = columns_at_.data();
  plan_.place_of = places_of_.data();
}

std::size_t Grid::row_tiles_size() const {
  return static_cast<std::size_t>(plan_.row_blocks) * nx() * static_cast<std::size_t>(plan_.x.lanes);
}

}  // namespace crewe::cuda::sim
