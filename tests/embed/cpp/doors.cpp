// Wrong sizes come back as std::invalid_argument (or out_of_range) that names the argument, says what is wanted and
// what came, and harm nothing.
#include <sys/resource.h>

#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "crewe/imaging/event_moments.hpp"
#include "crewe/imaging/icom.hpp"
#include "crewe/imaging/patches.hpp"
#include "crewe/imaging/ricom.hpp"
#include "crewe/imaging/ssb.hpp"
#include "crewe/io/tpx3.hpp"
#include "crewe/live/session.hpp"
#include "crewe/metrics/ssim.hpp"
#include "crewe/noise/geometry.hpp"
#include "crewe/parallel.hpp"
#include "crewe/sim/multislice.hpp"
#include "crewe/specimen/render.hpp"

namespace {

using crewe::View;

int wrong = 0;

void refused(const std::string& message, const std::function<void()>& call) {
  std::string came = "nothing";
  try {
    call();
  } catch (const std::exception& error) {
    came = error.what();
  }
  if (came.starts_with(message)) return;
  std::cerr << "wanted: " << message << "\n  came: " << came << '\n';
  ++wrong;
}

crewe::live::Options session_of(std::size_t sy, std::size_t sx, std::size_t ky, std::size_t kx) {
  crewe::live::Options options;
  options.sy = sy;
  options.sx = sx;
  options.ky = ky;
  options.kx = kx;
  options.images = {{"ring", crewe::live::VirtualDetector{.inner = 1, .outer = 3}}};
  options.com_inner = 1;
  options.threads = 1;
  return options;
}

void sessions() {
  auto options = session_of(4, 5, 6, 7);
  options.com_mask.assign(4200, 1.0F);  // beyond the memory of the ring they are multiplied with
  refused("com_mask: 42 pixels wanted, 4200 came", [&] { crewe::live::Session session(options); });
  options = session_of(4, 5, 6, 7);
  options.images = {{"phase", crewe::live::SSB{.energy = 2e5, .semiangle = 9, .step = 1, .angle_per_pixel = 3}}};
  options.dead_pixels.assign(3, 0);
  refused("dead_pixels: 42 pixels wanted, 3 came", [&] { crewe::live::Session session(options); });
  options = session_of(4, 5, 6, 7);
  options.flyback = std::numeric_limits<std::size_t>::max() - 4;  // a row of no frames
  refused("order: skip and flyback of at most 2^32 frames wanted, 0 and 18446744073709551611 came",
          [&] { crewe::live::Session session(options); });
  options = session_of(4, 5, 6, 7);
  options.positions = {0, 1, 2};
  refused("order: a list, as there are positions, wanted", [&] { crewe::live::Session session(options); });
  options.order = crewe::live::Order::list;
  options.positions.clear();
  refused("positions: one for each frame wanted, none came", [&] { crewe::live::Session session(options); });
  options = session_of(4, 5, 6, 7);
  options.queue = std::numeric_limits<std::size_t>::max();
  refused("queue: 1 to 1048576 blocks wanted", [&] { crewe::live::Session session(options); });
  options = session_of(0, 5, 6, 7);
  refused("scan: (rows, columns) of 1 to 2^31 positions wanted, (0, 5) came",
          [&] { crewe::live::Session session(options); });
}

// Lent or not: nothing changes, and nothing is given back.
void frames() {
  const std::vector<std::uint8_t> memory(20 * 6 * 7, 1);
  const crewe::imaging::FrameBlock sound{.data = reinterpret_cast<const std::byte*>(memory.data()),
                                         .pixel = crewe::imaging::Pixel::u8,
                                         .count = 20,
                                         .ny = 6,
                                         .nx = 7};
  crewe::live::Session session(session_of(4, 5, 6, 7));
  bool released = false;
  const auto refused_frames = [&](const std::string& message, const crewe::imaging::FrameBlock& block,
                                  std::size_t first) {
    refused(message, [&] { session.push(block, first); });
    refused(message,
            [&] { session.push(block, first, {[](void* user) { *static_cast<bool*>(user) = true; }, &released}); });
  };
  crewe::imaging::FrameBlock block = sound;
  block.data = nullptr;
  refused_frames("frames: data is NULL", block, 0);
  block = sound;
  block.ny = 0;
  refused_frames("frames: detector of (6, 7) pixels wanted, (0, 7) came", block, 0);
  block = sound;
  block.count = std::numeric_limits<std::size_t>::max();
  refused_frames("frames: 18446744073709551615 frames from frame 0 on don't fit", block, 0);
  refused_frames("frames: 20 frames from frame 1 on don't fit", sound, 1);
  if (released || session.done() != 0) ++wrong;
}

void images() {
  std::vector<float> memory(1024);
  const View<float, 2> image(memory.data(), {4, 5});
  const View<const float, 3> com(memory.data(), {4, 6, 2});
  refused("com: shape (4, 5, 2) wanted, (4, 6, 2) came", [&] { crewe::imaging::icom(com, image, 1, 0, 1); });
  refused("com: shape (4, 5, 2) wanted, (4, 6, 2) came",
          [&] { crewe::imaging::ricom(com, crewe::imaging::RicomKernel(3, 0, 1, 4, 5), image, 1); });
  refused("kernel: an odd width wanted, 4 came", [] { crewe::imaging::RicomKernel(4, 0, 1, 4, 5); });
  const View<float, 2> columns(memory.data(), {4, 5}, {1, 4});
  refused("image: a C-contiguous array wanted, one with gaps or another order came",
          [&] { crewe::noise::gaussian_blur(columns, image, 1, 1); });
  refused("image: pixels wanted, none came", [&] {
    crewe::noise::gaussian_blur(View<const float, 2>(memory.data(), {4, 0}), View<float, 2>(memory.data(), {4, 0}), 1,
                                1);
  });
  refused("sigma: 0 to 1000 pixels wanted, inf came", [&] {
    crewe::noise::gaussian_blur(image, View<float, 2>(memory.data() + 20, {4, 5}),
                                std::numeric_limits<double>::infinity(), 1);
  });
  refused("maps: shape (2, 4, 5) wanted, (1, 4, 5) came", [&] {
    crewe::metrics::ssim(image, View<const float, 3>(memory.data(), {2, 4, 5}),
                         View<float, 3>(memory.data(), {1, 4, 5}), 3, 1);
  });
  const double places[3] = {};
  refused("places: shape (1, 2) wanted, (1, 3) came",
          [&] { crewe::specimen::render(View<const double, 2>(places, {1, 3}), nullptr, {}, image, 1); });
}

void patches() {
  std::vector<float> wave(2 * 8 * 8, 1.0F);
  const View<const float, 3> probe(wave.data(), {2, 8, 8});
  refused("pitch: 0.000244 pixels or more wanted, 0.000000 came", [&] { crewe::imaging::Patches(probe, 1e-300, 0); });
  const crewe::imaging::Patches made(probe, 1, 0.1);
  std::vector<std::complex<float>> sum(9 * 9);
  const View<std::complex<float>, 2> image(sum.data(), {9, 9});
  const View<const float, 4> waves(wave.data(), {1, 2, 8, 8});
  refused("first: positions outside of the image",
          [&] { made.add(waves, std::numeric_limits<std::size_t>::max(), 5, 2, image, 1); });
  refused("columns: 1 to 5, which the image has, wanted, 6 came", [&] { made.add(waves, 0, 6, 2, image, 1); });
}

void events() {
  crewe::imaging::FrameReducer::Options options;
  options.ny = 4;
  options.nx = 5;
  options.dead_pixels.assign(19, 0);
  refused("dead_pixels: 20 pixels wanted, 19 came", [&] { crewe::imaging::EventReducer(options, 10); });
  crewe::io::EventOptions scan;
  scan.sy = scan.sx = 4;
  scan.ny = scan.nx = 256;
  scan.chips = {{300, 0, false, false}};
  refused("chips: places within the detector wanted, (300, 0) came", [&] { crewe::io::Tpx3Scan decoder(scan); });
}

void slices() {
  crewe::sim::MultisliceOptions options;
  options.ny = options.nx = 8;
  options.dy = options.dx = 0.1;
  options.wavelength = 0.02;
  crewe::sim::Multislice<float> engine(options);
  engine.reserve(2);
  const std::vector<float> potential(64);
  refused("first: slices beyond the room that was reserved", [&] {
    engine.load(std::numeric_limits<std::size_t>::max(), View<const float, 3>(potential.data(), {1, 8, 8}), 1);
  });
  refused(std::bad_alloc().what(), [&] { crewe::sim::Waves<float>(engine, std::size_t{1} << 60); });
}

// More threads than there is room for: those that were made end, and the program goes on.
void threads() {
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit little{rlim_t{1} << 30, before.rlim_max};
  setrlimit(RLIMIT_AS, &little);
  refused("threads: 5000 wanted, the system gives ", [] { crewe::ThreadPool pool(5000); });
  refused("threads: 5000 wanted, the system gives ",
          [] { crewe::parallel_for(2, 1, 5000, [](std::size_t, std::size_t) {}); });
  setrlimit(RLIMIT_AS, &before);
}

}  // namespace

int main() {
  threads();
  sessions();
  frames();
  images();
  patches();
  events();
  slices();
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
