#include <algorithm>
#include <stdexcept>

#include "atoms/normal.hpp"
#include "crewe/parallel.hpp"

namespace crewe::atoms {
namespace {

constexpr std::size_t kBand = 32;  // rows drawn together: 256 KiB of an image 1024 pixels wide

}  // namespace

void draw_columns(const std::vector<Column>& columns, double background, double widths, const Canvas& canvas,
                  int threads, TakeRow take) {
  const std::size_t bands = (canvas.ny + kBand - 1) / kBand;
  std::vector<Box> boxes;
  std::vector<std::vector<std::uint32_t>> seen(bands);  // which columns reach into a band
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Box box = box_of(columns[i], canvas, widths);
    boxes.push_back(box);
    if (box.y0 >= box.y1 || box.x0 >= box.x1) continue;
    for (std::size_t band = box.y0 / kBand; band <= (box.y1 - 1) / kBand; ++band) {
      seen[band].push_back(static_cast<std::uint32_t>(i));
    }
  }
  parallel_for(bands, 1, threads, [&](std::size_t begin, std::size_t end) {
    std::vector<double> scratch(scratch_of(canvas)), rows(kBand * canvas.stride);
    for (std::size_t band = begin; band < end; ++band) {
      const std::size_t first = band * kBand, last = std::min(first + kBand, canvas.ny);
      std::fill(rows.begin(), rows.end(), background);
      for (const std::uint32_t i : seen[band]) {
        Box box = boxes[i];
        box.y0 = std::max(box.y0, first);
        box.y1 = std::min(box.y1, last);
        CREWE_SIMD_CALL(draw_column, columns[i], box, canvas, rows.data(), first, scratch.data());
      }
      for (std::size_t y = first; y < last; ++y) take(y, rows.data() + (y - first) * canvas.stride);
    }
  });
}

std::vector<Column> columns_from(View<const double, 2> rows) {
  if (rows.shape[1] != kParameters) throw std::invalid_argument("columns: shape (n, 6) wanted");
  std::vector<Column> columns(rows.shape[0]);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = {rows(i, kY), rows(i, kX), rows(i, kHeight), rows(i, kWidth), rows(i, kE1), rows(i, kE2)};
    if (!(columns[i].width > 0)) throw std::invalid_argument("columns: widths > 0 wanted");
  }
  return columns;
}

void draw(View<const double, 2> rows, double background, View<double, 2> out, int threads) {
  const std::vector<Column> columns = columns_from(rows);
  const Canvas canvas = canvas_of(out.shape[0], out.shape[1]);
  const auto take = [&](std::size_t y, const double* row) {
    for (std::size_t x = 0; x < canvas.nx; ++x) out(y, x) = row[x];
  };
  draw_columns(columns, background, kCounts.widths, canvas, threads, take);
}

}  // namespace crewe::atoms
