// What a live session makes and how it is set up: image kinds and options, plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "crewe/imaging/join.hpp"
#include "crewe/imaging/ssb.hpp"

namespace crewe::live {

class FrameDevice;  // crewe/live/device.hpp

inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// Real-time integrated centre of mass, (sy, sx): crewe/imaging/ricom.hpp. `kernel` is odd [positions], the band limits
// are in cycles per position.
struct RiCOM {
  std::size_t kernel = 61;
  double low = 0, high = kUnlimited;
};

// Sum over inner <= |k − centre| < outer [detector pixels], (sy, sx).
struct VirtualDetector {
  double inner = 0, outer = kUnlimited;
};

// Centre of mass (y, x) against the centre, rotated into the axes of the scan [detector pixels], (sy, sx, 2).
struct CenterOfMass {};

// Integrated centre of mass by Fourier transform, (sy, sx): crewe/imaging/icom.hpp; recomputed as a whole.
struct ICOM {
  double high_pass = 0;
};

// Projected field −θ·pv/e [V], (sy, sx, 2); energy [eV], angle per detector pixel [mrad].
struct ElectricField {
  double energy = 0, angle_per_pixel = 0;
};

// Sum of all patterns (PACBED), (ky, kx). A position counts once: with the frame that came first, and with every event.
struct Sum {};

// Phase [rad] by single-sideband ptychography, (sy, sx): crewe/imaging/ssb.hpp; of every pattern only sums are kept. A
// position counts once: with the frame that came first, and with every event. Centre (without descan), rotation and
// transposition are the session's; a change of them, or of the kind, takes effect with the next scan.
struct SSB {
  double energy = 0, semiangle = 0, step = 0, angle_per_pixel = 0;  // [eV], [mrad], [Å], [mrad]
  double wiener = 0;
  std::vector<imaging::Aberration> aberrations = {};
};

// An image that is made elsewhere, (sy, sx): `Session::gather` collects the patterns of every scan line, `take_line`
// hands out complete ones in any thread, `write` takes rows of the image. A position counts once, as for SSB.
struct External {};
using imaging::Binning;  // how its patterns are reduced

using Kind = std::variant<RiCOM, VirtualDetector, CenterOfMass, ICOM, ElectricField, Sum, SSB, External>;

struct Point {
  double y = 0, x = 0;
};

// How the undiffracted beam wanders over the detector during a scan:
//   centre(row, col) = centre + (yy·v + yx·u, xy·v + xx·u),  v = row − (sy−1)/2, u = col − (sx−1)/2
// with slopes in detector pixels per position, given or fitted to the centre-of-mass map (least squares).
struct Descan {
  bool fit = false;
  double yy = 0, yx = 0, xy = 0, xx = 0;
};

// How the positions of a scan follow each other.
enum class Order : std::uint8_t { raster, serpentine, list };

struct Options {
  std::size_t sy = 0, sx = 0;  // probe positions
  std::size_t ky = 0, kx = 0;  // detector pixels
  std::vector<std::pair<std::string, Kind>> images;

  // Centre of the undiffracted pattern [detector pixels]; nothing: the mean centre of mass, refined as the scan
  // proceeds.
  std::optional<Point> center;
  Descan descan;
  double rotation = 0;  // of the scan against the detector [rad]
  bool transpose = false;

  int threads = 0;                      // 0: one per core
  std::shared_ptr<FrameDevice> device;  // sums frames and patterns instead of the CPU; or none
  std::size_t queue = 64;               // borrowed blocks that may wait
  bool busy_when_full = false;          // full queue: BusyError instead of waiting
  bool keep_profile = false;            // keep <= 64 rings per position, so that radii can be changed for the past

  // Per detector pixel (ky·kx), or empty.
  std::vector<std::uint8_t> dead_pixels;         // nonzero: left out of everything
  std::vector<float> dark, gain;                 // pattern = (raw − dark)·gain
  std::vector<float> com_mask;                   // weights of the centre of mass
  double com_inner = 0, com_outer = kUnlimited;  // ring in which the centre of mass is taken [detector pixels]

  // Which position a frame belongs to. After `skip` frames come the rows of sx frames, each followed by `flyback`
  // frames that belong nowhere; in a serpentine scan every second row runs backwards. Or a list: `positions`, one per
  // frame after `skip`, −1 = nowhere.
  Order order = Order::raster;
  std::size_t skip = 0, flyback = 0;
  std::vector<std::int32_t> positions;  // of a list, else empty
};

// What `configure` may change; what is empty stays.
struct Changes {
  std::vector<std::pair<std::string, Kind>> images;
  std::optional<std::optional<Point>> center;
  std::optional<Descan> descan;
  std::optional<double> rotation;
  std::optional<bool> transpose;
};

}  // namespace crewe::live
