// A camera that is lost in the middle of a scan and comes back, while somebody turns knobs. It has a thread of its own
// and lends its buffers; a second session in the same program, which had it quiet, tells what the images should be.
#include <atomic>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "crewe/live/session.hpp"

namespace {

namespace live = crewe::live;

constexpr std::size_t kScan = 12, kSide = 16, kPixels = kSide * kSide, kFrames = kScan * kScan, kBlock = 4;

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

live::Options options() {
  live::Options wanted;
  wanted.sy = wanted.sx = kScan;
  wanted.ky = wanted.kx = kSide;
  wanted.images = {{"ricom", live::RiCOM{.kernel = 7}}, {"ring", live::VirtualDetector{.inner = 3}}};
  wanted.queue = 2;
  return wanted;
}

struct Buffer {
  std::vector<std::uint16_t> data = std::vector<std::uint16_t>(kBlock * kPixels);
  std::atomic<bool> lent{false};
};

void give_back(void* user) {
  auto& lent = static_cast<Buffer*>(user)->lent;
  lent.store(false);
  lent.notify_one();
}

class Camera {
 public:
  void expose(live::Session& session, std::size_t begin, std::size_t end) {
    for (std::size_t first = begin; first < end; first += kBlock) {
      Buffer& buffer = ring_[first / kBlock % ring_.size()];
      buffer.lent.wait(true);
      for (std::size_t i = 0; i < buffer.data.size(); ++i) {
        const std::size_t at = first * kPixels + i;
        buffer.data[i] = static_cast<std::uint16_t>(at * at / 7 % 13);
      }
      buffer.lent = true;
      crewe::imaging::FrameBlock frames;
      frames.data = reinterpret_cast<const std::byte*>(buffer.data.data());
      frames.pixel = crewe::imaging::Pixel::u16;
      frames.count = kBlock, frames.ny = frames.nx = kSide;
      session.push(frames, first, {give_back, &buffer});
    }
  }
  bool has_all() const {
    for (const Buffer& buffer : ring_) {
      if (buffer.lent) return false;
    }
    return true;
  }

 private:
  std::vector<Buffer> ring_ = std::vector<Buffer>(4);
};

void expose_and_turn(Camera& camera, live::Session& session, std::size_t begin, std::size_t end) {
  std::thread thread([&] { camera.expose(session, begin, end); });
  for (const std::size_t kernel : {3, 5, 9, 7}) {
    live::Changes knobs;
    knobs.images = {{"ricom", live::RiCOM{.kernel = kernel}}};
    session.configure(knobs);
  }
  thread.join();
}

std::vector<float> pixels(const live::Session& session, std::string_view name) {
  std::vector<float> copy(session.image(name).size());
  session.read(name, copy);
  return copy;
}

void run() {
  Camera camera, quiet_camera;
  live::Session quiet(options());
  quiet_camera.expose(quiet, 0, kFrames);
  quiet.finish();
  {
    live::Session session(options());
    const live::Image picture = session.image("ring");
    constexpr std::size_t kLost = kFrames / 2;
    expose_and_turn(camera, session, 0, kLost);
    session.finish();
    expect(camera.has_all(), "finish gives every buffer back");
    expect(session.done() == kLost, "done tells how far it got");
    expose_and_turn(camera, session, kLost, kFrames);
    session.finish();
    for (const char* name : {"ricom", "ring"}) expect(pixels(session, name) == pixels(quiet, name), name);
    expect(picture.pixels[kFrames - 1] > 0, "the view has filled");

    session.next_scan();
    expect(session.done() == 0 && picture.pixels[kFrames - 1] == 0, "the next scan begins with nothing");
    expect(session.image("ring").pixels == picture.pixels, "views stay where they are");
    camera.expose(session, 0, kLost);
  }
  expect(camera.has_all(), "a session that is destroyed has given back what was lent");
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "not so: " << error.what() << '\n';
    return 1;
  }
}
