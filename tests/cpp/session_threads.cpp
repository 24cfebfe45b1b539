// One producer, readers and somebody who changes settings all the time, on one session; to be run under TSan.
// Frames and events, borrowed and not, several scans; in the end the images are those of a session that had it quiet.
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "crewe/live/session.hpp"

namespace {

namespace live = crewe::live;

constexpr std::size_t kRows = 40, kCols = 50, kPositions = kRows * kCols, kSide = 16, kPixels = kSide * kSide;
constexpr const char* kNames[] = {"ricom", "ring", "com", "icom", "sum", "ssb", "outside"};
constexpr live::Binning kBins{.join = 2, .rows = kSide / 2, .columns = kSide / 2};

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

live::Options options(int threads) {
  live::Options wanted;
  wanted.sy = kRows;
  wanted.sx = kCols;
  wanted.ky = wanted.kx = kSide;
  wanted.threads = threads;
  wanted.queue = 3;
  wanted.images = {{"ricom", live::RiCOM{.kernel = 21}},
                   {"ring", live::VirtualDetector{.inner = 2, .outer = 6}},
                   {"com", live::CenterOfMass{}},
                   {"icom", live::ICOM{}},
                   {"sum", live::Sum{}},
                   {"ssb", live::SSB{.energy = 200e3, .semiangle = 15.0, .step = 0.5, .angle_per_pixel = 4.0}},
                   {"outside", live::External{}}};
  return wanted;
}

struct Data {
  std::vector<std::uint16_t> frames;
  std::vector<crewe::io::Event> events;

  Data() : frames(kPositions * kPixels), events(20'000) {
    std::mt19937 random(1);
    for (auto& pixel : frames) pixel = static_cast<std::uint16_t>(random() % 7);
    for (auto& event : events) {
      event = {static_cast<std::uint32_t>(random() % kPositions), static_cast<std::uint16_t>(random() % kSide),
               static_cast<std::uint16_t>(random() % kSide)};
    }
  }
  crewe::imaging::FrameBlock block(std::size_t first, std::size_t count) const {
    crewe::imaging::FrameBlock block;
    block.data = reinterpret_cast<const std::byte*>(frames.data() + first * kPixels);
    block.pixel = crewe::imaging::Pixel::u16;
    block.count = std::min(count, kPositions - first);
    block.ny = block.nx = kSide;
    block.column_stride = sizeof(std::uint16_t);
    block.row_stride = kSide * sizeof(std::uint16_t);
    block.frame_stride = kPixels * sizeof(std::uint16_t);
    return block;
  }
};

void count_up(void* user) {
  ++*static_cast<std::atomic<int>*>(user);
}

void push_scan(live::Session& session, const Data& data, bool borrowed, bool more) {
  std::atomic<int> released{0};
  int blocks = 0;
  for (std::size_t first = 0; first < kPositions; first += 37, ++blocks) {
    if (borrowed) {
      session.push(data.block(first, 37), first, {count_up, &released});
    } else {
      session.push(data.block(first, 37), first);
    }
  }
  for (std::size_t first = 0; first < data.events.size(); first += 1000, ++blocks) {
    const std::span block(data.events.data() + first, 1000);
    if (borrowed) {
      session.push_events(block, {count_up, &released}, more);
    } else {
      session.push_events(block, more);
    }
  }
  session.flush();
  expect(released == (borrowed ? blocks : 0), "every borrowed block is released once");
}

live::Changes change(double rotation, std::size_t kernel, double inner) {
  live::Changes changes;
  changes.rotation = rotation;
  changes.images = {{"ricom", live::RiCOM{.kernel = kernel}},
                    {"ring", live::VirtualDetector{.inner = inner, .outer = 6}}};
  return changes;
}

std::vector<float> copy(const live::Session& session, const char* name) {
  std::vector<float> pixels(session.image(name).size());
  session.read(name, pixels);
  return pixels;
}

void look(live::Session& session, const std::atomic<bool>& stop, std::atomic<bool>& sound) {
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  std::uint64_t seen = 0;
  while (!stop) {
    const std::uint64_t version = session.version();
    session.refresh("icom");
    session.refresh("ssb");
    for (const char* name : kNames) {
      session.changed_rows(name, seen, rows);
      for (const float value : copy(session, name)) {
        if (!std::isfinite(value)) sound = false;
      }
    }
    if (session.done() > kPositions || !std::isfinite(session.center().y)) sound = false;
    seen = version;
  }
}

void turn(live::Session& session, const std::atomic<bool>& stop) {
  for (std::size_t i = 0; !stop; ++i) {
    session.configure(change(0.1 * static_cast<double>(i % 30), 3 + 2 * (i % 5), static_cast<double>(i % 3)));
    if (i % 4 == 0) {
      live::Changes center;
      center.center.emplace();
      if (i % 8 == 0) center.center->emplace(live::Point{7.5, 7.0});
      session.configure(center);
    }
  }
}

// The counts of each pattern, made outside of the session.
void make_lines(live::Session& session) {
  std::vector<float> line(kCols * kBins.rows * kBins.columns), row(kCols);
  while (const auto taken = session.take_line("outside", line)) {
    for (std::size_t col = 0; col < kCols; ++col) {
      const auto pattern = std::span(line).subspan(col * kBins.rows * kBins.columns, kBins.rows * kBins.columns);
      row[col] = std::accumulate(pattern.begin(), pattern.end(), 0.0F);
    }
    session.write("outside", *taken, row);
  }
}

void run() {
  const Data data;
  live::Session busy(options(3));
  std::atomic<bool> stop{false}, sound{true};
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i) others.emplace_back([&] { look(busy, stop, sound); });
  others.emplace_back([&] { turn(busy, stop); });
  others.emplace_back([&] {
    while (!stop) make_lines(busy);
  });
  for (int scan = 0; scan < 6; ++scan) {
    busy.next_scan();
    busy.gather("outside", kBins);
    push_scan(busy, data, scan % 2 == 1, scan % 3 == 0);
    if (scan % 3 == 2) busy.finish();
  }
  stop = true;
  for (std::thread& other : others) other.join();
  expect(sound, "readers see finite numbers");

  live::Session quiet(options(1));
  for (live::Session* session : {&busy, &quiet}) {
    live::Changes settings = change(0.3, 21, 2);
    settings.center.emplace(live::Point{7.5, 7.0});
    session->configure(settings);
    session->next_scan();
    session->gather("outside", kBins);
    push_scan(*session, data, false, false);
    make_lines(*session);
    expect(copy(*session, "outside").back() > 0 && session->open_lines("outside").empty(), "all lines were made");
    session->close();
    expect(session->done() == kPositions, "all positions are done");
  }
  for (const char* name : kNames) expect(copy(busy, name) == copy(quiet, name), name);
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& error) {
    std::cerr << "not so: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
