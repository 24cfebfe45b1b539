#include "io/scan_lines.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace crewe::io {

void ScanLines::edge(std::size_t chip, std::int64_t time, bool rising, std::uint64_t place) {
  std::vector<Edge>& edges = chips_[chip].edges;
  const auto before = [](const Edge& a, const Edge& b) {
    return a.time != b.time ? a.time < b.time : !a.rising && b.rising;  // a line may begin where the last one ends
  };
  const Edge edge{time, place, rising};
  edges.insert(std::upper_bound(edges.begin(), edges.end(), edge, before), edge);
}

bool ScanLines::settle(std::size_t index, std::uint64_t place, Patience patience) {
  Chip& chip = chips_[index];
  std::vector<Edge>& edges = chip.edges;
  const auto certain = [&](const Edge& edge) { return patience != Patience::wait || place - edge.place >= disorder; };
  bool any = false;
  std::size_t used = 0;
  for (; used < edges.size();) {
    const Edge& edge = edges[used];
    const std::size_t more = edges.size() - used - 1;
    if (!edge.rising) {  // its rise was lost, or came before we listened
      if (!certain(edge)) break;
      if (last_length_ > 0) any |= add(chip, edge.time - last_length_, edge.time);
      used += 1;
    } else if (more == 0) {
      if (patience != Patience::end || last_length_ == 0) break;
      any |= add(chip, edge.time, edge.time + last_length_);
      used += 1;
    } else if (const Edge& next = edges[used + 1]; next.rising) {  // its fall was lost
      if (!certain(next)) break;
      const Line* same = match(edge.time);
      const std::int64_t fall = same != nullptr ? same->fall : edge.time + last_length_;
      if (edge.time < fall && fall <= next.time) any |= add(chip, edge.time, fall);
      used += 1;
    } else {
      if (more == 1 && !certain(next)) break;
      any |= add(chip, edge.time, next.time);
      used += 2;
    }
  }
  edges.erase(edges.begin(), edges.begin() + static_cast<std::ptrdiff_t>(used));
  return any;
}

const Line* ScanLines::match(std::int64_t rise) const {
  for (std::size_t i = known_.size(); i-- > 0;) {
    if (std::abs(known_[i].rise - rise) <= together) return &known_[i];
    if (known_[i].rise < rise) return nullptr;
  }
  return nullptr;
}

// The number of a line after all that are known.
std::uint64_t ScanLines::number_of(std::int64_t rise) {
  if (known_.empty()) return 0;
  const Line &first = known_.front(), &last = known_.back();
  const std::uint64_t lines = last.number - first.number;
  if (!cut_at_ || rise <= *cut_at_ || lines == 0) return last.number + 1;
  cut_at_.reset();
  const double period = static_cast<double>(last.rise - first.rise) / static_cast<double>(lines);
  return last.number +
         static_cast<std::uint64_t>(std::max(1.0, std::round(static_cast<double>(rise - last.rise) / period)));
}

bool ScanLines::add(Chip& chip, std::int64_t rise, std::int64_t fall) {
  if (fall <= rise) return false;
  Line line{rise, fall, 0};
  if (const Line* same = match(rise)) {
    line.number = same->number;
  } else {
    // Between lines that have been numbered already there is no place for another one.
    if (!known_.empty() && (rise <= known_.back().rise || rise + together < known_.back().fall)) return false;
    line.number = number_of(rise);
    known_.push_back(line);
    ++seen_;
    last_length_ = fall - rise;
    length_ += last_length_;
    if (known_.size() >= 2 * keep_lines) known_.erase(known_.begin(), known_.begin() + keep_lines);
  }
  bool any = false;
  while (const Line* missing = next_of(chip)) {  // lines before it that this chip has none of
    if (missing->number >= line.number) break;
    any |= give(chip, *missing);
    chip.reached = missing->number + 1;
  }
  return give(chip, line) || any;
}

bool ScanLines::give(Chip& chip, const Line& line) {
  if (line.number < chip.reached) return false;
  if (!chip.lines.empty() && line.rise + together < chip.lines.back().fall) return false;
  chip.lines.push_back(line);
  if (chip.lines.size() >= 2 * keep_lines) chip.lines.erase(chip.lines.begin(), chip.lines.begin() + keep_lines);
  chip.reached = line.number + 1;
  return true;
}

const Line* ScanLines::next_of(const Chip& chip, std::size_t more) const {
  const auto next = std::lower_bound(known_.begin(), known_.end(), chip.reached,
                                     [](const Line& line, std::uint64_t number) { return line.number < number; });
  return static_cast<std::size_t>(known_.end() - next) > more ? &*next + more : nullptr;
}

bool ScanLines::borrow(std::size_t index) {
  Chip& chip = chips_[index];
  const Line* line = next_of(chip);
  if (line == nullptr) return false;
  const bool any = give(chip, *line);
  chip.reached = line->number + 1;
  const std::int64_t fall = line->fall;
  std::erase_if(chip.edges, [fall](const Edge& edge) { return edge.time <= fall + together; });
  return any;
}

}  // namespace crewe::io
