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
  std::vector<float> samples;
  for (std::size_t k = 0; k < static_cast<std::size_t>(kFurthest * Samples::kSteps); ++k) {
    const double t = static_cast<double>(k) / Samples::kSteps;
    samples.push_back(static_cast<float>(value_of(profile, t)));
    if (t > 1 && std::abs(samples.back()) <= least) break;
  }
  table.end = static_cast<float>(samples.size());
  samples.push_back(0);
  for (std::size_t k = 0; k + 1 < samples.size(); ++k) {
    table.values.insert(table.values.end(), {samples[k], samples[k + 1] - samples[k]});
  }
  table.values.insert(table.values.end(), 2, 0.0f);
  return table;
}

void add_items(const std::vector<Item>& items, const std::vector<Table>& tables, View<float, 2> out, int threads) {
  constexpr std::size_t kBand = 32;  // rows; each pixel gets its atoms in their order, whoever works on its band
  const std::size_t ny = out.shape[0], nx = out.shape[1];
  struct Rows {
    std::size_t first, end;
  };
  std::vector<Rows> rows;
  for (const Item& item : items) {
    const double reach = static_cast<double>(tables[item.kind].end) / Samples::kSteps;
    const double up = reach * std::sqrt(item.c / (item.a * item.c - item.b * item.b)), most = static_cast<double>(ny);
    rows.push_back({static_cast<std::size_t>(std::clamp(std::ceil(item.y - up), 0.0, most)),
                    static_cast<std::size_t>(std::clamp(std::floor(item.y + up) + 1, 0.0, most))});
  }
  parallel_for((ny + kBand - 1) / kBand, 1, threads, [&](std::size_t first_band, std::size_t last_band) {
    for (std::size_t band = first_band; band < last_band; ++band) {
      for (std::size_t i = 0; i < items.size(); ++i) {
        const std::size_t first = std::max(rows[i].first, band * kBand),
                          end = std::min(rows[i].end, (band + 1) * kBand);
        if (first < end) CREWE_SIMD_CALL(add_item, items[i], tables[items[i].kind], out.data, nx, first, end);
      }
    }
  });
}

}  // namespace crewe::specimen
