#include "crewe/imaging/ricom.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <stdexcept>
#include <string>
#include <thread>

#include "crewe/checks.hpp"
#include "crewe/fft.hpp"
#include "crewe/imaging/icom_filter.hpp"
#include "crewe/parallel.hpp"
#include "imaging/ricom_kernel.hpp"

namespace crewe::imaging {
namespace {

using Complex = std::complex<double>;

// k_y + i·k_x at d = (−h..h)², row-major. Both parts are real, so one complex transform filters both.
std::vector<Complex> template_kernel(std::size_t width) {
  const auto half = static_cast<std::ptrdiff_t>(width / 2);
  std::vector<Complex> kernel;
  kernel.reserve(width * width);
  for (std::ptrdiff_t dy = -half; dy <= half; ++dy) {
    for (std::ptrdiff_t dx = -half; dx <= half; ++dx) {
      const double y = static_cast<double>(dy), x = static_cast<double>(dx);
      const double squared = y * y + x * x;
      kernel.push_back(squared == 0 ? Complex{} : -Complex(y, x) / (2 * std::numbers::pi * squared));
    }
  }
  return kernel;
}

// Multiplies the kernel's transform on a periodic grid (gy, gx) >= (width, width) by the ring low <= |q| <= high and
// keeps the window. Only `width` rows aren't zero, so the columns are done in blocks and the grid is never stored.
void filter(std::vector<Complex>& kernel, std::size_t width, double low, double high, std::size_t gy, std::size_t gx) {
  constexpr std::size_t kBlock = 16;
  const std::size_t half = width / 2;
  const auto wrap = [half](std::size_t i, std::size_t n) { return (i + n - half) % n; };
  const fft::Plan<double> along_y(gy), along_x(gx);
  std::vector<Complex> rows(width * gx);
  for (std::size_t y = 0; y < width; ++y) {
    for (std::size_t x = 0; x < width; ++x) rows[y * gx + wrap(x, gx)] = kernel[y * width + x];
  }
  const auto distance = static_cast<std::ptrdiff_t>(gx);
  along_x.rows(rows.data(), width, distance, fft::Direction::forward);
  parallel_for(gx, kBlock, 0, [&](std::size_t begin, std::size_t end) {
    const std::size_t columns = end - begin;
    std::vector<Complex> block(gy * columns);
    for (std::size_t y = 0; y < width; ++y) {
      for (std::size_t x = begin; x < end; ++x) block[wrap(y, gy) * columns + x - begin] = rows[y * gx + x];
    }
    const auto stride = static_cast<std::ptrdiff_t>(columns);
    along_y.columns(block.data(), columns, stride, fft::Direction::forward);
    for (std::size_t y = 0; y < gy; ++y) {
      for (std::size_t x = begin; x < end; ++x) {
        const double q = std::hypot(frequency(y, gy), frequency(x, gx));
        if (q < low || q > high) block[y * columns + x - begin] = 0;
      }
    }
    along_y.columns(block.data(), columns, stride, fft::Direction::inverse);
    for (std::size_t y = 0; y < width; ++y) {
      for (std::size_t x = begin; x < end; ++x) rows[y * gx + x] = block[wrap(y, gy) * columns + x - begin];
    }
  });
  along_x.rows(rows.data(), width, distance, fft::Direction::inverse);
  for (std::size_t y = 0; y < width; ++y) {
    for (std::size_t x = 0; x < width; ++x) kernel[y * width + x] = rows[y * gx + wrap(x, gx)];
  }
}

// k_y is odd in d_y and even in d_x, k_x the other way round; the scatter builds on it, so rounding is taken out.
// Fills values (2, width, width).
void symmetrise(const std::vector<Complex>& kernel, std::size_t width, std::vector<float>& values) {
  const std::size_t half = width / 2, plane = width * width;
  values.assign(2 * plane, 0.0F);
  for (std::size_t y = 0; y <= half; ++y) {
    for (std::size_t x = 0; x <= half; ++x) {
      const std::size_t up = half - y, down = half + y, left = half - x, right = half + x;
      const Complex a = kernel[down * width + right], b = kernel[down * width + left];
      const Complex c = kernel[up * width + right], d = kernel[up * width + left];
      const float ky = y == 0 ? 0.0F : static_cast<float>((a.real() + b.real() - c.real() - d.real()) / 4);
      const float kx = x == 0 ? 0.0F : static_cast<float>((a.imag() - b.imag() + c.imag() - d.imag()) / 4);
      values[down * width + right] = values[down * width + left] = ky;
      values[up * width + right] = values[up * width + left] = -ky;
      values[plane + down * width + right] = values[plane + up * width + right] = kx;
      values[plane + down * width + left] = values[plane + up * width + left] = -kx;
    }
  }
}

}  // namespace

RicomKernel::RicomKernel(std::size_t width, double low, double high, std::size_t sy, std::size_t sx) : width_(width) {
  if (width % 2 == 0) reject("kernel", "an odd width", std::to_string(width));
  if (!(low >= 0) || !(low < high)) {
    reject("low, high", "0 <= low < high", std::to_string(low) + " and " + std::to_string(high));
  }
  std::vector<Complex> kernel = template_kernel(width);
  const double highest = std::sqrt(0.5);  // |q| at the corner of the spectrum
  if (low > 0 || high < highest) filter(kernel, width, low, high, std::max(sy, width), std::max(sx, width));
  symmetrise(kernel, width, values_);
  lay_out();
}

void RicomKernel::lay_out() {
  static_assert(sizeof(Line::lanes) == kRicomLanes * sizeof(float));
  const auto rounded = [](std::size_t n) { return (n + kRicomLanes - 1) / kRicomLanes * kRicomLanes; };
  const std::size_t half = width_ / 2, window = rounded(width_ + kRicomPositions - 1);
  const std::size_t margin = rounded(window - 1 - half);  // so that the kernel's rows begin at a line
  zero_ = margin + half;
  line_ = rounded(zero_ + window);
  table_.assign(2 * (half + 1) * line_ / kRicomLanes, Line{});
  float* row = table_.front().lanes;
  for (std::size_t y = 0; y <= half; ++y) {
    for (const float* plane : {values_.data(), values_.data() + width_ * width_}) {
      const float* from = plane + (half - y) * width_;
      for (std::size_t x = 0; x < width_; ++x) row[margin + x] = from[width_ - 1 - x];
      row += line_;
    }
  }
}

void ricom_scatter(const RicomKernel& kernel, View<float, 2> image, std::size_t row, std::size_t col, const float* com,
                   std::size_t count, std::size_t first, std::size_t last) {
  const std::size_t sy = image.shape[0], sx = image.shape[1];
  if (row >= sy || col > sx || count > sx - col || first > last || last > sy) {
    throw std::out_of_range("ricom_scatter: positions or rows outside of the image");
  }
  if (image.strides[1] != 1)
    reject("image", "rows of pixels side by side", "a stride of " + std::to_string(image.strides[1]));
  const RicomTable table{kernel.table_.front().lanes, kernel.width_ / 2, kernel.line_, kernel.zero_};
  CREWE_SIMD_CALL(ricom_add, table, RicomImage{image.data, image.strides[0], sx, first, last}, row, col, com, count);
}

void ricom(View<const float, 3> com, const RicomKernel& kernel, View<float, 2> out, int threads) {
  const std::size_t sy = out.shape[0], sx = out.shape[1];
  check_shape(com, {sy, sx, 2}, "com");
  if (sy == 0 || sx == 0) return;
  // Bands of output rows, each sees all positions in order. No more of them than threads: rows whose partner at the
  // other side of a position lies in another band cost up to twice as much.
  const std::size_t half = kernel.width() / 2;
  const bool packed = com.strides[2] == 1 && com.strides[1] == 2;
  const std::size_t workers = threads > 0 ? static_cast<std::size_t>(threads) : std::thread::hardware_concurrency();
  const std::size_t bands = std::clamp<std::size_t>(workers, 1, (sy + 15) / 16);
  parallel_for(bands, 1, threads, [&](std::size_t begin, std::size_t end) {
    const std::size_t first = begin * sy / bands, last = end * sy / bands;
    std::vector<float> line(packed ? 0 : 2 * sx);
    for (std::size_t y = first; y < last; ++y) std::fill_n(&out(y, 0), sx, 0.0F);
    for (std::size_t row = first - std::min(first, half); row < std::min(sy, last + half); ++row) {
      const float* positions = &com(row, 0, 0);
      if (!packed) {
        for (std::size_t x = 0; x < sx; ++x) {
          line[2 * x] = com(row, x, 0);
          line[2 * x + 1] = com(row, x, 1);
        }
        positions = line.data();
      }
      ricom_scatter(kernel, out, row, 0, positions, sx, first, last);
    }
  });
}

}  // namespace crewe::imaging
