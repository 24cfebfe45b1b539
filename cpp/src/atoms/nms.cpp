#include "crewe/atoms/nms.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <tuple>

namespace crewe::atoms {
namespace {

struct Box {
  double y0, x0, y1, x1;
  double height() const { return y1 - y0; }
  double width() const { return x1 - x0; }
  double area() const { return height() * width(); }
  auto corners() const { return std::tie(y0, x0, y1, x1); }
};

double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  if (!(height > 0) || !(width > 0)) return 0;
  const double both = height * width;
  return both / (a.area() + b.area() - both);
}

// Whole numbers that rise as the doubles do.
std::uint64_t ordered(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x == 0 ? 0.0 : x);
  return bits >> 63 ? ~bits : bits | std::uint64_t{1} << 63;
}

// Indices by falling score: a radix sort, 11 bits at a time.
std::vector<std::uint32_t> by_score(View<const double, 1> scores, const std::vector<Box>& boxes) {
  constexpr int kBits = 11;
  constexpr std::size_t kBins = std::size_t{1} << kBits;
  struct Item {
    std::uint64_t key;
    std::uint32_t index;
  };
  const std::size_t n = boxes.size();
  std::vector<Item> items(n), spare(n);
  for (std::size_t i = 0; i < n; ++i) items[i] = {~ordered(scores(i)), static_cast<std::uint32_t>(i)};
  for (int shift = 0; shift < 64; shift += kBits) {
    std::array<std::size_t, kBins> place{};
    for (const Item& item : items) ++place[(item.key >> shift) & (kBins - 1)];
    if (std::find(place.begin(), place.end(), n) != place.end()) continue;
    std::exclusive_scan(place.begin(), place.end(), place.begin(), std::size_t{0});
    for (const Item& item : items) spare[place[(item.key >> shift) & (kBins - 1)]++] = item;
    items.swap(spare);
  }
  for (std::size_t first = 0; first < n;) {
    std::size_t last = first + 1;
    while (last < n && items[last].key == items[first].key) ++last;
    if (last - first > 1) {
      std::sort(items.begin() + static_cast<std::ptrdiff_t>(first), items.begin() + static_cast<std::ptrdiff_t>(last),
                [&](const Item& a, const Item& b) {
                  const auto left = boxes[a.index].corners(), right = boxes[b.index].corners();
                  return left != right ? left < right : a.index < b.index;
                });
    }
    first = last;
  }
  std::vector<std::uint32_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = items[i].index;
  return order;
}

// Boxes of about one size, hashed by the cell of their centre; a cell is as wide as the first box is long.
class Grid {
 public:
  explicit Grid(double cell) : cell_(cell), heads_(kSmallest, kNone) {}

  void insert(const Box& box) {
    if (2 * (boxes_.size() + 1) > heads_.size()) grow();
    height_ = std::max(height_, box.height());
    width_ = std::max(width_, box.width());
    boxes_.push_back(box);
    next_.push_back(0);
    link(static_cast<std::uint32_t>(boxes_.size() - 1));
  }

  bool suppresses(const Box& box, double iou) const {
    // A side shared by less than iou times the longer one can't be enough.
    const double tight = std::min(iou, 0.5);
    const auto reach = [&](double a, double b) { return ((a + b) / 2 - tight * std::max(a, b)) * (1 + 1e-9); };
    const double y = (box.y0 + box.y1) / 2, x = (box.x0 + box.x1) / 2;
    const double ry = reach(box.height(), height_), rx = reach(box.width(), width_);
    const std::int64_t y0 = index(y - ry), y1 = index(y + ry), x0 = index(x - rx), x1 = index(x + rx);
    const double cells = (static_cast<double>(y1 - y0) + 1) * (static_cast<double>(x1 - x0) + 1);
    if (cells > static_cast<double>(boxes_.size())) {
      return std::any_of(boxes_.begin(), boxes_.end(), [&](const Box& kept) { return overlap(box, kept) > iou; });
    }
    for (std::int64_t cy = y0; cy <= y1; ++cy) {
      for (std::int64_t cx = x0; cx <= x1; ++cx) {
        for (std::uint32_t k = heads_[slot(cy, cx)]; k != kNone; k = next_[k]) {
          if (overlap(box, boxes_[k]) > iou) return true;
        }
      }
    }
    return false;
  }

 private:
  static constexpr std::size_t kSmallest = 64;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::int64_t index(double x) const {
    return static_cast<std::int64_t>(std::clamp(std::floor(x / cell_), -0x1p61, 0x1p61));
  }
  std::size_t slot(std::int64_t cy, std::int64_t cx) const {
    // Neighbours along x lie beside each other in memory.
    const std::uint64_t row = static_cast<std::uint64_t>(cy) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(((row >> 20) + static_cast<std::uint64_t>(cx)) & (heads_.size() - 1));
  }
  void link(std::uint32_t k) {
    const Box& box = boxes_[k];
    std::uint32_t& head = heads_[slot(index((box.y0 + box.y1) / 2), index((box.x0 + box.x1) / 2))];
    next_[k] = head;
    head = k;
  }
  void grow() {
    heads_.assign(4 * heads_.size(), kNone);
    for (std::uint32_t k = 0; k < boxes_.size(); ++k) link(k);
  }

  double cell_, height_ = 0, width_ = 0;
  std::vector<Box> boxes_;
  std::vector<std::uint32_t> heads_, next_;
};

}  // namespace

std::vector<std::size_t> nms(View<const double, 2> boxes, View<const double, 1> scores, double iou) {
  const std::size_t n = boxes.shape[0];
  if (boxes.shape[1] != 4) throw std::invalid_argument("boxes: shape (n, 4) wanted");
  if (scores.shape[0] != n) throw std::invalid_argument("scores: one per box wanted");
  if (!(iou >= 0) || !(iou <= 1)) throw std::invalid_argument("iou: 0 to 1 wanted");
  if (n >= ~std::uint32_t{0}) throw std::invalid_argument("boxes: fewer than 2^32 − 1 wanted");
  std::vector<Box> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = {boxes(i, 0u), boxes(i, 1u), boxes(i, 2u), boxes(i, 3u)};

  std::vector<std::pair<int, Grid>> grids;
  std::vector<std::size_t> kept;
  for (const std::uint32_t i : by_score(scores, all)) {
    const Box& box = all[i];
    const auto beaten = [&](const auto& grid) { return grid.second.suppresses(box, iou); };
    if (std::any_of(grids.begin(), grids.end(), beaten)) continue;
    kept.push_back(i);
    const double side = std::max(box.height(), box.width());
    if (!(side > 0) || !std::isfinite(side)) continue;  // overlaps nothing
    int level = 0;
    static_cast<void>(std::frexp(side, &level));
    auto grid = std::find_if(grids.begin(), grids.end(), [&](const auto& each) { return each.first == level; });
    if (grid == grids.end()) grid = grids.emplace(grids.end(), level, Grid(side));
    grid->second.insert(box);
  }
  return kept;
}

}  // namespace crewe::atoms
