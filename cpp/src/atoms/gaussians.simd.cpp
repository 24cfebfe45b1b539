// Gaussians on pixels, eight at a time. A round column is a product of a table along y and one along x; an elliptic one
// is an exponential per pixel. Sums keep eight lanes to the end, which are added in one order.
#include "crewe/atoms/columns.hpp"
#include "kernels.hpp"
#include "vec.hpp"

namespace crewe::atoms::CREWE_ISA_LEVEL {
namespace {

const f64x8 kLane = {0, 1, 2, 3, 4, 5, 6, 7};

CREWE_INLINE f64x8 load(const double* p) {
  return *reinterpret_cast<const f64x8u*>(p);
}
CREWE_INLINE void store(double* p, f64x8 x) {
  *reinterpret_cast<f64x8u*>(p) = x;
}
CREWE_INLINE double sum(f64x8 v) {
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}
CREWE_INLINE f64x8 falling(f64x8 exponent) {
  return exponential(exponent < -700.0 ? f64x8{} - 700.0 : exponent);
}
// Lanes k ... k + 7 that lie below n keep their number, the others are 0.
CREWE_INLINE f64x8 inside(f64x8 value, f64x8 k, double n) {
  return k < n ? value : f64x8{};
}

// The quadratic form of a column: q = yy·dy² + 2·yx·dy·dx + xx·dx².
struct Form {
  double yy, yx, xx;
  bool round;
};
CREWE_INLINE Form form_of(const Column& c) {
  const double root = __builtin_sqrt(1 + c.e1 * c.e1 + c.e2 * c.e2), p = 1 / (c.width * c.width);
  return {p * (root + c.e1), p * c.e2, p * (root - c.e1), c.e1 == 0 && c.e2 == 0};
}

// out[k − first] = exp(−½·p·(k − centre)²) for k < n, else 0; first ... last a multiple of 8 long or with room for it.
CREWE_INLINE void table(double* out, double centre, double p, std::size_t first, std::size_t last, std::size_t n) {
  for (std::size_t k = first; k < last; k += 8) {
    const f64x8 place = kLane + static_cast<double>(k), d = place - centre;
    store(out + (k - first), inside(falling(d * d * (-0.5 * p)), place, static_cast<double>(n)));
  }
}

// The same along the row at distance dy of an elliptic column.
CREWE_INLINE void elliptic_row(double* out, const Form& q, double dy, double centre, const Box& box, std::size_t n) {
  for (std::size_t k = box.x0; k < box.x1; k += 8) {
    const f64x8 place = kLane + static_cast<double>(k), d = place - centre;
    const f64x8 exponent = -0.5 * (d * (d * q.xx + 2 * q.yx * dy) + q.yy * dy * dy);
    store(out + (k - box.x0), inside(falling(exponent), place, static_cast<double>(n)));
  }
}

// The moments of a round column on a strip of 8·vectors pixels, x from the centre at the first: down the rows first.
template <int vectors>
CREWE_INLINE void add_strip(const double* along, double x, const double* down, std::size_t rows, std::size_t height,
                            const double* image, std::size_t stride, f64x8 total[9]) {
  f64x8 c[vectors][5] = {};
  for (std::size_t y = 0; y < rows; ++y, image += stride) {
    for (int v = 0; v < vectors; ++v) {
      const f64x8 value = load(image + 8 * v);
      for (std::size_t a = 0; a < 5; ++a) c[v][a] += down[a * height + y] * value;
    }
  }
  for (int v = 0; v < vectors; ++v) {
    const f64x8 d = kLane + (x + 8 * v), g = load(along + 8 * v), g1 = g * d, g2 = g1 * d, g3 = g2 * d, g4 = g3 * d;
    total[0] += c[v][0] * g;
    total[1] += c[v][1] * g;
    total[2] += c[v][0] * g1;
    total[3] += c[v][2] * g;
    total[4] += c[v][1] * g1;
    total[5] += c[v][0] * g2;
    total[6] += c[v][3] * g + c[v][1] * g2;
    total[7] += c[v][2] * g1 + c[v][0] * g3;
    total[8] += (c[v][4] * g + c[v][0] * g4) + 2.0 * (c[v][2] * g2);
  }
}

}  // namespace

void draw_column(const Column& column, const Box& box, const Canvas& canvas, double* rows, std::size_t first,
                 double* scratch) {
  const Form q = form_of(column);
  double* const along = scratch;                 // one row
  double* const down = scratch + canvas.stride;  // one number per row
  if (q.round) {
    table(along, column.x, q.xx, box.x0, box.x1, canvas.nx);
    table(down, column.y, q.yy, box.y0, box.y1, canvas.ny);
  }
  const std::size_t width = box.x1 - box.x0;
  for (std::size_t y = box.y0; y < box.y1; ++y) {
    double scale = column.height;
    if (q.round) {
      scale *= down[y - box.y0];
    } else {
      elliptic_row(along, q, static_cast<double>(y) - column.y, column.x, box, canvas.nx);
    }
    double* const row = rows + (y - first) * canvas.stride + box.x0;
    for (std::size_t k = 0; k < width; k += 8) store(row + k, load(row + k) + scale * load(along + k));
  }
}

void moments(const Column& column, const Box& box, const Canvas& canvas, const double* image, double out[9],
             double* scratch) {
  const Form q = form_of(column);
  const std::size_t width = box.x1 - box.x0;
  f64x8 total[9] = {};
  if (q.round) {
    const std::size_t height = (box.y1 - box.y0 + 7) / 8 * 8;
    double* const along = scratch;
    double* const down = scratch + canvas.stride;  // g·dy^a of all rows, a = 0 ... 4
    table(along, column.x, q.xx, box.x0, box.x1, canvas.nx);
    table(down, column.y, q.yy, box.y0, box.y1, canvas.ny);
    for (std::size_t k = 0; k < height; k += 8) {
      const f64x8 dy = kLane + static_cast<double>(box.y0 + k) - column.y;
      f64x8 value = load(down + k);
      for (std::size_t a = 1; a < 5; ++a) store(down + a * height + k, value *= dy);
    }
    const double* const first = image + box.y0 * canvas.stride + box.x0;
    std::size_t k = 0;
    for (; k + 16 <= width; k += 16) {
      add_strip<2>(along + k, static_cast<double>(box.x0 + k) - column.x, down, box.y1 - box.y0, height, first + k,
                   canvas.stride, total);
    }
    if (k < width) {
      add_strip<1>(along + k, static_cast<double>(box.x0 + k) - column.x, down, box.y1 - box.y0, height, first + k,
                   canvas.stride, total);
    }
    for (int m = 0; m < 9; ++m) out[m] += sum(total[m]);
    return;
  }
  for (std::size_t y = box.y0; y < box.y1; ++y) {
    const double dy = static_cast<double>(y) - column.y;
    elliptic_row(scratch, q, dy, column.x, box, canvas.nx);
    const double* const row = image + y * canvas.stride + box.x0;
    f64x8 s0{}, s1{}, s2{};
    for (std::size_t k = 0; k < width; k += 8) {
      const f64x8 d = kLane + static_cast<double>(box.x0 + k) - column.x, value = load(row + k) * load(scratch + k);
      s0 += value;
      s1 += value * d;
      s2 += value * (d * d);
    }
    total[0] += s0;
    total[1] += s0 * dy;
    total[2] += s1;
    total[3] += s0 * (dy * dy);
    total[4] += s1 * dy;
    total[5] += s2;
  }
  for (int m = 0; m < 6; ++m) out[m] += sum(total[m]);
}

void pair_moments(const Column& i, const Column& j, const Box& box, const Canvas& canvas, const double* weights,
                  const double origin[2], double out[25], double* scratch) {
  const Form p = form_of(i), q = form_of(j);
  const bool round = p.round && q.round;
  const std::size_t width = box.x1 - box.x0;
  double* const other = scratch + 5 * canvas.stride;
  // g_i·g_j·tx^b, b = 0 ... 4, along the row at y (round columns: without what depends on y).
  const auto rows = [&](double y) {
    if (round) {
      table(scratch, i.x, p.xx, box.x0, box.x1, canvas.nx);
      table(other, j.x, q.xx, box.x0, box.x1, canvas.nx);
    } else {
      elliptic_row(scratch, p, y - i.y, i.x, box, canvas.nx);
      elliptic_row(other, q, y - j.y, j.x, box, canvas.nx);
    }
    for (std::size_t k = 0; k < width; k += 8) {
      const f64x8 t = kLane + static_cast<double>(box.x0 + k) - origin[1];
      f64x8 value = load(scratch + k) * load(other + k);
      for (std::size_t b = 0; b < 5; ++b, value *= t) store(scratch + b * canvas.stride + k, value);
    }
  };
  if (round) rows(0);
  f64x8 total[15] = {};
  for (std::size_t y = box.y0; y < box.y1; ++y) {
    const double place = static_cast<double>(y), di = place - i.y, dj = place - j.y, t = place - origin[0];
    double scale = 1;
    if (round) {
      scale = falling(f64x8{} - 0.5 * (p.yy * di * di + q.yy * dj * dj))[0];
    } else {
      rows(place);
    }
    const double* const row = weights + y * canvas.stride + box.x0;
    f64x8 s[5] = {};
    for (std::size_t k = 0; k < width; k += 8) {
      const f64x8 value = load(row + k);
      for (std::size_t b = 0; b < 5; ++b) s[b] += value * load(scratch + b * canvas.stride + k);
    }
    int place_of = 0;
    for (int a = 0; a < 5; ++a, scale *= t) {
      for (int b = 0; a + b < 5; ++b) total[place_of++] += s[b] * scale;
    }
  }
  int place_of = 0;
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; a + b < 5; ++b) out[5 * a + b] = sum(total[place_of++]);
  }
}

void axis_moments(double a, double u, double b, double v, double origin, std::size_t first, std::size_t last,
                  double out[5]) {
  f64x8 total[5] = {};
  for (std::size_t k = first; k < last; k += 8) {
    const f64x8 place = kLane + static_cast<double>(k), da = place - a, db = place - b, t = place - origin;
    f64x8 value = inside(falling(-0.5 * (da * da * u + db * db * v)), place, static_cast<double>(last));
    for (int p = 0; p < 5; ++p, value *= t) total[p] += value;
  }
  for (int p = 0; p < 5; ++p) out[p] = sum(total[p]);
}

void own_moments(double centre, double u, std::size_t first, std::size_t last, double single[3], double square[5]) {
  f64x8 ones[3] = {}, twos[5] = {};
  for (std::size_t k = first; k < last; k += 8) {
    const f64x8 place = kLane + static_cast<double>(k), d = place - centre;
    f64x8 one = inside(falling(d * d * (-0.5 * u)), place, static_cast<double>(last)), two = one * one;
    for (int p = 0; p < 3; ++p, one *= d) ones[p] += one;
    for (int p = 0; p < 5; ++p, two *= d) twos[p] += two;
  }
  for (int p = 0; p < 3; ++p) single[p] = sum(ones[p]);
  for (int p = 0; p < 5; ++p) square[p] = sum(twos[p]);
}

Sums weigh_row(const double* z, const double* f, std::size_t nx, const Weighing& how, double* slope, double* weight) {
  f64x8 objective{}, squares{}, weights{}, gradient{};
  for (std::size_t k = 0; k < nx; k += 8) {
    const f64x8 place = kLane + static_cast<double>(k);
    const i64x8 there = place < static_cast<double>(nx);
    const f64x8 have = there ? load(z + k) : f64x8{}, want = there ? load(f + k) : f64x8{}, off = have - want;
    squares += off * off;
    f64x8 w = there ? f64x8{} + 1.0 : f64x8{};
    if (how.poisson) {
      const i64x8 seen = there & (want > how.floor);
      const f64x8 expected = want > how.floor ? want : f64x8{} + how.floor;
      const f64x8 ratio = have > 0.0 ? have / expected : f64x8{} + 1.0;
      w = seen ? 1.0 / expected : f64x8{};
      objective += there ? expected - have + have * logarithm(ratio) : f64x8{};
    } else {
      objective += 0.5 * (off * off);
    }
    const f64x8 u = w * off;
    weights += w;
    gradient += u;
    store(slope + k, u);
    if (weight != nullptr) store(weight + k, w);
  }
  return {sum(objective), sum(squares), sum(weights), sum(gradient)};
}

}  // namespace crewe::atoms::CREWE_ISA_LEVEL
