#include "atoms/rivals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "crewe/atoms/box.hpp"

namespace crewe::atoms {
namespace {

// Others in a box's own cell, and pairs that are expected, per box: where there are more, meeting none but boxes that
// stay is faster.
constexpr double kMostOthers = 5, kMostPairs = 1.9;
constexpr double kMostCells = 2;  // per box

struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -low, longest = 0;

  void add(double begin, double end) {
    low = std::min(low, begin);
    high = std::max(high, end);
    longest = std::max(longest, end - begin);
  }
};

// One axis of the cells. Boxes lie in the cell of their centre.
class Axis {
 public:
  Axis(const Bounds& bounds, double cell, double iou)
      : low_(bounds.low),
        per_cell_(1 / cell),
        longest_(bounds.longest),
        share_(std::min(iou, 0.5)),
        rounding_(0x1p-50 * std::max(std::abs(bounds.low), std::abs(bounds.high))),
        count_(static_cast<std::size_t>((bounds.high - bounds.low) * per_cell_) + 1) {}

  std::size_t count() const { return count_; }
  std::size_t cell(double begin, double end) const { return at(begin + (end - begin) / 2); }

  // The cells, both included, in which the centres of boxes lie that may share enough with this one: a side shared by
  // less than iou times the longer one can't.
  std::pair<std::size_t, std::size_t> near(double begin, double end) const {
    const double half = (end - begin) / 2, centre = begin + half;
    const double reach = half + (0.5 - share_) * longest_ + rounding_;
    return {at(centre - reach), at(centre + reach)};
  }

 private:
  std::size_t at(double place) const {
    const double last = static_cast<double>(count_ - 1);
    return static_cast<std::size_t>(std::min(std::max(0.0, (place - low_) * per_cell_), last));
  }

  double low_, per_cell_, longest_, share_, rounding_;
  std::size_t count_;
};

struct Placed {
  Box box;
  std::uint32_t rank;
};

// Boxes cell by cell, row by row: those of cell k are starts[k] ... starts[k + 1] − 1.
class Cells {
 public:
  Cells(const Axis& ys, const Axis& xs) : ys_(ys), xs_(xs), starts_(ys.count() * xs.count() + 1) {}

  // Returns how many others are in a box's own cell, on average.
  template <class BoxAt>
  double count(std::size_t n, BoxAt box) {
    cells_.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const Box b = box(i);
      const std::size_t cell = ys_.cell(b.y0, b.y1) * xs_.count() + xs_.cell(b.x0, b.x1);
      cells_[i] = static_cast<std::uint32_t>(cell);
      ++starts_[cell];
    }
    std::size_t together = 0;
    for (const std::size_t boxes : starts_) together += boxes * boxes;
    return static_cast<double>(together) / static_cast<double>(n) - 1;
  }

  template <class BoxAt>
  void place(const std::vector<std::uint32_t>& ranks, BoxAt box) {
    std::uint32_t end = 0;
    for (std::uint32_t& start : starts_) start = end += start;  // every box moves its own one down
    boxes_.resize(ranks.size());
    for (std::size_t i = 0; i < ranks.size(); ++i) boxes_[--starts_[cells_[i]]] = {box(i), ranks[i]};
  }

  Rivals rivals(double iou) const {
    Rivals found(boxes_.size());
    std::vector<std::uint32_t> close(boxes_.size());
    for (std::size_t y = 0; y < ys_.count(); ++y) {
      for (std::size_t i = start(y, 0); i < start(y + 1, 0); ++i) {
        const Box& box = boxes_[i].box;
        const std::size_t last_row = ys_.near(box.y0, box.y1).second;
        const auto [left, right] = xs_.near(box.x0, box.x1);
        meet(boxes_[i], i + 1, start(y, right + 1), iou, close, found);
        for (std::size_t row = y + 1; row <= last_row; ++row) {
          meet(boxes_[i], start(row, left), start(row, right + 1), iou, close, found);
        }
      }
    }
    return found;
  }

 private:
  std::size_t start(std::size_t y, std::size_t x) const { return starts_[y * xs_.count() + x]; }

  // Chance decides which boxes are close: no branch until those that are stand together. The area shared is >= the
  // product wherever the quotient is > iou.
  void meet(const Placed& one, std::size_t first, std::size_t last, double iou, std::vector<std::uint32_t>& close,
            Rivals& found) const {
    const Box& a = one.box;
    const double area = a.area();
    std::size_t count = 0;
    for (std::size_t k = first; k < last; ++k) {
      const Box& b = boxes_[k].box;
      const double height = std::max(std::min(a.y1, b.y1) - std::max(a.y0, b.y0), 0.0);
      const double width = std::max(std::min(a.x1, b.x1) - std::max(a.x0, b.x0), 0.0);
      const double both = height * width;
      close[count] = static_cast<std::uint32_t>(k);
      count += both >= iou * (area + b.area() - both);
    }
    for (std::size_t k = 0; k < count; ++k) {
      const Placed& other = boxes_[close[k]];
      if (overlap(a, other.box) > iou) found.add(std::min(one.rank, other.rank), std::max(one.rank, other.rank));
    }
  }

  Axis ys_, xs_;
  std::vector<std::uint32_t> cells_, starts_;
  std::vector<Placed> boxes_;
};

// Pairs per box of equal squares at random, one to the area of each: those shifted by (u, v) sides share enough where
// (1 − u)(1 − v) > s = 2 iou/(1 + iou). From 0.5 on it is not pairs but looking for them that takes the time.
double pairs_expected(double iou) {
  const double s = 2 * std::min(iou, 0.5) / (1 + std::min(iou, 0.5));
  return 2 * (1 - s + (s > 0 ? s * std::log(s) : 0));
}

}  // namespace

std::optional<Rivals> rivals(View<const double, 2> boxes, const std::vector<std::uint32_t>& ranks, double iou) {
  const std::size_t n = ranks.size();
  const auto box = [&](std::size_t i) { return Box{boxes(i, 0u), boxes(i, 1u), boxes(i, 2u), boxes(i, 3u)}; };
  Bounds y, x;
  for (std::size_t i = 0; i < n; ++i) {
    const Box b = box(i);
    y.add(b.y0, b.y1);
    x.add(b.x0, b.x1);
  }
  const double height = y.high - y.low, width = x.high - x.low;
  const double side = std::max(y.longest, x.longest);
  double cell = side / 2;
  if (!(cell >= std::numeric_limits<double>::min()) || !std::isfinite(height) || !std::isfinite(width)) return {};
  while ((height / cell + 1) * (width / cell + 1) > kMostCells * static_cast<double>(n)) cell *= 2;
  Cells cells(Axis(y, cell, iou), Axis(x, cell, iou));
  const double others = cells.count(n, box), crowding = others * (side / cell) * (side / cell);
  if (others > kMostOthers || crowding * pairs_expected(iou) > kMostPairs) return {};
  cells.place(ranks, box);
  return cells.rivals(iou);
}

}  // namespace crewe::atoms
