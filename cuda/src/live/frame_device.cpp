// Two chunks, each with a buffer on the device, its results in page-locked memory and an event; pieces of a chunk go
// through two page-locked buffers, so that the host copies one while the other is on its way. Copies and kernels have a
// stream of their own.
#include "crewe/cuda/live/frame_device.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "crewe/cuda/buffer.hpp"
#include "crewe/cuda/check.hpp"
#include "crewe/cuda/imaging/moments.hpp"
#include "crewe/cuda/imaging/ssb.hpp"
#include "crewe/cuda/stream.hpp"
#include "crewe/parallel.hpp"

namespace crewe::cuda::live {
namespace {

using crewe::imaging::FrameBlock;
using crewe::imaging::Moments;

constexpr std::size_t kMostChunk = 64 << 20;  // [bytes] 1.2 ms at 55 GB/s, long against a launch and a wait
constexpr std::size_t kPiece = 4 << 20;       // of the page-locked buffers

bool dense(const FrameBlock& block) {
  const FrameBlock::Steps step = block.steps();
  const auto item = static_cast<std::ptrdiff_t>(crewe::imaging::pixel_size(block.pixel));
  const auto row = item * static_cast<std::ptrdiff_t>(block.nx);
  return step.column == item && step.row == row && step.frame == row * static_cast<std::ptrdiff_t>(block.ny);
}

bool page_locked(const void* memory) {
  cudaPointerAttributes attributes;
  if (cudaPointerGetAttributes(&attributes, memory) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return attributes.type == cudaMemoryTypeHost;
}

// One frame, row after row.
void copy_frame(const FrameBlock& block, std::size_t index, std::byte* to) {
  const std::size_t item = crewe::imaging::pixel_size(block.pixel);
  const FrameBlock::Steps step = block.steps();
  const std::byte* const frame = block.data + static_cast<std::ptrdiff_t>(index) * step.frame;
  for (std::size_t y = 0; y < block.ny; ++y) {
    const std::byte* const row = frame + static_cast<std::ptrdiff_t>(y) * step.row;
    if (step.column == static_cast<std::ptrdiff_t>(item)) {
      std::memcpy(to, row, block.nx * item);
      to += block.nx * item;
      continue;
    }
    for (std::size_t x = 0; x < block.nx; ++x, to += item) {
      std::memcpy(to, row + static_cast<std::ptrdiff_t>(x) * step.column, item);
    }
  }
}

// A chunk on the device, and its sums.
struct Chunk {
  Buffer<std::byte> frames;
  FrameBlock block;       // of the device
  std::size_t first = 0;  // of the host's block
  Buffer<Moments> moments;
  Buffer<double> sums;
  Buffer<float> profiles;
  Buffer<unsigned long long> bad;
  Pinned<Moments> host_moments;
  Pinned<double> host_sums;
  Pinned<float> host_profiles;
  Pinned<unsigned long long> host_bad;
  Event copied, summed;
};

class Gpu final : public crewe::live::FrameDevice {
 public:
  Gpu(int device, int threads) : device_(device), threads_(threads) {
    for (Pinned<std::byte>& piece : pieces_) piece = Pinned<std::byte>(kPiece);
    // A chunk is there twice, and sums, weights and other programs want their share.
    chunk_bytes_ = std::min(kMostChunk, free_bytes() / 8);
  }
  ~Gpu() override { abandon(); }

  std::size_t chunk_bytes() const override { return chunk_bytes_; }

  void prepare(const crewe::imaging::FrameReducer::Options& options) override {
    const UseDevice use(device_);
    reducer_ = std::make_unique<imaging::FrameReducer>(options, kernels_);
    for (std::size_t i = 0; i < on_their_way_; ++i) sum(chunks_[(oldest_ + i) % 2]);
  }

  void begin(const FrameBlock& block, std::size_t begin, std::size_t end) override {
    const UseDevice use(device_);
    if (on_their_way_ == 2) throw std::invalid_argument("begin: two chunks are on their way");
    Chunk& chunk = chunks_[(oldest_ + on_their_way_) % 2];
    const std::size_t frame = block.ny * block.nx * crewe::imaging::pixel_size(block.pixel);
    const std::size_t bytes = (end - begin) * frame;
    if (chunk.frames.size() < bytes) chunk.frames = {}, chunk.frames = Buffer<std::byte>(bytes, kernels_);
    // What kernels still read of the chunk before is read before it is overwritten.
    chunk.summed.record(kernels_);
    chunk.summed.hold_back(copies_);
    copy(block, begin, end, frame, chunk.frames.data());
    chunk.copied.record(copies_);
    chunk.copied.hold_back(kernels_);
    chunk.block = {
        .data = chunk.frames.data(), .pixel = block.pixel, .count = end - begin, .ny = block.ny, .nx = block.nx};
    chunk.first = begin;
    sum(chunk);
    ++on_their_way_;
  }

  std::ptrdiff_t end(Moments* moments, double* sums, float* profiles) override {
    const UseDevice use(device_);
    if (on_their_way_ == 0) throw std::invalid_argument("end: no chunk is on its way");
    Chunk& chunk = chunks_[oldest_];
    chunk.summed.synchronize();
    current_ = &chunk;
    oldest_ = (oldest_ + 1) % 2;
    --on_their_way_;
    if (*chunk.host_bad.data() != imaging::kNoFrame) {
      return static_cast<std::ptrdiff_t>(chunk.first + *chunk.host_bad.data());
    }
    const std::size_t n = chunk.block.count;
    std::copy_n(chunk.host_moments.data(), n, moments);
    std::copy_n(chunk.host_sums.data(), n * reducer_->detectors(), sums);
    std::copy_n(chunk.host_profiles.data(), n * reducer_->rings(), profiles);
    return -1;
  }

  void abandon() noexcept override {
    if (on_their_way_ != 0) {
      const UseDevice use(device_, std::nothrow);
      cudaStreamSynchronize(copies_);
      cudaStreamSynchronize(kernels_);
      cudaGetLastError();
    }
    on_their_way_ = 0;
  }

  std::unique_ptr<crewe::imaging::SsbSums> ssb(const crewe::imaging::SsbOptions& options) override;

  cudaStream_t kernels() const { return kernels_; }
  int device() const { return device_; }
  int threads() const { return threads_; }
  // The chunk that was ended last, and the index of its first frame in the host's block.
  const FrameBlock& block() const { return current_->block; }
  std::size_t first() const { return current_->first; }

 private:
  void copy(const FrameBlock& block, std::size_t begin, std::size_t end, std::size_t frame, std::byte* to) {
    if (dense(block) && page_locked(block.data)) {
      detail::copy_in(to, block.data + begin * frame, (end - begin) * frame, copies_);
      return;
    }
    const std::size_t each = std::max<std::size_t>(kPiece / frame, 1);
    for (std::size_t from = begin; from < end; from += each) {
      const std::size_t n = std::min(each, end - from);
      Pinned<std::byte>& piece = pieces_[next_piece_];
      Event& sent = sent_[next_piece_];
      next_piece_ = 1 - next_piece_;
      sent.synchronize();  // what it held has gone
      if (piece.size() < n * frame) piece = Pinned<std::byte>(n * frame);
      parallel_for(n, 1, threads_, [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) copy_frame(block, from + i, piece.data() + i * frame);
      });
      detail::copy_in(to + (from - begin) * frame, piece.data(), n * frame, copies_);
      sent.record(copies_);
    }
  }

  template <class T>
  void make_room(Buffer<T>& there, Pinned<T>& here, std::size_t n) {
    if (there.size() < n) there = {}, there = Buffer<T>(n, kernels_);
    if (here.size() < n) here = Pinned<T>(n);
  }

  void sum(Chunk& chunk) {
    const std::size_t n = chunk.block.count;
    make_room(chunk.moments, chunk.host_moments, n);
    make_room(chunk.sums, chunk.host_sums, n * reducer_->detectors());
    make_room(chunk.profiles, chunk.host_profiles, n * reducer_->rings());
    make_room(chunk.bad, chunk.host_bad, 1);
    check(cudaMemsetAsync(chunk.bad.data(), 0xFF, sizeof(unsigned long long), kernels_), "sums over frames");
    reducer_->reduce(chunk.block, 0, n,
                     {.moments = chunk.moments.data(),
                      .detectors = chunk.sums.data(),
                      .profiles = reducer_->rings() == 0 ? nullptr : chunk.profiles.data()},
                     chunk.bad.data(), kernels_);
    chunk.moments.get(chunk.host_moments.data(), n);
    chunk.sums.get(chunk.host_sums.data(), n * reducer_->detectors());
    chunk.profiles.get(chunk.host_profiles.data(), n * reducer_->rings());
    chunk.bad.get(chunk.host_bad.data(), 1);
    chunk.summed.record(kernels_);
  }

  const int device_, threads_;
  std::size_t chunk_bytes_ = 0;
  Stream copies_, kernels_;  // first made, last destroyed: buffers are freed in their order
  std::unique_ptr<imaging::FrameReducer> reducer_;
  std::array<Chunk, 2> chunks_;
  std::size_t oldest_ = 0, on_their_way_ = 0;
  const Chunk* current_ = nullptr;
  std::array<Pinned<std::byte>, 2> pieces_;
  std::array<Event, 2> sent_;
  std::size_t next_piece_ = 0;
};

// Sums on the device of frames that are there already.
class GpuSsb final : public crewe::imaging::SsbSums {
 public:
  GpuSsb(const Gpu& gpu, const crewe::imaging::SsbOptions& options)
      : gpu_(gpu),
        sums_(std::make_unique<imaging::Ssb>(options, gpu.threads(), gpu.kernels())),
        field_(options.sy * options.sx, gpu.kernels()) {}
  ~GpuSsb() override {
    const UseDevice use(gpu_.device(), std::nothrow);
    sums_.reset();
  }

  const crewe::imaging::SsbOptions& options() const noexcept override { return sums_->options(); }

  void clear() override {
    const UseDevice use(gpu_.device());
    sums_->clear();
  }

  void add(const FrameBlock&, std::span<const std::uint32_t> frames,
           std::span<const std::uint32_t> positions) override {
    const UseDevice use(gpu_.device());
    there_.clear();
    for (const std::uint32_t frame : frames) there_.push_back(frame - static_cast<std::uint32_t>(gpu_.first()));
    sums_->add(gpu_.block(), there_, positions);
  }

  void add(std::span<const io::Event> events) override {
    const UseDevice use(gpu_.device());
    sums_->add(events);
  }

  bool spectrum(std::size_t positions, std::complex<float>* out) override {
    const UseDevice use(gpu_.device());
    if (!sums_->spectrum(positions, field_.data())) return false;
    field_.get(reinterpret_cast<float2*>(out), field_.size());
    check(cudaStreamSynchronize(gpu_.kernels()), "sums of single-sideband ptychography");
    return true;
  }

 private:
  const Gpu& gpu_;
  std::unique_ptr<imaging::Ssb> sums_;
  Buffer<float2> field_;
  std::vector<std::uint32_t> there_;
};

std::unique_ptr<crewe::imaging::SsbSums> Gpu::ssb(const crewe::imaging::SsbOptions& options) {
  const UseDevice use(device_);
  return std::make_unique<GpuSsb>(*this, options);
}

}  // namespace

std::unique_ptr<crewe::live::FrameDevice> make_frame_device(int device, int threads) {
  const UseDevice use(device);
  return std::make_unique<Gpu>(device, threads);
}

}  // namespace crewe::cuda::live
