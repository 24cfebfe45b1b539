#include "crewe/cuda/fft.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "crewe/error.hpp"
#include "cufft.hpp"

namespace crewe::cuda {
namespace {

void check_fft(int status, const char* what) {
  if (status != 0) throw DeviceError(std::string(what) + ": cuFFT status " + std::to_string(status));
}

int as_int(std::size_t n) {
  if (n == 0 || n > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw std::invalid_argument("Fourier transform on the device: 1 to 2^31 − 1 elements wanted, " + std::to_string(n) +
                                " came");
  }
  return static_cast<int>(n);
}

// A plan of cuFFT, with the stream it runs in next.
class Handle {
 public:
  Handle(int rank, int* n, int step, int distance, int batch) {
    check_fft(cufft().plan_many(&plan_, rank, n, n, step, distance, n, step, distance, CuFft::kComplex, batch),
              "plan of a Fourier transform");
  }
  ~Handle() { cufft().destroy(plan_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void run(float2* data, int direction, cudaStream_t stream) const {
    check_fft(cufft().set_stream(plan_, stream), "stream of a Fourier transform");
    check_fft(cufft().execute(plan_, data, data, direction), "Fourier transform");
  }

 private:
  CuFft::Handle plan_ = 0;
};

}  // namespace

struct Fft2::Plan {
  Plan(std::size_t ny, std::size_t nx, std::size_t batch)
      : n{as_int(ny), as_int(nx)}, handle(2, n, 1, as_int(ny * nx), as_int(batch)) {}
  int n[2];
  Handle handle;
};

Fft2::Fft2(std::size_t ny, std::size_t nx, std::size_t batch) : plan_(std::make_unique<Plan>(ny, nx, batch)) {}
Fft2::~Fft2() = default;
Fft2::Fft2(Fft2&&) noexcept = default;
Fft2& Fft2::operator=(Fft2&&) noexcept = default;
void Fft2::forward(float2* data, cudaStream_t stream) const {
  plan_->handle.run(data, CuFft::kForward, stream);
}
void Fft2::inverse(float2* data, cudaStream_t stream) const {
  plan_->handle.run(data, CuFft::kInverse, stream);
}

struct Fft1::Plan {
  Plan(std::size_t length, std::size_t lines, std::size_t step, std::size_t distance)
      : n{as_int(length)}, handle(1, n, as_int(step), as_int(distance), as_int(lines)) {}
  int n[1];
  Handle handle;
};

Fft1::Fft1(std::size_t n, std::size_t lines, std::size_t step, std::size_t distance)
    : plan_(std::make_unique<Plan>(n, lines, step, distance)) {}
Fft1::~Fft1() = default;
Fft1::Fft1(Fft1&&) noexcept = default;
Fft1& Fft1::operator=(Fft1&&) noexcept = default;
void Fft1::forward(float2* data, cudaStream_t stream) const {
  plan_->handle.run(data, CuFft::kForward, stream);
}

}  // namespace crewe::cuda
