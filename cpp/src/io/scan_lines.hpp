// Scan lines from the edges of the line trigger, which every chip of a detector reports on its own, or doesn't.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace crewe::io {

struct Line {
  std::int64_t rise, fall;  // [ticks]
  std::uint64_t number;     // from the first line on, through all scans
};

class ScanLines {
 public:
  // Edges of one line by different chips lie this close [ticks] (0.4 µs); lines must be longer.
  static constexpr std::int64_t together = 256;
  // Words of a chip are out of order by tens of places: after so many more of them an edge is where it belongs.
  static constexpr std::uint64_t disorder = 64;

  explicit ScanLines(std::size_t chips) : chips_(chips) {}

  // An edge at the word `place` of its chip.
  void edge(std::size_t chip, std::int64_t time, bool rising, std::uint64_t place);

  enum class Patience { wait, now, end };
  // Makes lines of the edges that are certain when the chip has come to `place`; `now` takes all as they are, and `end`
  // gives the last line, if its fall never came, the length of the one before. True: there are new lines of this chip.
  bool settle(std::size_t chip, std::uint64_t place, Patience patience);

  // Gives a chip the next line of the others, of which it has no edges of its own.
  bool borrow(std::size_t chip);

  // Lines go by unseen from now on: the number of the next one follows from the time since the last one.
  void cut(std::int64_t now) { cut_at_ = now; }

  // The line after the last one of a chip, or `more` after that, as the other chips have it; null if there is none.
  const Line* next(std::size_t chip, std::size_t more = 0) const { return next_of(chips_[chip], more); }
  bool has_edges(std::size_t chip) const { return !chips_[chip].edges.empty(); }

  // Lines of a chip, ascending. Old ones are forgotten: `begin` counts on.
  const std::vector<Line>& lines(std::size_t chip) const { return chips_[chip].lines; }
  // Lines that the chip has had so far, 0 to lines − 1 by number.
  std::uint64_t reached(std::size_t chip) const { return chips_[chip].reached; }

  // Of the last line, plus 1.
  std::uint64_t count() const { return known_.empty() ? 0 : known_.back().number + 1; }
  // Mean length of the lines so far [ticks]; 0 = none yet.
  double mean_length() const { return seen_ == 0 ? 0 : static_cast<double>(length_) / static_cast<double>(seen_); }

 private:
  static constexpr std::size_t keep_lines = 512;

  struct Edge {
    std::int64_t time;
    std::uint64_t place;
    bool rising;
  };
  struct Chip {
    std::vector<Edge> edges;  // ascending in time
    std::vector<Line> lines;
    std::uint64_t reached = 0;
  };

  std::vector<Chip> chips_;
  std::vector<Line> known_;  // of whichever chip was first; ascending
  std::uint64_t seen_ = 0;
  std::int64_t length_ = 0, last_length_ = 0;
  std::optional<std::int64_t> cut_at_;

  const Line* match(std::int64_t rise) const;
  const Line* next_of(const Chip& chip, std::size_t more = 0) const;
  std::uint64_t number_of(std::int64_t rise);
  bool add(Chip& chip, std::int64_t rise, std::int64_t fall);
  bool give(Chip& chip, const Line& line);
};

}  // namespace crewe::io
