// What a session keeps, and the steps that it is made of; each file of this folder does one of them.
#pragma once

#include <array>
#include <atomic>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crewe/imaging/event_moments.hpp"
#include "crewe/imaging/moments.hpp"
#include "crewe/imaging/ricom.hpp"
#include "crewe/imaging/ssb.hpp"
#include "crewe/live/device.hpp"
#include "crewe/live/session.hpp"
#include "crewe/parallel.hpp"
#include "live/center.hpp"
#include "live/lines.hpp"
#include "live/order.hpp"
#include "live/queue.hpp"
#include "live/turn.hpp"

namespace crewe::live {

// Throws where the numbers of a kind are wrong; (rows, columns, depth) of its image.
std::array<std::size_t, 3> check_kind(const std::string& name, const Kind& kind, const Options& options);
// The kernel of a RiCOM image, nothing for other kinds.
std::optional<imaging::RicomKernel> make_kernel(const Kind& kind, const Options& options);
void check_center(const Point& center);
bool is_near(const Point& center);  // enough for distances from it to have digits left
void check_descan(const Descan& descan);
void check_rotation(double rotation);
double seconds_now();  // of a steady clock

// One image of a session.
struct Picture {
  std::string name;
  Kind kind;
  std::size_t rows = 0, columns = 0, depth = 1;
  std::shared_ptr<float[]> pixels;
  std::unique_ptr<std::atomic<std::uint64_t>[]> changed;  // version at which a row changed last

  std::optional<imaging::RicomKernel> kernel;       // RiCOM
  std::size_t detector = 0;                         // VirtualDetector: its place among the sums of a frame
  float scale = 0;                                  // ElectricField: volts per detector pixel
  std::unique_ptr<imaging::SsbSums> ssb, next_ssb;  // SSB: of this scan; of the next one, if chosen already
  std::unique_ptr<Lines> lines;                     // External
  std::atomic<bool> whole{false};                   // ICOM, SSB: made as a whole, on demand
  std::uint64_t made = 0;                           // ICOM, SSB: version of the patterns' sums it was made from
  std::size_t positions = 0;                        // ICOM, SSB: of those sums
  double seconds = 0, ended = 0;                    // ICOM, SSB: time it took, and when that was

  std::size_t size() const { return rows * columns * depth; }
  template <class K>
  bool is() const {
    return std::holds_alternative<K>(kind);
  }
};

struct Session::State {
  explicit State(Options given);

  Options options;
  std::size_t positions;
  ScanOrder order;
  ThreadPool pool;

  TurnLock lock;  // what follows: a block of a push, or one call of another thread
  std::deque<Picture> pictures;
  std::vector<imaging::Moments> moments;
  std::vector<std::uint64_t> seen;  // a bit per position
  std::size_t count = 0;            // positions seen
  std::size_t rows = 0;             // up to the last row that was seen
  std::optional<std::size_t> last;  // highest position that was seen
  bool exact = true;                // riCOM images hold every position once, in order
  std::uint64_t com_version = 0;    // when the centre-of-mass map changed last
  std::vector<float> profile;       // (positions, rings)
  std::vector<std::uint8_t> rings;  // ring of each detector pixel
  double ring_width = 0;
  Point ring_center;
  std::vector<double> frame_sum;  // Sum: of frames as the detector gave them,
  std::vector<double> event_sum;  // and of events
  double summed = 0;              // frames in `frame_sum`

  bool adaptive = false;  // centre or descan are fitted
  CenterModel center;
  Point detector_center;      // of virtual detectors and the ring of the centre of mass
  std::size_t refine_at = 1;  // positions at which the centre is looked at next
  struct Turn {               // crewe/imaging/rotate.hpp
    bool transpose = false, turns = false;
    float cos = 1, sin = 0;
  } turn;

  imaging::FrameReducer::Options wanted;  // of both reducers
  std::optional<imaging::FrameReducer> reducer;
  std::optional<imaging::EventReducer> event_reducer;  // from the first event on, like the three below
  std::vector<double> detector_sums;                   // (positions, detectors): float32 counts to 2^24 only
  std::vector<float> scattered;                        // (positions, 2): what of a position is in the riCOM images
  std::vector<std::uint32_t> touched, ready;           // positions: of the last block, and to be scattered
  struct Held {
    std::uint32_t position, quiet;  // blocks that didn't touch it
  };
  double last_events = 0;               // when they came [s]
  std::vector<Held> held, held_before;  // ascending: positions whose events may still be coming
  std::size_t detectors = 0;            // virtual detectors: sums per frame
  std::size_t ring_count = 0;

  // Scratch for a chunk of frames.
  std::size_t capacity = 0;
  std::vector<imaging::Moments> chunk_moments;
  std::vector<double> chunk_sums;
  std::vector<float> chunk_profiles;
  struct Line {
    std::size_t row, col, count, start;  // positions in one row, and where their vectors lie in `vectors`
  };
  std::vector<Line> lines;
  std::vector<float> vectors;        // centres of mass to add
  std::vector<std::uint32_t> fresh;  // frames of the chunk whose position is new,
  std::vector<std::uint32_t> where;  // and these positions
  std::vector<float> band;           // scratch of `recompute`

  std::atomic<std::uint64_t> version{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> closed{false};

  std::mutex whole_lock;  // one image that is made as a whole at a time; taken before `lock`
  std::vector<float> icom_com, icom_out;
  std::vector<std::complex<float>> ssb_field;

  std::size_t next_frame = 0;  // the producer's
  std::unique_ptr<Queue> queue;

  // session.cpp
  Picture& find(std::string_view name);
  Lines& find_lines(std::string_view name);
  std::size_t place(const imaging::FrameBlock& frames, std::optional<std::size_t> first) const;
  void check_open() const;
  void lend(const Queue::Slot& slot);
  void wait_for_queue();
  void clear();
  void settle();  // the final form of all images: called when a scan is complete, and by `finish`

  // frames.cpp
  void take(const imaging::FrameBlock& frames, std::size_t first);
  void reduce(const imaging::FrameBlock& frames, std::size_t begin, std::size_t end, std::size_t first);
  void take_on_device(const imaging::FrameBlock& frames, std::size_t first);
  void apply(const imaging::FrameBlock& frames, std::size_t begin, std::size_t end, std::size_t first);
  void scatter();
  void add_to_sum(const imaging::FrameBlock& frames);
  bool see(std::size_t position);  // true: for the first time
  void after_block(bool was_complete, bool at_end);

  // events.cpp
  void take(std::span<const io::Event> events, bool more);
  void begin_events();
  void apply(std::span<const io::Event> events, bool more);
  void add_positions(std::span<const std::uint32_t> ready);  // ascending
  void release_held();
  void show_sum(std::span<const io::Event> events);

  // setup.cpp
  void prepare(Picture& picture, const Kind& kind, std::optional<imaging::RicomKernel> kernel);
  void prepare_reducers();
  void prepare_rings();
  void set_detector_sums();
  void set_turn();
  std::unique_ptr<imaging::SsbSums> make_ssb(const SSB& kind, const Changes& changes = {});
  imaging::Parallel by_pool();

  // configure.cpp
  void configure(const Changes& changes);
  void begin_ssb();                                      // of a new scan
  bool ssb_fits(const imaging::SsbOptions& made) const;  // to centre, rotation and transposition as they are now
  void set_from_profile(Picture& picture);

  // images.cpp
  imaging::Com com_at(const imaging::Moments& m, std::size_t row, std::size_t col) const;
  void set_vector_images(std::size_t position, imaging::Com com);
  void set_detector_images(std::size_t position, const double* sums);
  void set_sum_images(std::size_t begin, std::size_t end);           // detector pixels
  void mark(Picture& picture, std::size_t first, std::size_t last);  // rows [first, last) are about to be visible
  void mark_positions(std::size_t first, std::size_t last);  // the same in all images but riCOM, Sum and whole ones
  void publish();

  // recompute.cpp
  bool refine(bool always);  // true: the centre moved, and all images with it
  void recompute();
  void recompute_vectors();
  void recompute_ricom(Picture& picture);
  void com_row(std::size_t row, float* out) const;
  // True: the image was stale. Takes `whole_lock`, and `lock` for as long as it copies.
  bool integrate(Picture& picture);
  bool integrate_locked(Picture& picture);
  bool icom_locked(Picture& picture);
  bool ssb_locked(Picture& picture);
  void integrate_in_time();
};

}  // namespace crewe::live
