// An acquisition program in C++: one thread has the detector, another one shows the images. The frames lie in a ring of
// buffers of the program's own, which the session borrows.
// Usage: acquire_cpp FRAMES SCAN_Y SCAN_X DETECTOR_Y DETECTOR_X OUT (see c/acquire.c).
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "crewe/error.hpp"
#include "crewe/live/session.hpp"

namespace {

namespace live = crewe::live;

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("not so: ") + what);
}

struct Buffer {
  std::vector<std::uint16_t> data;
  std::atomic<bool> free{true};
};

void give_back(void* user) {
  auto& free = static_cast<Buffer*>(user)->free;
  free.store(true);
  free.notify_one();
}

void acquire(char** argv) {
  live::Options options;
  options.sy = std::stoul(argv[2]);
  options.sx = std::stoul(argv[3]);
  options.ky = std::stoul(argv[4]);
  options.kx = std::stoul(argv[5]);
  options.images = {{"ricom", live::RiCOM{.kernel = 9}},
                    {"ring", live::VirtualDetector{.inner = 3, .outer = 8}},
                    {"com", live::CenterOfMass{}},
                    {"phase", live::SSB{.energy = 200e3,
                                        .semiangle = 15.0,
                                        .step = 0.5,
                                        .angle_per_pixel = 2.5,
                                        .aberrations = {{.n = 1, .m = 0, .size = 50.0},
                                                        {.n = 1, .m = 2, .size = 20.0, .azimuth = 0.3}}}}};
  options.center = {{(static_cast<double>(options.ky) - 1) / 2, (static_cast<double>(options.kx) - 1) / 2}};
  options.busy_when_full = true;
  options.queue = 2;
  live::Session session(options);
  const std::size_t pixels = options.ky * options.kx, positions = options.sy * options.sx;

  std::atomic<bool> stop{false}, sound{true};
  std::thread viewer([&] {
    std::vector<float> copy(positions);
    for (std::uint64_t seen = 0; !stop;) {
      if (const std::uint64_t version = session.version(); version != seen) {
        seen = version;
        session.read("ricom", copy);
        for (const float value : copy) {
          if (!std::isfinite(value)) sound = false;
        }
      }
      std::this_thread::yield();
    }
  });

  std::ifstream camera(argv[1], std::ios::binary);
  std::vector<Buffer> ring(4);
  for (Buffer& buffer : ring) buffer.data.resize(5 * pixels);
  std::size_t busy = 0;
  for (std::size_t first = 0, block = 0; first < positions; ++block) {
    Buffer& buffer = ring[block % ring.size()];
    buffer.free.wait(false);
    const std::size_t count = std::min<std::size_t>(5, positions - first);
    camera.read(reinterpret_cast<char*>(buffer.data.data()), static_cast<std::streamsize>(count * pixels * 2));
    expect(camera.good(), "frames come");
    buffer.free = false;
    crewe::imaging::FrameBlock frames;
    frames.data = reinterpret_cast<const std::byte*>(buffer.data.data());
    frames.pixel = crewe::imaging::Pixel::u16;
    frames.count = count;
    frames.ny = options.ky;
    frames.nx = options.kx;
    for (;;) {
      try {
        session.push(frames, first, {give_back, &buffer});
        break;
      } catch (const crewe::BusyError&) {
        ++busy;
        std::this_thread::yield();
      }
    }
    first += count;
  }
  session.finish();
  stop = true;
  viewer.join();
  expect(sound, "a reader sees finite numbers only");
  expect(session.done() == positions, "all positions are done");

  std::ofstream out(argv[6], std::ios::binary);
  for (const auto& [name, kind] : options.images) {
    const live::Image image = session.image(name);
    out.write(reinterpret_cast<const char*>(image.pixels.get()), static_cast<std::streamsize>(image.size() * 4));
  }
  out.close();
  expect(out.good(), "images are written");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    expect(argc == 7, "six arguments");
    acquire(argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
