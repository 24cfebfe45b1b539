// The object's phase from the exit waves of a scan.
//
//   o_j(Δ) = |ψ_in(Δ)|² exp(i·arg[ψ_j(Δ)·ψ_in*(Δ)])  where |ψ_in(Δ)|² > cut·max|ψ_in|², else 0
//   T(r) = Σ_j o_j(r − r_j),   φ(r) = arg T(r)
//
// ψ_j is the wave behind the specimen of the probe at r_j, on n×n pixels about r_j (pixel n/2 of both axes), ψ_in the
// one in front of it. Between pixels both are periodic and band-limited: the Fourier shift of eqs. 4.4 and 4.5 is, for
// the few places that are wanted, two products with matrices D of the Dirichlet kernel, ψ(Δ) = D ψ Dᵀ:
//
//   D_mx = (1/n) Σ_k cos[2πk(n/2 + m·pitch − x)/n],   k = −n/2 ... n/2 − 1
//
// Source: Friedrich, Yu, Verbeeck, Van Aert, Microsc. Microanal. 29 (2023) 395; eqs. 4.4-4.8 of the thesis chapter. The
// sum is not divided by the weights: its phase doesn't depend on them.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "crewe/view.hpp"

namespace crewe::imaging {

class Patches {
 public:
  // probe (2, n, n): real and imaginary part of ψ_in, n even; pitch: distance of image pixels [pixels of a patch];
  // cut: 0 <= cut < 1.
  Patches(View<const float, 3> probe, double pitch, double cut);

  std::size_t size() const { return size_; }
  // A patch reaches so many image pixels to each side of its centre: it has width() = 2·reach() + 1 of them.
  std::size_t reach() const { return reach_; }
  std::size_t width() const { return 2 * reach_ + 1; }
  // |ψ_in(Δ)|², 0 where it is below the cut: (width, width), row-major.
  const std::vector<float>& weights() const { return weights_; }
  // ψ_in*(Δ) at the same places; the rows m of D, size() numbers each.
  const std::vector<std::complex<float>>& turn() const { return turn_; }
  const std::vector<float>& matrix() const { return rows_; }

  // Adds the patches of the probe positions first, first + 1, ... of a scan, `columns` to a line, to the image T. The
  // position (y, x) lies at the image's pixel (oversample·y, oversample·x). waves (count, 2, n, n); a wave of zeros
  // adds nothing. The bits of T depend on the order of positions, not on how they are cut into calls, nor on `threads`.
  void add(View<const float, 4> waves, std::size_t first, std::size_t columns, std::size_t oversample,
           View<std::complex<float>, 2> image, int threads) const;

 private:
  void object(const float* wave, std::complex<float>* out) const;

  std::size_t size_, reach_ = 0;
  std::vector<float> weights_;
  std::vector<std::complex<float>> turn_;  // ψ_in*(Δ), of the same places
  std::vector<float> rows_, columns_;  // D, its rows padded to whole blocks; Dᵀ, its columns padded to whole vectors
  std::size_t padded_rows_ = 0, padded_columns_ = 0, padded_size_ = 0;
};

}  // namespace crewe::imaging
