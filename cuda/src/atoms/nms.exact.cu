// Non-maximum suppression without an order in time: a box goes when a box before it stays and overlaps too much, and
// stays when all boxes before it that overlap too much are gone. From the best box on that settles them all, whoever
// looks first, and the boxes that stay are those of the sequential definition.
//
// Boxes are sorted by score (their rank), then along a Morton curve, so that 128 neighbours on it, a tile, lie close to
// each other. A block settles a tile: it meets only tiles whose bounds touch its own, and within itself it goes on
// until nothing changes. Rounds over all tiles settle nearly all; one block settles the rest, at least one box in each
// of its rounds, so that no chain of boxes is too long. For 10⁵ boxes: two sorts of 28 launches each, and rounds of 10⁵
// × 10 to 20 tiles × 128 pairs, 2·10⁸ tests of four comparisons of doubles: arithmetic bounds the rounds, launches the
// sorts. Memory: 110 bytes per box.
#include <cmath>
#include <stdexcept>

#include "compact.hpp"
#include "crewe/atoms/box.hpp"
#include "crewe/cuda/atoms/proposals.hpp"
#include "sort.hpp"

namespace crewe::cuda::atoms {
namespace {

using crewe::atoms::Box;

constexpr unsigned kTile = 128, kThreads = 256, kRounds = 10;

enum State : std::uint32_t { kOpen, kStays, kGone };

struct ByScore {
  const Box* boxes;
  __device__ bool operator()(const Key& a, const Key& b) const {
    if (a.key != b.key) return a.key < b.key;
    if (a.index == kNoIndex || b.index == kNoIndex) return a.index < b.index;
    return crewe::atoms::earlier(boxes[a.index], boxes[b.index], a.index, b.index);
  }
};

__global__ void score_kernel(const double* scores, std::size_t n, Key* keys) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  keys[i] = i < n ? Key{crewe::atoms::falling(scores[i]), static_cast<std::uint32_t>(i)} : Key{~0ull, kNoIndex};
}

__global__ void check_kernel(const Box* boxes, const double* scores, std::size_t n, std::uint32_t* first) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const Box b = boxes[i];
  const double zero = (b.y0 * 0 + b.x0 * 0) + (b.y1 * 0 + b.x1 * 0) + scores[i] * 0;  // NaN unless all are finite
  if (!(zero == 0) || b.y0 > b.y1 || b.x0 > b.x1) atomicMin(first, static_cast<std::uint32_t>(i));
}

// Whole numbers that rise as floats do, so that atomic operations find the extremes of middles.
__device__ unsigned ordered(float x) {
  const auto bits = __builtin_bit_cast(unsigned, x);
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}
__device__ float unordered(unsigned key) {
  return __builtin_bit_cast(float, (key >> 31) != 0 ? key & 0x7FFFFFFFu : ~key);
}

struct Extent {
  unsigned low_y, low_x, high_y, high_x;
};

__device__ float middle(double low, double high) {
  return static_cast<float>(low / 2 + high / 2);
}

__global__ void extent_kernel(const Box* boxes, std::size_t n, Extent* extent) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned y = ordered(middle(boxes[i].y0, boxes[i].y1)), x = ordered(middle(boxes[i].x0, boxes[i].x1));
  if (y < extent->low_y) atomicMin(&extent->low_y, y);
  if (x < extent->low_x) atomicMin(&extent->low_x, x);
  if (y > extent->high_y) atomicMax(&extent->high_y, y);
  if (x > extent->high_x) atomicMax(&extent->high_x, x);
}

// Sixteen bits with a gap after each.
__device__ unsigned apart(unsigned x) {
  x = (x | x << 8) & 0x00FF00FFu;
  x = (x | x << 4) & 0x0F0F0F0Fu;
  x = (x | x << 2) & 0x33333333u;
  return (x | x << 1) & 0x55555555u;
}

__device__ unsigned cell(float x, unsigned low, unsigned high) {
  const float from = unordered(low), place = (x - from) / (unordered(high) - from) * 65535.0f;
  return place > 0 ? (place < 65535.0f ? static_cast<unsigned>(place) : 65535u) : 0u;
}

// Rank r → its place on the curve.
__global__ void curve_kernel(const Box* boxes, const Key* by_score, std::size_t n, const Extent* extent, Key* keys) {
  const std::size_t r = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  Key key{~0ull, kNoIndex};
  if (r < n) {
    const Box& box = boxes[by_score[r].index];
    const unsigned y = cell(middle(box.y0, box.y1), extent->low_y, extent->high_y);
    const unsigned x = cell(middle(box.x0, box.x1), extent->low_x, extent->high_x);
    key = {apart(y) << 1 | apart(x), static_cast<std::uint32_t>(r)};
  }
  keys[r] = key;
}

struct Place {
  Box box;
  std::uint32_t rank;
};

struct Tiles {
  Place* places;
  std::uint32_t* states;  // by place
  Box* bounds;            // by tile
  std::uint32_t* open;    // boxes of a tile that aren't settled
  std::uint32_t count;
  std::size_t boxes;
};

__device__ void widen(Box& a, const Box& b) {
  a.y0 = b.y0 < a.y0 ? b.y0 : a.y0;
  a.x0 = b.x0 < a.x0 ? b.x0 : a.x0;
  a.y1 = b.y1 > a.y1 ? b.y1 : a.y1;
  a.x1 = b.x1 > a.x1 ? b.x1 : a.x1;
}

__global__ void tile_kernel(const Box* boxes, const Key* by_score, const Key* by_place, Tiles tiles) {
  __shared__ Box all[kTile];
  const std::size_t i = std::size_t{blockIdx.x} * kTile + threadIdx.x;
  Box bound{INFINITY, INFINITY, -INFINITY, -INFINITY};
  if (i < tiles.boxes) {
    const std::uint32_t rank = by_place[i].index;
    bound = boxes[by_score[rank].index];
    tiles.places[i] = {bound, rank};
    tiles.states[i] = kOpen;
  }
  all[threadIdx.x] = bound;
  __syncthreads();
  for (unsigned half = kTile / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) widen(all[threadIdx.x], all[threadIdx.x + half]);
    __syncthreads();
  }
  if (threadIdx.x != 0) return;
  const std::size_t left = tiles.boxes - std::size_t{blockIdx.x} * kTile;
  tiles.bounds[blockIdx.x] = all[0];
  tiles.open[blockIdx.x] = left < kTile ? static_cast<std::uint32_t>(left) : kTile;
}

__device__ bool touch(const Box& a, const Box& b) {
  return a.y0 < b.y1 && b.y0 < a.y1 && a.x0 < b.x1 && b.x0 < a.x1;
}

// States are read while other blocks settle: what is read late is found in the next round.
__device__ std::uint32_t state_of(const Tiles& tiles, std::size_t i) {
  return *const_cast<volatile std::uint32_t*>(tiles.states + i);
}

// What the boxes before it do to one: whether one stays, or may.
struct Verdict {
  bool beaten = false, waits = false;
  __device__ void see(const Place& mine, const Place& other, std::uint32_t state, double iou) {
    if (state == kGone || other.rank >= mine.rank || !(crewe::atoms::overlap(mine.box, other.box) > iou)) return;
    beaten = beaten || state == kStays;
    waits = waits || state == kOpen;
  }
};

__device__ void settle_tile(const Tiles& tiles, std::uint32_t tile, double iou) {
  __shared__ Place others[kTile];
  __shared__ std::uint32_t states[kTile];
  __shared__ std::uint32_t near[kTile], found, changes, open;
  const unsigned t = threadIdx.x;
  const std::size_t i = std::size_t{tile} * kTile + t;
  const bool there = i < tiles.boxes;
  Place mine{};
  std::uint32_t state = kGone;
  if (there) {
    mine = tiles.places[i];
    state = state_of(tiles, i);
  }
  const Box bound = tiles.bounds[tile];
  Verdict outside;
  for (std::uint32_t first = 0; first < tiles.count; first += kTile) {
    if (t == 0) found = 0;
    __syncthreads();
    const std::uint32_t other = first + t;
    if (other < tiles.count && other != tile && touch(bound, tiles.bounds[other])) near[atomicAdd(&found, 1u)] = other;
    __syncthreads();
    for (std::uint32_t k = 0; k < found; ++k) {
      const std::size_t at = std::size_t{near[k]} * kTile + t;
      states[t] = at < tiles.boxes ? state_of(tiles, at) : std::uint32_t{kGone};
      if (at < tiles.boxes) others[t] = tiles.places[at];
      __syncthreads();
      if (state == kOpen && !outside.beaten) {
        for (unsigned o = 0; o < kTile; ++o) outside.see(mine, others[o], states[o], iou);
      }
      __syncthreads();
    }
    __syncthreads();
  }
  others[t] = mine;
  states[t] = state;
  for (;;) {
    if (t == 0) changes = 0;
    __syncthreads();
    Verdict verdict = outside;
    if (state == kOpen && !outside.beaten) {
      for (unsigned o = 0; o < kTile; ++o) verdict.see(mine, others[o], states[o], iou);
    }
    __syncthreads();
    if (state == kOpen && (verdict.beaten || !verdict.waits)) {
      state = verdict.beaten ? kGone : kStays;
      states[t] = state;
      atomicAdd(&changes, 1u);
    }
    __syncthreads();
    const bool done = changes == 0;
    __syncthreads();
    if (done) break;
  }
  if (t == 0) open = 0;
  __syncthreads();
  if (there && state == kOpen) atomicAdd(&open, 1u);
  if (there) *const_cast<volatile std::uint32_t*>(tiles.states + i) = state;
  __syncthreads();
  if (t == 0) tiles.open[tile] = open;
}

__global__ void round_kernel(Tiles tiles, double iou) {
  if (tiles.open[blockIdx.x] != 0) settle_tile(tiles, blockIdx.x, iou);
}

__global__ void rest_kernel(Tiles tiles, double iou) {
  __shared__ std::uint32_t some[kTile], found, left;
  for (;;) {
    if (threadIdx.x == 0) left = 0;
    for (std::uint32_t first = 0; first < tiles.count; first += kTile) {
      if (threadIdx.x == 0) found = 0;
      __syncthreads();
      const std::uint32_t tile = first + threadIdx.x;
      if (tile < tiles.count && tiles.open[tile] != 0) some[atomicAdd(&found, 1u)] = tile;
      __syncthreads();
      for (std::uint32_t k = 0; k < found; ++k) {
        settle_tile(tiles, some[k], iou);
        if (threadIdx.x == 0) left += tiles.open[some[k]];
      }
      __syncthreads();
    }
    const bool done = left == 0;
    __syncthreads();
    if (done) return;
  }
}

__global__ void stays_kernel(Tiles tiles, std::uint32_t* stays) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < tiles.boxes) stays[tiles.places[i].rank] = tiles.states[i] == kStays ? 1 : 0;
}

struct Stays {
  const std::uint32_t* flags;
  __device__ bool operator()(std::size_t rank) const { return flags[rank] != 0; }
};

struct Put {
  const Key* by_score;
  std::int64_t* kept;
  __device__ void operator()(std::size_t place, std::size_t rank) const { kept[place] = by_score[rank].index; }
};

}  // namespace

std::ptrdiff_t first_bad_box(View<const double, 2> boxes, View<const double, 1> scores, cudaStream_t stream) {
  const std::size_t n = boxes.shape[0];
  std::uint32_t found = kNoIndex;
  const Buffer<std::uint32_t> first(&found, 1, stream);
  launch(check_kernel, blocks_of(n, kThreads), kThreads, 0, stream, reinterpret_cast<const Box*>(boxes.data),
         scores.data, n, first.data());
  first.get(&found, 1);
  check(cudaStreamSynchronize(stream), "check of boxes");
  return found == kNoIndex ? -1 : static_cast<std::ptrdiff_t>(found);
}

void nms(View<const double, 2> boxes, View<const double, 1> scores, double iou, std::int64_t* kept,
         std::uint32_t* count, cudaStream_t stream) {
  const std::size_t n = boxes.shape[0];
  if (boxes.shape[1] != 4 || !boxes.contiguous()) throw std::invalid_argument("boxes: shape (n, 4), dense, wanted");
  if (scores.shape[0] != n || !scores.contiguous()) throw std::invalid_argument("scores: one per box wanted");
  if (!(iou >= 0) || !(iou <= 1)) throw std::invalid_argument("iou: 0 to 1 wanted");
  if (n >= std::size_t{1} << 31) throw std::invalid_argument("boxes: fewer than 2^31 wanted on the device");
  if (n == 0) return check(cudaMemsetAsync(count, 0, sizeof *count, stream), "count of boxes");
  const auto* const box = reinterpret_cast<const Box*>(boxes.data);

  const std::size_t size = sorted_size(n);
  const unsigned blocks = blocks_of(size, kThreads);
  const Buffer<Key> by_score(size, stream), by_place(size, stream);
  launch(score_kernel, blocks, kThreads, 0, stream, scores.data, n, by_score.data());
  sort(by_score, ByScore{box}, stream);

  const Extent none{~0u, ~0u, 0, 0};
  const Buffer<Extent> extent(&none, 1, stream);
  launch(extent_kernel, blocks_of(n, kThreads), kThreads, 0, stream, box, n, extent.data());
  launch(curve_kernel, blocks, kThreads, 0, stream, box, by_score.data(), n, extent.data(), by_place.data());
  sort(by_place, ByKey{}, stream);

  const unsigned count_of_tiles = blocks_of(n, kTile);
  const Buffer<Place> places(n, stream);
  const Buffer<std::uint32_t> states(n, stream), open(count_of_tiles, stream), stays(n, stream);
  const Buffer<Box> bounds(count_of_tiles, stream);
  const Tiles tiles{places.data(), states.data(), bounds.data(), open.data(), count_of_tiles, n};
  launch(tile_kernel, count_of_tiles, kTile, 0, stream, box, by_score.data(), by_place.data(), tiles);
  for (unsigned round = 0; round < kRounds; ++round) {
    launch(round_kernel, count_of_tiles, kTile, 0, stream, tiles, iou);
  }
  launch(rest_kernel, 1, kTile, 0, stream, tiles, iou);
  launch(stays_kernel, blocks_of(n, kThreads), kThreads, 0, stream, tiles, stays.data());
  compact(n, Stays{stays.data()}, Put{by_score.data(), kept}, count, stream);
}

}  // namespace crewe::cuda::atoms
