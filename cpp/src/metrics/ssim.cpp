#include "crewe/metrics/ssim.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "crewe/metrics/sums.hpp"
#include "crewe/parallel.hpp"
#include "metrics/checks.hpp"
#include "metrics/kernels.hpp"

namespace crewe::metrics {
namespace {

constexpr std::size_t kColumns = DiskStrip::kColumns;
constexpr std::size_t kRows = 256;  // of a strip; the rows above and below it are gone through twice

struct Prepared {
  Normalised image;
  double range;  // of the normalised values
};

Prepared prepare(View<const float, 2> image, const char* name, int threads) {
  const Sums s = sums(image, image, threads);
  if (s.min_a == 0 && s.max_a == 0) return {{image.data, 0.0f, 0.0f}, 0};
  const double mean = s.a / static_cast<double>(image.size());
  if (!(mean > 0) || !std::isfinite(mean)) {
    reject(name, "an image of mean > 0, by which it is divided,", "one of mean " + std::to_string(mean));
  }
  return {{image.data, static_cast<float>(1 / mean), 1.0f},
          (static_cast<double>(s.max_a) - static_cast<double>(s.min_a)) / mean};
}

// 1/(pixels of the disk that lie in the image): a row for each distance from the upper or lower edge.
class Counts {
 public:
  Counts(std::size_t ny, std::size_t nx, const std::vector<std::int32_t>& half_width) : rows_(ny) {
    const auto height = static_cast<std::ptrdiff_t>(ny), width = static_cast<std::ptrdiff_t>(nx);
    const auto r = static_cast<std::ptrdiff_t>(half_width.size()) - 1;
    const std::size_t pitch = (nx + kColumns - 1) / kColumns * kColumns;
    values_.resize(static_cast<std::size_t>(std::min(height, 2 * r + 1)) * pitch, 1.0f);
    for (std::ptrdiff_t y = 0, known = 0; y < height; ++y) {
      const bool inner = y > r && y + r < height;
      if (inner) {  // as the row above it
        rows_[static_cast<std::size_t>(y)] = rows_[static_cast<std::size_t>(y - 1)];
        continue;
      }
      float* row = values_.data() + static_cast<std::size_t>(known++) * pitch;
      rows_[static_cast<std::size_t>(y)] = row;
      for (std::ptrdiff_t x = 0; x < width; ++x) {
        std::ptrdiff_t count = 0;
        for (std::ptrdiff_t d = -std::min(r, y); d <= std::min(r, height - 1 - y); ++d) {
          const std::ptrdiff_t w = half_width[static_cast<std::size_t>(std::abs(d))];
          count += std::min(w, x) + std::min(w, width - 1 - x) + 1;
        }
        row[x] = 1.0f / static_cast<float>(count);
      }
    }
  }
  const float* const* rows() const { return rows_.data(); }

 private:
  std::vector<float> values_;
  std::vector<const float*> rows_;
};

}  // namespace

void ssim(View<const float, 2> a, View<const float, 3> b, View<float, 3> maps, int radius, int threads) {
  check_stack(a, b, maps);
  if (radius < 1 || radius > 32) reject("radius", "1..32 pixels", std::to_string(radius));
  const std::size_t ny = a.shape[0], nx = a.shape[1];
  std::vector<std::int32_t> half_width;
  for (int d = 0; d <= radius; ++d) {
    int w = 0;
    while ((w + 1) * (w + 1) + d * d <= radius * radius) ++w;
    half_width.push_back(w);
  }
  const Counts counts(ny, nx, half_width);
  const std::size_t across = (nx + kColumns - 1) / kColumns, down = (ny + kRows - 1) / kRows;
  std::vector<float> mean(ny * across * kColumns);
  const auto strips = [&](auto&& run) {
    parallel_for(across * down, 1, threads, [&](std::size_t begin, std::size_t end) {
      // Vectors of 64 bytes that lie across two cache lines cost twice.
      constexpr std::size_t kLine = 64;
      const std::size_t floats = disk_scratch(static_cast<std::size_t>(radius));
      std::vector<float> room(floats + kLine / sizeof(float));
      void* scratch = room.data();
      std::size_t bytes = room.size() * sizeof(float);
      std::align(kLine, floats * sizeof(float), scratch, bytes);
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t row = i / across * kRows, column = i % across * kColumns;
        run(DiskStrip{static_cast<std::ptrdiff_t>(ny), static_cast<std::ptrdiff_t>(nx),
                      static_cast<std::ptrdiff_t>(row), static_cast<std::ptrdiff_t>(std::min(row + kRows, ny)),
                      static_cast<std::ptrdiff_t>(column), radius, half_width.data(), static_cast<float*>(scratch)});
      }
    });
  };
  const Prepared reference = prepare(a, "a", threads);
  strips(
      [&](const DiskStrip& strip) { CREWE_SIMD_CALL(disk_mean, strip, reference.image, counts.rows(), mean.data()); });
  for (std::size_t i = 0; i < b.shape[0]; ++i) {
    const Prepared test = prepare(b[i], "b", threads);
    double range = std::min(reference.range, test.range);
    if (range == 0) range = std::max(reference.range, test.range);
    if (range == 0) range = 1;  // two flat images: means of 0 or 1
    const SsimConstants constants{static_cast<float>(1e-4 * range * range), static_cast<float>(9e-4 * range * range)};
    strips([&](const DiskStrip& strip) {
      CREWE_SIMD_CALL(disk_ssim, strip, reference.image, test.image, counts.rows(), mean.data(), constants,
                      maps[i].data);
    });
  }
}

}  // namespace crewe::metrics
