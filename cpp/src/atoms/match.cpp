#include "crewe/atoms/match.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <stdexcept>

namespace crewe::atoms {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr std::size_t kNone = ~std::size_t{0};

struct Point {
  double y, x;
  std::size_t index;
};

std::vector<Point> sorted(View<const double, 2> points) {
  if (points.shape[1] != 2) throw std::invalid_argument("points: shape (n, 2) wanted");
  std::vector<Point> result(points.shape[0]);
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = {points(i, 0u), points(i, 1u), i};
  std::sort(result.begin(), result.end(), [](const Point& a, const Point& b) {
    return a.y != b.y ? a.y < b.y : a.x != b.x ? a.x < b.x : a.index < b.index;
  });
  return result;
}

std::vector<Point>::const_iterator first_from(const std::vector<Point>& points, double y) {
  return std::lower_bound(points.begin(), points.end(), y, [](const Point& p, double value) { return p.y < value; });
}

struct Edge {
  std::size_t to;
  double length;
};
using Edges = std::vector<std::vector<Edge>>;  // of every found point: the true ones within reach

Edges edges_within(View<const double, 2> found, View<const double, 2> truth, double tolerance) {
  const std::vector<Point> places = sorted(truth);
  Edges edges(found.shape[0]);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const double y = found(i, 0u), x = found(i, 1u);
    for (auto at = first_from(places, y - tolerance); at != places.end() && at->y <= y + tolerance; ++at) {
      const double length = std::hypot(at->y - y, at->x - x);
      if (length <= tolerance) edges[i].push_back({at->index, length});
    }
  }
  return edges;
}

// Groups of found points that compete for the same true ones.
std::vector<std::vector<std::size_t>> groups_of(const Edges& edges, std::size_t truths) {
  std::vector<std::size_t> parent(edges.size());
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&](std::size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::vector<std::size_t> first(truths, kNone);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (const Edge& edge : edges[i]) {
      if (first[edge.to] == kNone) first[edge.to] = i;
      const std::size_t a = root(i), b = root(first[edge.to]);
      parent[std::max(a, b)] = std::min(a, b);
    }
  }
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::size_t> number(edges.size(), kNone);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].empty()) continue;
    const std::size_t r = root(i);
    if (number[r] == kNone) {
      number[r] = groups.size();
      groups.emplace_back();
    }
    groups[number[r]].push_back(i);
  }
  return groups;
}

// The best matching of one group: found points join one by one, each along the shortest augmenting path in reduced
// lengths. Every found point has a place of its own, dearer than all detours together, where it is left alone.
class Group {
 public:
  Group(const std::vector<std::size_t>& founds, const Edges& edges, double tolerance) {
    const double alone = tolerance * (2 * static_cast<double>(founds.size()) + 1);
    for (const std::size_t i : founds) {
      for (const Edge& edge : edges[i]) places_.push_back(edge.to);
    }
    std::sort(places_.begin(), places_.end());
    places_.erase(std::unique(places_.begin(), places_.end()), places_.end());
    for (const std::size_t i : founds) {
      std::vector<Edge>& local = edges_.emplace_back();
      for (const Edge& edge : edges[i]) {
        const auto at = std::lower_bound(places_.begin(), places_.end(), edge.to) - places_.begin();
        local.push_back({static_cast<std::size_t>(at), edge.length});
      }
      local.push_back({places_.size() + edges_.size() - 1, alone});
    }
    const std::size_t n = places_.size() + founds.size();
    owner_.assign(n, kNone);
    price_.assign(n, 0.0);
    length_.assign(n, kFar);
    from_.assign(n, kNone);
    done_.assign(n, false);
    place_.assign(founds.size(), kNone);
    for (std::size_t i = 0; i < founds.size(); ++i) add(i);
  }

  // The true point of the k-th found one, or kNone.
  std::size_t partner(std::size_t k) const { return place_[k] < places_.size() ? places_[place_[k]] : kNone; }

 private:
  void add(std::size_t source) {
    using Step = std::pair<double, std::size_t>;
    std::priority_queue<Step, std::vector<Step>, std::greater<>> queue;
    std::vector<std::size_t> touched, settled;
    const auto relax = [&](std::size_t i, double offset) {
      for (const Edge& edge : edges_[i]) {
        const double length = offset + edge.length - price_[edge.to];
        if (done_[edge.to] || length >= length_[edge.to]) continue;  // rounding may shorten what is settled
        if (length_[edge.to] == kFar) touched.push_back(edge.to);
        length_[edge.to] = length;
        from_[edge.to] = i;
        queue.emplace(length, edge.to);
      }
    };
    relax(source, 0);
    std::size_t end = kNone;
    while (end == kNone) {
      const auto [length, j] = queue.top();  // never empty: the source's own place is free
      queue.pop();
      if (done_[j] || length > length_[j]) continue;
      if (owner_[j] == kNone) {
        end = j;
        for (const std::size_t k : settled) price_[k] += length_[k] - length;
        break;
      }
      settled.push_back(j);
      done_[j] = true;
      relax(owner_[j], length - (length_to(owner_[j], j) - price_[j]));
    }
    for (std::size_t i = kNone; i != source;) {
      i = from_[end];
      owner_[end] = i;
      std::swap(end, place_[i]);
    }
    for (const std::size_t j : touched) {
      length_[j] = kFar;
      done_[j] = false;
    }
  }

  double length_to(std::size_t i, std::size_t j) const {
    return std::find_if(edges_[i].begin(), edges_[i].end(), [&](const Edge& edge) { return edge.to == j; })->length;
  }

  std::vector<std::size_t> places_;  // true points of the group, rising; after them one place for each found point
  Edges edges_;
  std::vector<std::size_t> owner_, from_, place_;
  std::vector<double> price_, length_;
  std::vector<bool> done_;
};

// Distances to the nearest of the places, sought outwards from the point's row; `others`: not to the point itself.
std::vector<double> distances(View<const double, 2> points, const std::vector<Point>& places, bool others) {
  if (points.shape[1] != 2) throw std::invalid_argument("points: shape (n, 2) wanted");
  std::vector<double> result(points.shape[0]);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double y = points(i, 0u), x = points(i, 1u);
    double best = kFar;  // squared
    const auto look = [&](const Point& p) {
      const double square = (p.y - y) * (p.y - y) + (p.x - x) * (p.x - x);
      if (square < best && !(others && p.index == i)) best = square;
    };
    const auto middle = first_from(places, y);
    for (auto at = middle; at != places.end() && (at->y - y) * (at->y - y) < best; ++at) look(*at);
    for (auto at = middle; at != places.begin() && (y - (at - 1)->y) * (y - (at - 1)->y) < best; --at) look(*(at - 1));
    result[i] = std::sqrt(best);
  }
  return result;
}

}  // namespace

std::vector<double> nearest(View<const double, 2> points, View<const double, 2> others) {
  return distances(points, sorted(others), false);
}

std::vector<double> neighbour(View<const double, 2> points) {
  return distances(points, sorted(points), true);
}

std::vector<std::pair<std::size_t, std::size_t>> match(View<const double, 2> found, View<const double, 2> truth,
                                                       double tolerance) {
  if (found.shape[1] != 2) throw std::invalid_argument("found: shape (n, 2) wanted");
  if (!(tolerance > 0)) throw std::invalid_argument("tolerance: a positive number wanted");
  const Edges edges = edges_within(found, truth, tolerance);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const std::vector<std::size_t>& founds : groups_of(edges, truth.shape[0])) {
    const Group group(founds, edges, tolerance);
    for (std::size_t k = 0; k < founds.size(); ++k) {
      if (group.partner(k) != kNone) pairs.emplace_back(founds[k], group.partner(k));
    }
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace crewe::atoms
