#include "crewe/atoms/nms.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>

#include "atoms/rivals.hpp"
#include "crewe/atoms/box.hpp"

namespace crewe::atoms {
namespace {

// Indices by falling score: a radix sort by the first half of the scores' bits, then the few that it leaves together.
template <class BoxAt>
std::vector<std::uint32_t> by_score(View<const double, 1> scores, BoxAt box) {
  constexpr int kBits = 11;
  constexpr std::size_t kBins = std::size_t{1} << kBits;
  struct Item {
    std::uint32_t key, index;
  };
  const std::size_t n = scores.shape[0];
  std::vector<Item> items(n), spare(n);
  for (std::size_t i = 0; i < n; ++i) {
    items[i] = {static_cast<std::uint32_t>(falling(scores(i)) >> 32), static_cast<std::uint32_t>(i)};
  }
  for (int shift = 0; shift < 32; shift += kBits) {
    std::array<std::size_t, kBins> place{};
    for (const Item& item : items) ++place[(item.key >> shift) & (kBins - 1)];
    if (std::find(place.begin(), place.end(), n) != place.end()) continue;
    std::exclusive_scan(place.begin(), place.end(), place.begin(), std::size_t{0});
    for (const Item& item : items) spare[place[(item.key >> shift) & (kBins - 1)]++] = item;
    items.swap(spare);
  }
  std::vector<std::uint32_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = items[i].index;
  const auto better = [&](std::uint32_t a, std::uint32_t b) {
    const std::uint64_t key_a = falling(scores(a)), key_b = falling(scores(b));
    return key_a != key_b ? key_a < key_b : earlier(box(a), box(b), a, b);
  };
  for (std::size_t first = 0, last = 0; first < n; first = last) {
    while (last < n && items[last].key == items[first].key) ++last;
    if (last - first > 1) {
      std::sort(order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last),
                better);
    }
  }
  return order;
}

// Boxes of about one size, hashed by the cell of their centre; a cell is as wide as the first box is long.
class Grid {
 public:
  Grid(double cell, std::size_t room)
      : per_cell_(std::min(1 / cell, 1e300)), heads_(std::bit_ceil(2 * room + 2), kNone) {
    nodes_.reserve(room);
  }

  void insert(const Box& box) {
    if (2 * (nodes_.size() + 1) > heads_.size()) grow();
    height_ = std::max(height_, box.height());
    width_ = std::max(width_, box.width());
    nodes_.push_back({box, kNone});
    link(static_cast<std::uint32_t>(nodes_.size() - 1));
  }

  // Boxes come in no order in space: what the test of a later one reads is fetched while others are tested.
  void fetch_cells(const Box& box, double iou) const {
    const Window w = window(box, iou);
    for (std::int64_t cy = w.y0; cy <= std::min(w.y1, w.y0 + kFetched); ++cy)
      __builtin_prefetch(&heads_[slot(cy, w.x0)]);
  }
  void fetch_boxes(const Box& box, double iou) const {
    const Window w = window(box, iou);
    for (std::int64_t cy = w.y0; cy <= std::min(w.y1, w.y0 + kFetched); ++cy) {
      for (std::int64_t cx = w.x0; cx <= std::min(w.x1, w.x0 + kFetched); ++cx) {
        const std::uint32_t head = heads_[slot(cy, cx)];
        if (head != kNone) __builtin_prefetch(&nodes_[head]);
      }
    }
  }

  bool suppresses(const Box& box, double iou) const {
    const Window w = window(box, iou);
    const double cells = (static_cast<double>(w.y1 - w.y0) + 1) * (static_cast<double>(w.x1 - w.x0) + 1);
    if (cells > static_cast<double>(nodes_.size())) {
      return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) { return overlap(box, node.box) > iou; });
    }
    for (std::int64_t cy = w.y0; cy <= w.y1; ++cy) {
      for (std::int64_t cx = w.x0; cx <= w.x1; ++cx) {
        for (std::uint32_t k = heads_[slot(cy, cx)]; k != kNone; k = nodes_[k].next) {
          if (overlap(box, nodes_[k].box) > iou) return true;
        }
      }
    }
    return false;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::int64_t kFetched = 3;

  struct Node {
    Box box;
    std::uint32_t next;
  };
  struct Window {
    std::int64_t y0, y1, x0, x1;
  };

  // The cells in which the centres of boxes lie that may overlap this one enough: a side shared by less than iou times
  // the longer one can't.
  Window window(const Box& box, double iou) const {
    const double tight = std::min(iou, 0.5);
    const auto reach = [&](double a, double b) { return ((a + b) / 2 - tight * std::max(a, b)) * (1 + 1e-9); };
    const double y = (box.y0 + box.y1) / 2, x = (box.x0 + box.x1) / 2;
    const double ry = reach(box.height(), height_), rx = reach(box.width(), width_);
    return {index(y - ry), index(y + ry), index(x - rx), index(x + rx)};
  }

  std::int64_t index(double x) const {  // std::floor is a call at the base level
    const double cells = std::clamp(x * per_cell_, -0x1p61, 0x1p61);
    const auto whole = static_cast<std::int64_t>(cells);
    return whole - (static_cast<double>(whole) > cells);
  }
  std::size_t slot(std::int64_t cy, std::int64_t cx) const {
    // Neighbours along x lie beside each other in memory.
    const std::uint64_t row = static_cast<std::uint64_t>(cy) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(((row >> 20) + static_cast<std::uint64_t>(cx)) & (heads_.size() - 1));
  }
  void link(std::uint32_t k) {
    Node& node = nodes_[k];
    const Box& box = node.box;
    std::uint32_t& head = heads_[slot(index((box.y0 + box.y1) / 2), index((box.x0 + box.x1) / 2))];
    node.next = head;
    head = k;
  }
  void grow() {
    heads_.assign(4 * heads_.size(), kNone);
    for (std::uint32_t k = 0; k < nodes_.size(); ++k) link(k);
  }

  double per_cell_, height_ = 0, width_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> heads_;
};

// Indices of the boxes that stay, of those in this order.
std::vector<std::size_t> keep(const std::vector<std::uint32_t>& order, const Rivals& rivals) {
  std::vector<char> gone(order.size());
  std::vector<std::size_t> kept;
  kept.reserve(order.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    if (gone[rank]) continue;
    kept.push_back(order[rank]);
    rivals.each(rank, [&](std::uint32_t worse) { gone[worse] = 1; });
  }
  return kept;
}

// The same, of boxes that crowd: none but those that stay are met.
std::vector<std::size_t> keep_few(const std::vector<std::uint32_t>& order, const std::vector<Box>& sorted, double iou) {
  const std::size_t n = sorted.size();
  constexpr std::size_t kSoon = 6, kRoom = 100000;
  std::vector<std::pair<int, Grid>> grids;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < n; ++i) {
    for (const auto& [level, grid] : grids) {
      if (i + 2 * kSoon < n) grid.fetch_cells(sorted[i + 2 * kSoon], iou);
      if (i + kSoon < n) grid.fetch_boxes(sorted[i + kSoon], iou);
    }
    const Box& box = sorted[i];
    const auto beaten = [&](const auto& grid) { return grid.second.suppresses(box, iou); };
    if (std::any_of(grids.begin(), grids.end(), beaten)) continue;
    kept.push_back(order[i]);
    const double side = std::max(box.height(), box.width());
    if (!(side > 0) || !std::isfinite(side)) continue;  // overlaps nothing
    int level = 0;
    static_cast<void>(std::frexp(side, &level));
    auto grid = std::find_if(grids.begin(), grids.end(), [&](const auto& each) { return each.first == level; });
    if (grid == grids.end()) grid = grids.emplace(grids.end(), level, Grid(side, std::min(n - i, kRoom)));
    grid->second.insert(box);
  }
  return kept;
}

}  // namespace

std::vector<std::size_t> nms(View<const double, 2> boxes, View<const double, 1> scores, double iou) {
  const std::size_t n = boxes.shape[0];
  if (boxes.shape[1] != 4) throw std::invalid_argument("boxes: shape (n, 4) wanted");
  if (scores.shape[0] != n) throw std::invalid_argument("scores: one per box wanted");
  if (!(iou >= 0) || !(iou <= 1)) throw std::invalid_argument("iou: 0 to 1 wanted");
  if (n >= ~std::uint32_t{0}) throw std::invalid_argument("boxes: fewer than 2^32 − 1 wanted");
  const auto box = [&](std::size_t i) { return Box{boxes(i, 0u), boxes(i, 1u), boxes(i, 2u), boxes(i, 3u)}; };

  const std::vector<std::uint32_t> order = by_score(scores, box);
  std::vector<std::uint32_t> ranks(n);
  for (std::size_t i = 0; i < n; ++i) ranks[order[i]] = static_cast<std::uint32_t>(i);
  if (const auto pairs = rivals(boxes, ranks, iou)) return keep(order, *pairs);
  std::vector<Box> sorted(n);
  for (std::size_t i = 0; i < n; ++i) sorted[i] = box(order[i]);
  return keep_few(order, sorted, iou);
}

}  // namespace crewe::atoms
