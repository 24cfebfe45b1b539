// Conjugate gradients on the damped normal equations. The preconditioner is the inverse without the couplings between
// columns: an arrow of the columns' blocks and the globals, exact for columns that don't overlap.
#include <algorithm>
#include <cmath>

#include "atoms/normal.hpp"

namespace crewe::atoms {
namespace {

constexpr int kMostSteps = 500;
constexpr double kRelativeResidual = 1e-4;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

class Arrow {
 public:
  Arrow(const Normal& normal, double damping)
      : normal_(normal), inverse_(normal.diagonal), corner_(normal.corner), solved_(normal.border.size()) {
    const std::size_t np = normal.np, ng = normal.ng;
    for (std::size_t i = 0; i < normal.n; ++i) {
      double* const block = inverse_.data() + i * np * np;
      for (std::size_t p = 0; p < np; ++p) block[p * np + p] *= 1 + damping;
      invert_small(block, np);
      for (std::size_t p = 0; p < np; ++p) {
        for (std::size_t q = 0; q < np; ++q) {
          for (std::size_t g = 0; g < ng; ++g) {
            solved_[(i * np + p) * ng + g] += block[p * np + q] * normal.border[(i * np + q) * ng + g];
          }
        }
      }
    }
    for (std::size_t g = 0; g < ng; ++g) corner_[g * ng + g] *= 1 + damping;
    std::array<double, 4> rest = corner_;
    for (std::size_t k = 0; k < normal.n * np; ++k) {
      for (std::size_t g = 0; g < ng; ++g) {
        for (std::size_t h = 0; h < ng; ++h) rest[g * ng + h] -= normal.border[k * ng + g] * solved_[k * ng + h];
      }
    }
    // Where columns overlap much, what is left of the corner without their couplings may be no curvature at all.
    joined_ = ng > 0;
    for (std::size_t g = 0; g < ng; ++g) joined_ = joined_ && rest[g * ng + g] > 1e-3 * corner_[g * ng + g];
    if (ng == 2) joined_ = joined_ && rest[0] * rest[3] - rest[1] * rest[2] > 1e-3 * rest[0] * rest[3];
    if (joined_) corner_ = rest;
    invert_small(corner_.data(), ng);
  }

  void apply(const std::vector<double>& r, std::vector<double>& z) const {
    const std::size_t n = normal_.n, np = normal_.np, ng = normal_.ng;
    double right[2] = {}, left[2] = {};
    for (std::size_t g = 0; g < ng; ++g) right[g] = r[n * np + g];
    if (joined_) {
      for (std::size_t k = 0; k < n * np; ++k) {
        for (std::size_t g = 0; g < ng; ++g) right[g] -= solved_[k * ng + g] * r[k];
      }
    }
    for (std::size_t g = 0; g < ng; ++g) {
      for (std::size_t h = 0; h < ng; ++h) left[g] += corner_[g * ng + h] * right[h];
      z[n * np + g] = left[g];
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double* const block = inverse_.data() + i * np * np;
      for (std::size_t p = 0; p < np; ++p) {
        double sum = 0;
        for (std::size_t q = 0; q < np; ++q) sum += block[p * np + q] * r[i * np + q];
        if (joined_) {
          for (std::size_t g = 0; g < ng; ++g) sum -= solved_[(i * np + p) * ng + g] * left[g];
        }
        z[i * np + p] = sum;
      }
    }
  }

 private:
  const Normal& normal_;
  std::vector<double> inverse_;
  std::array<double, 4> corner_;
  std::vector<double> solved_;
  bool joined_ = false;
};

// out = (H + damping·diag H)·x, np known to the compiler.
template <std::size_t np>
void multiply(const Normal& normal, double damping, const std::vector<double>& x, std::vector<double>& out) {
  const std::size_t n = normal.n, ng = normal.ng;
  double corner[2] = {};
  for (std::size_t i = 0; i < n; ++i) {
    const double* const block = normal.diagonal.data() + i * np * np;
    for (std::size_t p = 0; p < np; ++p) {
      double sum = damping * block[p * np + p] * x[i * np + p];
      for (std::size_t q = 0; q < np; ++q) sum += block[p * np + q] * x[i * np + q];
      for (std::size_t g = 0; g < ng; ++g) {
        const double b = normal.border[(i * np + p) * ng + g];
        sum += b * x[n * np + g];
        corner[g] += b * x[i * np + p];
      }
      out[i * np + p] = sum;
    }
  }
  for (std::size_t k = 0; k < normal.pairs.size(); ++k) {
    const double* const block = normal.coupling.data() + k * np * np;
    const std::size_t i = normal.pairs[k].i * np, j = normal.pairs[k].j * np;
    for (std::size_t p = 0; p < np; ++p) {
      double sum = 0;
      for (std::size_t q = 0; q < np; ++q) {
        sum += block[p * np + q] * x[j + q];
        out[j + q] += block[p * np + q] * x[i + p];
      }
      out[i + p] += sum;
    }
  }
  for (std::size_t g = 0; g < ng; ++g) {
    double sum = corner[g] + damping * normal.corner[g * ng + g] * x[n * np + g];
    for (std::size_t h = 0; h < ng; ++h) sum += normal.corner[g * ng + h] * x[n * np + h];
    out[n * np + g] = sum;
  }
}

}  // namespace

void multiply(const Normal& normal, double damping, const std::vector<double>& x, std::vector<double>& out) {
  switch (normal.np) {
    case 1:
      return multiply<1>(normal, damping, x, out);
    case 3:
      return multiply<3>(normal, damping, x, out);
    case 4:
      return multiply<4>(normal, damping, x, out);
    default:
      return multiply<6>(normal, damping, x, out);
  }
}

void invert_small(double* a, std::size_t k) {
  // Gauss-Jordan without pivoting, in the scale of the diagonal.
  double limit[6];
  for (std::size_t p = 0; p < k; ++p) limit[p] = 1e-14 * a[p * k + p];
  for (std::size_t p = 0; p < k; ++p) {
    const double pivot = a[p * k + p];
    if (!(pivot > limit[p])) {
      for (std::size_t q = 0; q < k; ++q) a[p * k + q] = a[q * k + p] = 0;
      continue;
    }
    const double inverse = 1 / pivot;
    for (std::size_t q = 0; q < k; ++q) {
      if (q == p) continue;
      const double factor = a[q * k + p] * inverse;
      for (std::size_t r = 0; r < k; ++r) {
        if (r != p) a[q * k + r] -= factor * a[p * k + r];
      }
      a[q * k + p] = -factor;
    }
    for (std::size_t r = 0; r < k; ++r) a[p * k + r] *= inverse;
    a[p * k + p] = inverse;
  }
}

std::vector<double> solve(const Normal& normal, double damping) {
  const std::size_t size = normal.size();
  const Arrow arrow(normal, damping);
  std::vector<double> x(size, 0), r = normal.gradient, z(size), product(size);
  arrow.apply(r, z);
  std::vector<double> direction = z;
  double rz = dot(r, z);
  const double enough = kRelativeResidual * kRelativeResidual * rz;
  for (int step = 0; step < kMostSteps && rz > enough; ++step) {
    multiply(normal, damping, direction, product);
    const double curvature = dot(direction, product);
    if (!(curvature > 0)) break;
    const double alpha = rz / curvature;
    for (std::size_t k = 0; k < size; ++k) {
      x[k] += alpha * direction[k];
      r[k] -= alpha * product[k];
    }
    arrow.apply(r, z);
    const double next = dot(r, z);
    const double beta = next / rz;
    rz = next;
    for (std::size_t k = 0; k < size; ++k) direction[k] = z[k] + beta * direction[k];
  }
  return x;
}

}  // namespace crewe::atoms
