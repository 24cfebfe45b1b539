#include "crewe/cuda/imaging/moments.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "crewe/checks.hpp"
#include "crewe/cuda/table.hpp"
#include "moments_kernel.hpp"

namespace crewe::cuda::imaging {
namespace {

using crewe::imaging::Pixel;

bool binary(const std::vector<float>& weights) {
  return std::ranges::all_of(weights, [](float weight) { return weight == 0 || weight == 1; });
}

}  // namespace

struct FrameReducer::Plan {
  Plan(const Options& given, cudaStream_t stream) : options(given) {
    const crewe::imaging::FrameReducer checked(given);  // throws what is wrong
    ring_count = checked.rings();
    sums_moments = options.moments;
    exact = options.dark.empty() && options.gain.empty() && options.rings.empty() && binary(options.weights) &&
            std::ranges::all_of(options.detectors, binary);
    if (exact) make_bytes(stream);
  }

  bool lives(std::size_t i) const { return options.dead_pixels.empty() || options.dead_pixels[i] == 0; }

  std::vector<std::uint8_t> bytes_of(const std::vector<float>& weights, std::uint8_t one) const {
    std::vector<std::uint8_t> mask(options.ny * options.nx);
    for (std::size_t i = 0; i < mask.size(); ++i) {
      mask[i] = lives(i) && (weights.empty() || weights[i] != 0) ? one : std::uint8_t{0};
    }
    return mask;
  }

  void make_bytes(cudaStream_t stream) {
    if (!options.weights.empty() || std::ranges::any_of(options.dead_pixels, [](std::uint8_t d) { return d != 0; })) {
      byte_weights = table_on_device(bytes_of(options.weights, 0xFF), stream);
    }
    for (const auto& weights : options.detectors) {
      byte_detectors.push_back(table_on_device(bytes_of(weights, 1), stream));
    }
  }

  // When first wanted: frames of integers mostly do without.
  void make_reals(cudaStream_t stream) {
    if (has_reals) return;
    has_reals = true;
    // Dead pixels count nothing, whatever their dark and gain are.
    std::vector<float> clean_dark = options.dark, clean_gain = options.gain;
    for (std::size_t i = 0; i < options.dead_pixels.size(); ++i) {
      if (lives(i)) continue;
      if (!clean_dark.empty()) clean_dark[i] = 0;
      if (!clean_gain.empty()) clean_gain[i] = 0;
    }
    weights = table_on_device(options.weights, stream);
    dark = table_on_device(clean_dark, stream);
    gain = table_on_device(clean_gain, stream);
    dead = table_on_device(options.dead_pixels, stream);
    rings = table_on_device(options.rings, stream);
    for (const auto& each : options.detectors) {
      const std::vector<float> ones(options.ny * options.nx, 1.0F);
      detectors.push_back(table_on_device(each.empty() ? ones : each, stream));
    }
  }

  // 16 bytes at a time, with nothing between rows.
  bool in_words(const FrameBlock& block) const {
    const FrameBlock::Steps step = block.steps();
    const auto item = static_cast<std::ptrdiff_t>(crewe::imaging::pixel_size(block.pixel));
    const auto row = static_cast<std::ptrdiff_t>(options.nx) * item;
    const auto aligned = [](auto bytes) { return bytes % 16 == 0; };
    return exact && block.pixel != Pixel::f32 && block.pixel != Pixel::u16_be && block.pixel != Pixel::u32_be &&
           step.column == item && step.row == row && aligned(row) && aligned(step.frame) &&
           aligned(reinterpret_cast<std::uintptr_t>(block.data));
  }

  // Detectors [from, from + task.detector_count) and, the first time, moments and profile.
  void launch_part(const FrameTask& task, bool words, std::size_t from, unsigned frames, cudaStream_t stream) const {
    const bool first = from == 0;
    if (words) {
      ByteMasks masks{byte_weights.data(), {}};
      for (std::size_t k = 0; k < std::size_t{kMostDetectors} && !byte_detectors.empty(); ++k) {
        masks.detectors[k] = byte_detectors[std::min(from + k, byte_detectors.size() - 1)].data();
      }
      return reduce_bytes(task, masks, first && sums_moments, frames, stream);
    }
    RealMaps maps{weights.data(), dark.data(), gain.data(), dead.data(), nullptr, 0, {}};
    if (first && task.into.profiles != nullptr) {
      maps.rings = rings.data();
      maps.ring_count = static_cast<unsigned>(ring_count);
    }
    for (std::size_t k = 0; k < task.detector_count; ++k) maps.detectors[k] = detectors[from + k].data();
    reduce_real(task, maps, first && sums_moments, frames, stream);
  }

  Options options;
  std::size_t ring_count = 0;
  bool sums_moments = false, exact = false, has_reals = false;
  Buffer<std::uint8_t> byte_weights, dead, rings;
  std::vector<Buffer<std::uint8_t>> byte_detectors;
  Buffer<float> weights, dark, gain;
  std::vector<Buffer<float>> detectors;
};

FrameReducer::FrameReducer(const Options& options, cudaStream_t stream)
    : plan_(std::make_unique<Plan>(options, stream)) {}
FrameReducer::~FrameReducer() = default;
FrameReducer::FrameReducer(FrameReducer&&) noexcept = default;
FrameReducer& FrameReducer::operator=(FrameReducer&&) noexcept = default;

std::size_t FrameReducer::detectors() const {
  return plan_->options.detectors.size();
}
std::size_t FrameReducer::rings() const {
  return plan_->ring_count;
}

void FrameReducer::reduce(const FrameBlock& block, std::size_t begin, std::size_t end, const FrameSums& into,
                          unsigned long long* bad, cudaStream_t stream) const {
  Plan& plan = *plan_;
  if (block.ny != plan.options.ny || block.nx != plan.options.nx) {
    reject("frames", shape_text(std::array{plan.options.ny, plan.options.nx}) + " pixels",
           shape_text(std::array{block.ny, block.nx}));
  }
  if (begin > end || end > block.count) throw std::out_of_range("frames: no such range");
  if (begin == end) return;
  const bool words = plan.in_words(block);
  if (!words) plan.make_reals(stream);
  FrameTask task{};
  task.first = begin;
  const FrameBlock::Steps step = block.steps();
  task.data = block.data + static_cast<std::ptrdiff_t>(begin) * step.frame;
  task.pixel = block.pixel;
  task.frame_stride = step.frame;
  task.row_stride = step.row;
  task.column_stride = step.column;
  task.ny = static_cast<unsigned>(block.ny);
  task.nx = static_cast<unsigned>(block.nx);
  task.bad = bad;
  const auto frames = static_cast<unsigned>(end - begin);
  std::size_t from = 0;
  do {
    task.into = into;
    if (into.detectors != nullptr) task.into.detectors = into.detectors + from;
    if (into.images != nullptr) task.into.images = into.images + from;
    task.detector_count = static_cast<unsigned>(std::min<std::size_t>(kMostDetectors, detectors() - from));
    task.detector_stride = static_cast<unsigned>(detectors());
    plan.launch_part(task, words, from, frames, stream);
    from += kMostDetectors;
  } while (from < detectors());
}

}  // namespace crewe::cuda::imaging
