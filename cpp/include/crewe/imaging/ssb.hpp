// Single-sideband ptychography: the phase of a weak object from interferences of the beam with itself.
//
//   G(k, Q) = Σ_r I_r(k) exp(−2πi Q·r)                      Γ(k, Q) = ψ*(k)ψ(k − Q) − ψ(k)ψ*(k + Q),  ψ = A exp(−iχ)
//   φ(Q) = −i Σ_k W(k, Q) G(k, Q) / (I₀ Σ_k W Γ)            φ(r) = F⁻¹{φ(Q)} [rad]
//
// k runs over the bright disc, Q over the frequencies of the scan, I₀ is the mean of the disc's pixels. W is Γ* where
// only one of the two sidebands lies, less its mean over the disc, so that an empty beam gives nothing wherever the
// scan ends; frequencies whose double overlap has less than a tenth of the largest one's pixels are left out. With
// `wiener` = ε > 0: W = Γ* less its mean (matched filter), and φ(Q) is multiplied by (1 + ε)·g/(g + ε·max g),
// g = Σ W Γ.
//
// Eight lines of the scan are kept as they come: their bright pixels are transformed along the line and projected on W,
// and only the sums Ψ(Q) stay. Bright pixels are joined b × b where the disc is large: the smallest b for which the
// disc has a radius of at most 16 of them and the weights take at most 256 MB, but no less than four to a radius.
// Memory [bytes], with K joined pixels and N frequencies of a half plane: 4·K·N for the weights (8·K·N with
// aberrations), at most 96·K·sx for the lines, 100·N for the sums.
//
// Rodenburg, McCallum, Nellist, Ultramicroscopy 48 (1993) 304; Yang et al., Nat. Commun. 7 (2016) 12532;
// Strauch et al., Microsc. Microanal. 27 (2021) 1078 (live).
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "crewe/imaging/pixel.hpp"
#include "crewe/io/event.hpp"
#include "crewe/parallel.hpp"
#include "crewe/view.hpp"

namespace crewe::imaging {

// χ = (2π/λ) Σ αⁿ⁺¹/(n + 1)·C·cos(m(φ − φ_nm)), φ from x towards y of the detector.
struct Aberration {
  int n = 1, m = 0;
  double size = 0, azimuth = 0;  // C [Å], φ_nm [rad]
  bool operator==(const Aberration&) const = default;
};

struct SsbOptions {
  std::size_t sy = 0, sx = 0;  // probe positions
  std::size_t ky = 0, kx = 0;  // detector pixels
  double energy = 0;           // [eV]
  double semiangle = 0;        // of the disc [mrad]
  double step = 0;             // distance of positions [Å]
  double angle_per_pixel = 0;  // of the detector [mrad]
  double cy = 0, cx = 0;       // centre of the disc [detector pixels]
  double rotation = 0;         // detector → scan, as crewe.imaging.rotate [rad]
  bool transpose = false;
  double wiener = 0;  // ε, 0: single sidebands
  std::vector<Aberration> aberrations;
  std::vector<std::uint8_t> dead_pixels;  // (ky·kx), nonzero = left out; or empty
  std::vector<float> dark, gain;          // pattern = (raw − dark)·gain, (ky·kx) or empty; not for events
  bool operator==(const SsbOptions&) const = default;
};

// f over [0, n) in chunks of at most `grain`, by however many threads.
using Parallel = std::function<void(std::size_t n, std::size_t grain, RangeFunction f)>;

// Patterns of one scan, in any order, though line by line is fast; every pattern counts as it is added.
class SsbSums {
 public:
  virtual ~SsbSums() = default;

  virtual const SsbOptions& options() const noexcept = 0;
  virtual void clear() = 0;
  // frames[i] of the block at positions[i] (row·sx + column), all different.
  virtual void add(const FrameBlock& block, std::span<const std::uint32_t> frames,
                   std::span<const std::uint32_t> positions) = 0;
  virtual void add(std::span<const io::Event> events) = 0;
  // φ(Q) of what was added at `positions` positions, C-contiguous (sy·sx), in the order of the transform. False: a
  // number that isn't finite was added.
  virtual bool spectrum(std::size_t positions, std::complex<float>* out) = 0;
};

// The sums on the CPU: same bits for every number of threads and instruction set.
class Ssb final : public SsbSums {
 public:
  // std::invalid_argument names what is wrong with the options.
  Ssb(SsbOptions options, Parallel parallel);
  ~Ssb() override;
  Ssb(const Ssb&) = delete;
  Ssb& operator=(const Ssb&) = delete;

  const SsbOptions& options() const noexcept override;
  void clear() override;
  void add(const FrameBlock& block, std::span<const std::uint32_t> frames,
           std::span<const std::uint32_t> positions) override;
  void add(std::span<const io::Event> events) override;
  bool spectrum(std::size_t positions, std::complex<float>* out) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The phase of a whole scan [rad], mean 0; the blocks hold its patterns in order.
void ssb(std::span<const FrameBlock> blocks, const SsbOptions& options, View<float, 2> phase, int threads);

}  // namespace crewe::imaging
