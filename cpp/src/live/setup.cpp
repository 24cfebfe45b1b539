// Checks of options and changes, and what is prepared from them.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>

#include "crewe/checks.hpp"
#include "crewe/imaging/electric_field.hpp"
#include "live/state.hpp"

namespace crewe::live {
namespace {

constexpr std::size_t kRings = 64;
constexpr std::size_t kChunkFrames = 1024;  // most frames of a chunk
constexpr std::size_t kMostBlocks = 1 << 20;

[[noreturn]] void wrong(const std::string& what) {
  throw std::invalid_argument(what);
}

void check_finite(double value, const char* name) {
  if (!std::isfinite(value)) reject(name, "a finite number", std::to_string(value));
}

void check_radii(double inner, double outer, const std::string& name) {
  if (std::isnan(inner) || std::isnan(outer) || inner < 0 || !(outer > inner)) {
    reject(name, "0 <= inner < outer", "inner = " + std::to_string(inner) + " and outer = " + std::to_string(outer));
  }
}

void check_options(const Options& options) {
  const std::size_t most = std::size_t{1} << 31;
  if (options.sy == 0 || options.sx == 0 || options.sy > most / options.sx) {
    reject("scan", "(rows, columns) of 1 to 2^31 positions", shape_text(std::array{options.sy, options.sx}));
  }
  if (options.ky == 0 || options.kx == 0 || options.ky > 65536 || options.kx > 65536) {
    reject("detector", "(rows, columns) of 1 to 65536 pixels", shape_text(std::array{options.ky, options.kx}));
  }
  if (options.images.empty()) wrong("images: at least one image wanted");
  for (auto it = options.images.begin(); it != options.images.end(); ++it) {
    if (it->first.empty()) wrong("images: a name wanted for every image");
    for (const char* taken : {"center", "descan", "rotation", "transpose"}) {
      if (it->first == taken) wrong("images: the name '" + it->first + "' is taken by a setting");
    }
    const auto same = [&](const auto& other) { return other.first == it->first; };
    if (std::any_of(std::next(it), options.images.end(), same)) wrong("images: two are named '" + it->first + "'");
  }
  if (options.center) check_center(*options.center);
  check_descan(options.descan);
  check_rotation(options.rotation);
  if (options.threads < 0) reject("threads", "0 (one per core) or more", std::to_string(options.threads));
  if (options.queue == 0 || options.queue > kMostBlocks) {
    reject("queue", "1 to " + std::to_string(kMostBlocks) + " blocks", std::to_string(options.queue));
  }
  check_radii(options.com_inner, options.com_outer, "com_radii");
  const std::size_t pixels = options.ky * options.kx;
  check_pixels(options.dead_pixels.size(), pixels, "dead_pixels");
  check_pixels(options.dark.size(), pixels, "dark");
  check_pixels(options.gain.size(), pixels, "gain");
  check_pixels(options.com_mask.size(), pixels, "com_mask");
  for (const float weight : options.com_mask) check_finite(weight, "com_mask");
}

Point middle_of(const Options& options) {
  return {(static_cast<double>(options.ky) - 1) / 2, (static_cast<double>(options.kx) - 1) / 2};
}

}  // namespace

std::array<std::size_t, 3> check_kind(const std::string& name, const Kind& kind, const Options& options) {
  const std::array<std::size_t, 3> scan{options.sy, options.sx, 1}, vectors{options.sy, options.sx, 2};
  if (const auto* ricom = std::get_if<RiCOM>(&kind)) {
    if (ricom->kernel % 2 == 0) reject(name, "an odd kernel", std::to_string(ricom->kernel));
    return scan;  // the band is checked by RicomKernel
  }
  if (const auto* detector = std::get_if<VirtualDetector>(&kind)) {
    check_radii(detector->inner, detector->outer, name);
    return scan;
  }
  if (const auto* icom = std::get_if<ICOM>(&kind)) {
    if (!std::isfinite(icom->high_pass) || icom->high_pass < 0) {
      reject(name, "high_pass >= 0", std::to_string(icom->high_pass));
    }
    return scan;
  }
  if (const auto* field = std::get_if<ElectricField>(&kind)) {
    if (!(field->energy > 0) || !(field->angle_per_pixel > 0) ||
        !std::isfinite(field->energy * field->angle_per_pixel)) {
      reject(name, "energy > 0 [eV] and angle_per_pixel > 0 [mrad]",
             std::to_string(field->energy) + " and " + std::to_string(field->angle_per_pixel));
    }
    return vectors;
  }
  if (std::holds_alternative<Sum>(kind)) return {options.ky, options.kx, 1};
  if (std::holds_alternative<SSB>(kind)) return scan;  // its numbers are checked by imaging::Ssb
  if (std::holds_alternative<External>(kind)) return scan;
  return vectors;
}

std::optional<imaging::RicomKernel> make_kernel(const Kind& kind, const Options& options) {
  std::optional<imaging::RicomKernel> kernel;
  if (const auto* ricom = std::get_if<RiCOM>(&kind)) {
    kernel.emplace(ricom->kernel, ricom->low, ricom->high, options.sy, options.sx);
  }
  return kernel;
}

bool is_near(const Point& center) {
  constexpr double kFarthest = 1e6;
  return std::abs(center.y) <= kFarthest && std::abs(center.x) <= kFarthest;
}

void check_center(const Point& center) {
  if (is_near(center)) return;
  reject("center", "at most 1e6 detector pixels", std::to_string(center.y) + " and " + std::to_string(center.x));
}

void check_descan(const Descan& descan) {
  for (const double slope : {descan.yy, descan.yx, descan.xy, descan.xx}) check_finite(slope, "descan");
}

void check_rotation(double rotation) {
  check_finite(rotation, "rotation");
}

Session::State::State(Options given)
    : options((check_options(given), std::move(given))),
      positions(options.sy * options.sx),
      order(options),
      pool(options.threads) {
  for (const auto& [name, kind] : options.images) check_kind(name, kind, options);
  center.middle = detector_center = options.center.value_or(middle_of(options));
  center.slopes = options.descan;
  center.row0 = (static_cast<double>(options.sy) - 1) / 2;
  center.col0 = (static_cast<double>(options.sx) - 1) / 2;
  adaptive = !options.center || options.descan.fit;
  set_turn();
  for (const auto& [name, kind] : options.images) {
    Picture& picture = pictures.emplace_back();
    picture.name = name;
    const auto shape = check_kind(name, kind, options);
    picture.rows = shape[0];
    picture.columns = shape[1];
    picture.depth = shape[2];
    picture.pixels = std::make_shared<float[]>(picture.size());
    picture.changed = std::make_unique<std::atomic<std::uint64_t>[]>(picture.rows);
    prepare(picture, kind, make_kernel(kind, options));
    if (const auto* ssb = std::get_if<SSB>(&kind)) picture.ssb = make_ssb(*ssb);
  }
  moments.resize(positions);
  seen.resize((positions + 63) / 64);
  prepare_rings();
  prepare_reducers();
  capacity = kChunkFrames;
  chunk_moments.resize(capacity);
  lines.reserve(capacity);
  fresh.reserve(capacity);
  where.reserve(capacity);
  vectors.reserve(2 * capacity);
}

void Session::State::prepare(Picture& picture, const Kind& kind, std::optional<imaging::RicomKernel> kernel) {
  if (std::holds_alternative<ICOM>(kind)) {
    icom_com.resize(2 * positions);
    icom_out.resize(positions);
  }
  if (std::holds_alternative<Sum>(kind)) frame_sum.resize(options.ky * options.kx);
  if (std::holds_alternative<SSB>(kind)) ssb_field.resize(positions);
  if (std::holds_alternative<External>(kind) && !picture.lines) picture.lines = std::make_unique<Lines>();
  if (const auto* field = std::get_if<ElectricField>(&kind)) {
    picture.scale = static_cast<float>(imaging::field_per_pixel(field->energy, field->angle_per_pixel));
  }
  picture.kernel = std::move(kernel);
  picture.kind = kind;
  picture.made = 0;
  picture.whole.store(picture.is<ICOM>() || picture.is<SSB>(), std::memory_order_release);
}

std::unique_ptr<imaging::SsbSums> Session::State::make_ssb(const SSB& kind, const Changes& changes) {
  const Point at = changes.center ? changes.center->value_or(detector_center) : detector_center;
  imaging::SsbOptions given{.sy = options.sy,
                            .sx = options.sx,
                            .ky = options.ky,
                            .kx = options.kx,
                            .energy = kind.energy,
                            .semiangle = kind.semiangle,
                            .step = kind.step,
                            .angle_per_pixel = kind.angle_per_pixel,
                            .cy = at.y,
                            .cx = at.x,
                            .rotation = changes.rotation.value_or(options.rotation),
                            .transpose = changes.transpose.value_or(options.transpose),
                            .wiener = kind.wiener,
                            .aberrations = kind.aberrations,
                            .dead_pixels = options.dead_pixels,
                            .dark = options.dark,
                            .gain = options.gain};
  if (options.device) return options.device->ssb(given);
  return std::make_unique<imaging::Ssb>(std::move(given), by_pool());
}

imaging::Parallel Session::State::by_pool() {
  return [this](std::size_t n, std::size_t grain, RangeFunction f) { pool.run(n, grain, f); };
}

// Rings of a whole number of pixels, so that radii that are multiples of it cut no ring.
void Session::State::prepare_rings() {
  if (!options.keep_profile) return;
  ring_center = detector_center;
  ring_count = 0;
  const std::size_t ky = options.ky, kx = options.kx;
  const auto squared = [&](std::size_t y, std::size_t x) {
    const double dy = static_cast<double>(y) - ring_center.y, dx = static_cast<double>(x) - ring_center.x;
    return dy * dy + dx * dx;
  };
  double farthest = 0;
  for (const std::size_t y : {std::size_t{0}, ky - 1}) {
    for (const std::size_t x : {std::size_t{0}, kx - 1}) farthest = std::max(farthest, squared(y, x));
  }
  ring_width = std::max(1.0, std::ceil((std::sqrt(farthest) + 1e-9) / static_cast<double>(kRings)));
  rings.resize(ky * kx);
  for (std::size_t y = 0; y < ky; ++y) {
    for (std::size_t x = 0; x < kx; ++x) {
      const double d2 = squared(y, x);
      double ring = std::floor(std::sqrt(d2) / ring_width);
      while (d2 < ring * ring * ring_width * ring_width) --ring;
      while (d2 >= (ring + 1) * (ring + 1) * ring_width * ring_width) ++ring;
      rings[y * kx + x] = static_cast<std::uint8_t>(ring);
      ring_count = std::max(ring_count, static_cast<std::size_t>(ring) + 1);
    }
  }
  profile.resize(positions * ring_count);
  chunk_profiles.resize(kChunkFrames * ring_count);
}

void Session::State::prepare_reducers() {
  wanted = {.ny = options.ky,
            .nx = options.kx,
            .moments = true,
            .weights = options.com_mask,
            .detectors = {},
            .rings = rings,
            .dark = options.dark,
            .gain = options.gain,
            .dead_pixels = options.dead_pixels};
  const auto ring = [&](double inner, double outer) {
    return imaging::ring_weights(options.ky, options.kx, inner, outer, detector_center.y, detector_center.x);
  };
  if (options.com_inner > 0 || options.com_outer < kUnlimited) {
    std::vector<float> weights = ring(options.com_inner, options.com_outer);
    for (std::size_t i = 0; i < wanted.weights.size(); ++i) weights[i] *= wanted.weights[i];
    wanted.weights = std::move(weights);
  }
  const std::size_t before = detectors;
  detectors = 0;
  for (Picture& picture : pictures) {
    const auto* kind = std::get_if<VirtualDetector>(&picture.kind);
    if (kind == nullptr) continue;
    picture.detector = detectors++;
    const bool all = kind->inner == 0 && kind->outer == kUnlimited;
    wanted.detectors.push_back(all ? std::vector<float>() : ring(kind->inner, kind->outer));
  }
  if (event_reducer) {
    event_reducer.emplace(wanted, positions);
    if (detectors != before) set_detector_sums();
  }
  reducer.emplace(wanted);
  if (options.device) options.device->prepare(wanted);
  chunk_sums.resize(kChunkFrames * detectors);
}

// From the images, which hold the same sums as float32.
void Session::State::set_detector_sums() {
  detector_sums.assign(positions * detectors, 0.0);
  for (const Picture& picture : pictures) {
    if (!picture.is<VirtualDetector>()) continue;
    for (std::size_t i = 0; i < positions; ++i) {
      detector_sums[i * detectors + picture.detector] = static_cast<double>(picture.pixels.get()[i]);
    }
  }
}

void Session::State::set_turn() {
  turn.transpose = options.transpose;
  turn.turns = options.rotation != 0;
  turn.cos = static_cast<float>(std::cos(options.rotation));
  turn.sin = static_cast<float>(std::sin(options.rotation));
}

}  // namespace crewe::live
