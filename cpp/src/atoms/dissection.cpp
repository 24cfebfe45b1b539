#include "atoms/dissection.hpp"

#include <algorithm>

namespace crewe::atoms {
namespace {

using List = std::vector<std::uint32_t>;
constexpr std::size_t kLeaf = 12;  // columns that aren't halved any more

class Builder {
 public:
  Builder(const std::vector<Column>& columns, Dissection& to) : columns_(columns), to_(to), part_(columns.size(), 0) {}

  // Fronts of `list`; returns those without a parent yet.
  std::vector<std::size_t> build(List list) {
    if (list.size() <= kLeaf) return leaves(list);
    double low[2] = {columns_[list[0]].y, columns_[list[0]].x}, high[2] = {low[0], low[1]};
    for (const std::uint32_t c : list) {
      const double place[2] = {columns_[c].y, columns_[c].x};
      for (int axis = 0; axis < 2; ++axis) {
        low[axis] = std::min(low[axis], place[axis]);
        high[axis] = std::max(high[axis], place[axis]);
      }
    }
    const bool along_y = high[0] - low[0] >= high[1] - low[1];
    const auto middle = list.begin() + static_cast<std::ptrdiff_t>(list.size() / 2);
    std::nth_element(list.begin(), middle, list.end(), [&](std::uint32_t a, std::uint32_t b) {
      const double pa = along_y ? columns_[a].y : columns_[a].x, pb = along_y ? columns_[b].y : columns_[b].x;
      return pa != pb ? pa < pb : a < b;
    });
    List halves[2] = {{list.begin(), middle}, {middle, list.end()}}, between[2];
    const std::uint32_t mark[2] = {++marks_, ++marks_};
    for (int side = 0; side < 2; ++side) {
      for (const std::uint32_t c : halves[side]) part_[c] = mark[side];
    }
    for (int side = 0; side < 2; ++side) {
      for (const std::uint32_t c : halves[side]) {
        const auto& near = to_.neighbours[c];
        const bool touches = std::any_of(near.begin(), near.end(),
                                         [&](const Neighbour& other) { return part_[other.column] == mark[1 - side]; });
        if (touches) between[side].push_back(c);
      }
    }
    const int side = between[0].size() <= between[1].size() ? 0 : 1;
    List& separator = between[side];
    for (const std::uint32_t c : separator) part_[c] = 0;
    std::erase_if(halves[side], [&](std::uint32_t c) { return part_[c] == 0; });
    std::vector<std::size_t> parts;
    for (List& half : halves) {
      if (half.empty()) continue;
      const std::vector<std::size_t> more = build(std::move(half));
      parts.insert(parts.end(), more.begin(), more.end());
    }
    if (separator.empty()) return parts;
    return {add(std::move(separator), std::move(parts))};
  }

 private:
  std::size_t add(List own, std::vector<std::size_t> children) {
    for (const std::uint32_t c : own) to_.order[c] = next_++;
    to_.fronts.push_back({std::move(own), {}, std::move(children)});
    return to_.fronts.size() - 1;
  }

  // One front for each group of columns that hang together.
  std::vector<std::size_t> leaves(const List& list) {
    std::vector<std::size_t> fronts;
    const std::uint32_t mark = ++marks_;
    for (const std::uint32_t c : list) part_[c] = mark;
    for (const std::uint32_t first : list) {
      if (part_[first] != mark) continue;
      List group{first};
      part_[first] = 0;
      for (std::size_t k = 0; k < group.size(); ++k) {
        for (const Neighbour& other : to_.neighbours[group[k]]) {
          if (part_[other.column] != mark) continue;
          part_[other.column] = 0;
          group.push_back(other.column);
        }
      }
      fronts.push_back(add(std::move(group), {}));
    }
    return fronts;
  }

  const std::vector<Column>& columns_;
  Dissection& to_;
  std::vector<std::uint32_t> part_;
  std::uint32_t marks_ = 0, next_ = 0;
};

}  // namespace

Dissection dissect(const std::vector<Column>& columns, const std::vector<Pair>& pairs) {
  Dissection out;
  const std::size_t n = columns.size();
  out.neighbours.resize(n);
  out.order.resize(n);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    out.neighbours[pairs[k].i].push_back({pairs[k].j, static_cast<std::uint32_t>(k)});
    out.neighbours[pairs[k].j].push_back({pairs[k].i, static_cast<std::uint32_t>(k)});
  }
  List all(n);
  for (std::size_t c = 0; c < n; ++c) all[c] = static_cast<std::uint32_t>(c);
  if (n > 0) out.roots = Builder(columns, out).build(std::move(all));

  std::vector<std::size_t> seen(n, out.fronts.size());  // the last front that looked at a column
  for (std::size_t f = 0; f < out.fronts.size(); ++f) {
    Front& front = out.fronts[f];
    const std::uint32_t last = out.order[front.own.back()];
    const auto look = [&](std::uint32_t c) {
      if (out.order[c] <= last || seen[c] == f) return;
      seen[c] = f;
      front.border.push_back(c);
    };
    for (const std::size_t child : front.children) {
      for (const std::uint32_t c : out.fronts[child].border) look(c);
    }
    for (const std::uint32_t c : front.own) {
      for (const Neighbour& other : out.neighbours[c]) look(other.column);
    }
    std::sort(front.border.begin(), front.border.end(),
              [&](std::uint32_t a, std::uint32_t b) { return out.order[a] < out.order[b]; });
  }
  return out;
}

}  // namespace crewe::atoms
