// Pairs of boxes that overlap too much, each met once on a way through space from cell to cell: neighbours there are
// neighbours in memory too. For boxes of about one size that don't crowd.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::atoms {

// Of every box, known by its rank, the worse ones among those with which it shares more than is allowed.
class Rivals {
 public:
  explicit Rivals(std::size_t boxes) : heads_(boxes, kNone) {}

  void add(std::uint32_t better, std::uint32_t worse) {
    links_.push_back({worse, heads_[better]});
    heads_[better] = static_cast<std::uint32_t>(links_.size() - 1);
  }
  template <class See>
  void each(std::size_t better, See see) const {
    for (std::uint32_t k = heads_[better]; k != kNone; k = links_[k].next) see(links_[k].worse);
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Link {
    std::uint32_t worse, next;
  };
  std::vector<std::uint32_t> heads_;
  std::vector<Link> links_;
};

// Pairs whose IoU is > iou; nothing where boxes crowd, or their sizes are too different, so that there would be many
// pairs to look at. ranks: of every box, 0 for the best.
std::optional<Rivals> rivals(View<const double, 2> boxes, const std::vector<std::uint32_t>& ranks, double iou);

}  // namespace crewe::atoms
