// Images that fill while the scan runs.
//
// One thread pushes (the producer); any number of threads read. Per position the session keeps three sums (n, Σy, Σx)
// in double, from which every centre-of-mass image can be made again: a change of kernel, centre or rotation takes
// effect for the past at once. Frames pushed in order give the bits of the batch functions (crewe/imaging), however
// they are cut into blocks and for any number of threads. Where positions came again, late or in disorder, or the
// centre moved, the riCOM image is right to rounding and is recomputed, bit for bit, when the scan is complete and in
// `finish`.
//
// Readers take no lock: images lie in memory that never moves and is written by stores of whole floats. What `done` and
// `version` tell is visible: both are stored (release) after the pixels. Nothing is allocated after the first scan,
// except by `configure` and by the Fourier transform of ICOM.
//
// Yu et al., Microsc. Microanal. 28 (2022) 1526.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crewe/imaging/moments.hpp"
#include "crewe/io/event.hpp"
#include "crewe/live/kinds.hpp"

namespace crewe::live {

// C-contiguous pixels (rows, columns) or (rows, columns, 2) that live as long as `pixels` is held, session or not.
struct Image {
  std::shared_ptr<const float[]> pixels;
  std::array<std::size_t, 3> shape{};
  std::size_t axes = 2;
  std::size_t size() const { return shape[0] * shape[1] * (axes == 3 ? shape[2] : 1); }
};

// Called once when a borrowed block has been summed, or refused; from the session's worker thread.
struct Release {
  void (*call)(void* user) = nullptr;
  void* user = nullptr;
};

class Session {
 public:
  // std::invalid_argument names the option that is wrong.
  explicit Session(Options options);
  ~Session();  // closes
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Options& options() const noexcept;
  int threads() const noexcept;         // that sum frames
  std::size_t frames() const noexcept;  // of a whole scan as the detector counts them, with skipped and flyback frames

  // ---- the producer's side: one thread at a time

  // Sums the frames before it returns. `first`: index of the first frame as the detector counts them (default: after
  // the last block pushed). A position that comes again is replaced. What doesn't fit or holds NaN is refused whole
  // (std::invalid_argument) and changes nothing.
  void push(const imaging::FrameBlock& frames, std::optional<std::size_t> first = std::nullopt);

  // Borrows the buffer: the block is summed by a worker thread, in order, and then released. Full queue: waits, or
  // throws BusyError. Shape and place are checked here; a NaN found later is thrown by the next push or flush. A push
  // that throws has borrowed nothing, `release` isn't called.
  void push(const imaging::FrameBlock& frames, std::optional<std::size_t> first, Release release);

  // Any order; events of one position add up. An event outside the scan or the detector: std::out_of_range, and none
  // counts. `more`: the next block follows at once. A position is then done, and in the riCOM images, once two blocks
  // have passed that don't touch it: it is added once, instead of once per block, and in order.
  void push_events(std::span<const io::Event> events, bool more = false);

  // Borrows the events, as `push` does frames; one that lies outside is thrown by the next push or flush.
  void push_events(std::span<const io::Event> events, Release release, bool more = false);

  // Waits until every borrowed block is summed.
  void flush();
  // Flushes and brings every image to its final form; more may be pushed afterwards.
  void finish();
  // Finishes; pushes are refused from now on. Images stay readable.
  void close();
  // All images zero, all settings kept.
  void next_scan();

  // ---- External images

  // The producer's: the scan's patterns are gathered from here on until `next_scan`.
  void gather(std::string_view name, const Binning& bins);
  // Any thread: the complete line that has waited longest, its patterns (sx, bins.rows, bins.columns) to `out`; its
  // row. Single electrons: a line is complete once two blocks of them lay behind it.
  std::optional<std::size_t> take_line(std::string_view name, std::span<float> out);
  std::size_t waiting_lines(std::string_view name) const;
  // The producer's: rows that aren't complete, ascending, and the patterns of one of them.
  std::vector<std::size_t> open_lines(std::string_view name) const;
  void read_line(std::string_view name, std::size_t row, std::span<float> out) const;
  // Any thread: frames and electrons that came for a line after it was complete, and are left out.
  std::size_t late(std::string_view name) const;
  // Any thread: gathers no more, and forgets what waits.
  void stop_gathering(std::string_view name);
  // Any thread: rows of the image, from `first` on.
  void write(std::string_view name, std::size_t first, std::span<const float> rows);

  // ---- from any thread

  // Validated as a whole before anything changes. Images of the centre of mass are recomputed from what is kept;
  // virtual detectors too where `keep_profile` is set (exact where radii are multiples of `ring_width` from the
  // centre that the scan began with, else the ring that a radius cuts counts by its share of pixels), without it from
  // the next frame on.
  void configure(const Changes& changes);

  // std::out_of_range for an unknown name.
  Image image(std::string_view name) const;
  // Brings an image that is made as a whole (ICOM, SSB) up to date.
  void refresh(std::string_view name);
  // Copies an image; for readers that want a float array of their own.
  void read(std::string_view name, std::span<float> out) const;

  std::size_t done() const noexcept;       // distinct positions whose pixels are visible
  std::uint64_t version() const noexcept;  // grows with every change of any image
  bool closed() const noexcept;
  Point center() const;  // as it is used now, in the middle of the scan
  Descan descan() const;
  Point detector_center() const;  // of what needs it before the scan is known: radii, phases
  double ring_width() const;      // of the profile kept of this scan [detector pixels]

  // Rows (first, last) of an image that changed after version `since`; read `version` before.
  void changed_rows(std::string_view name, std::uint64_t since,
                    std::vector<std::pair<std::size_t, std::size_t>>& rows) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crewe::live
