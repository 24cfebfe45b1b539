#include "profile.hpp"

#include <algorithm>
#include <cmath>

#include "crewe/parallel.hpp"

namespace crewe::specimen {

double value_of(const Profile& p, double t) {
  double f = 0;
  if (p.h1 != 0) f += p.h1 * std::exp(-t * t / 2);
  if (p.h2 != 0) f += p.h2 * std::exp(-t);
  if (p.h3 != 0) f += p.h3 / (1 + std::pow(t, 2 * p.n));
  return f;
}

Table tabulate(const Profile& profile, double part) {
  constexpr double kFurthest = 32;
  Table table;
  table.cusp = profile.h2 != 0;
  const double least = part * std::abs(value_of(profile, 0));
  for (std::size_t k = 0; k < static_cast<std::size_t>(kFurthest * Table::kSteps); ++k) {
    const double t = static_cast<double>(k) / Table::kSteps;
    table.values.push_back(static_cast<float>(value_of(profile, t)));
    if (t > 1 && std::abs(table.values.back()) <= least) break;
  }
  table.end = static_cast<float>(table.values.size());
  table.values.insert(table.values.end(), 2, 0.0f);
  return table;
}

void add_items(const std::vector<Item>& items, const std::vector<Table>& tables, View<float, 2> out, int threads) {
  constexpr std::size_t kBand = 32;  // rows; each pixel gets its atoms in their order, whoever works on its band
  const std::size_t ny = out.shape[0], nx = out.shape[1];
  const auto height = static_cast<double>(ny), width = static_cast<double>(nx);
  const std::size_t bands = (ny + kBand - 1) / kBand;
  parallel_for(bands, 1, threads, [&](std::size_t first_band, std::size_t last_band) {
    for (std::size_t band = first_band; band < last_band; ++band) {
      const std::size_t top = band * kBand, bottom = std::min(top + kBand, ny);
      for (const Item& item : items) {
        const Table& table = tables[item.kind];
        const double reach = static_cast<double>(table.end) / Table::kSteps;
        const double determinant = item.a * item.c - item.b * item.b;
        const double reach_y = reach * std::sqrt(item.c / determinant);
        const double y0 = std::max(std::ceil(item.y - reach_y), static_cast<double>(top));
        const double y1 = std::min(std::floor(item.y + reach_y), static_cast<double>(bottom) - 1);
        if (!(y0 <= y1) || !(item.y - reach_y < height)) continue;
        for (auto y = static_cast<std::size_t>(y0); y <= static_cast<std::size_t>(y1); ++y) {
          // a·dy² + 2b·dy·dx + c·dx² <= reach² gives the pixels of this row.
          const double dy = static_cast<double>(y) - item.y, middle = item.x - item.b * dy / item.c;
          const double rest = reach * reach - determinant / item.c * dy * dy;
          if (!(rest >= 0)) continue;
          const double half = std::sqrt(rest / item.c);
          const double x0 = std::max(std::ceil(middle - half), 0.0),
                       x1 = std::min(std::floor(middle + half), width - 1);
          if (!(x0 <= x1)) continue;
          const auto base = static_cast<float>(determinant / item.c * dy * dy), slope = static_cast<float>(item.c);
          const auto centre = static_cast<float>(middle), weight = static_cast<float>(item.weight);
          float* row = out.data + y * nx;
          for (auto x = static_cast<std::size_t>(x0); x <= static_cast<std::size_t>(x1); ++x) {
            const float dx = static_cast<float>(x) - centre;
            row[x] += weight * look_up(table, std::sqrt(base + slope * dx * dx));
          }
          if (!table.cusp || std::abs(dy) >= 1) continue;
          // Within a pixel of the cusp: the mean over 3 × 3 places instead of the middle one.
          for (double x = std::max(std::ceil(item.x - 1), 0.0); x <= std::min(std::floor(item.x + 1), width - 1); ++x) {
            float sum = 0;
            for (int k = 0; k < 9; ++k) {
              const double sy = dy + (k / 3 - 1) / 3.0, sx = x - item.x + (k % 3 - 1) / 3.0;
              const double square = item.a * sy * sy + 2 * item.b * sy * sx + item.c * sx * sx;
              sum += look_up(table, static_cast<float>(std::sqrt(std::max(square, 0.0))));
            }
            const float dx = static_cast<float>(x) - centre;
            row[static_cast<std::size_t>(x)] +=
                weight * (sum / 9.0f - look_up(table, std::sqrt(base + slope * dx * dx)));
          }
        }
      }
    }
  });
}

}  // namespace crewe::specimen
