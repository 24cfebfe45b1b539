#include "lines.hpp"

#include <algorithm>
#include <cstring>

namespace crewe::noise {

void mirrored_line(const float* line, std::size_t n, std::ptrdiff_t first, std::size_t count, std::size_t width,
                   float* out) {
  const auto length = static_cast<std::ptrdiff_t>(n);
  for (std::size_t i = 0; i < count;) {
    const std::ptrdiff_t at = first + static_cast<std::ptrdiff_t>(i);
    std::size_t run = 1;
    if (at >= 0 && at < length) run = std::min(count - i, static_cast<std::size_t>(length - at));
    std::memcpy(out + i * width, line + mirrored(at, n) * width, run * width * sizeof(float));
    i += run;
  }
}

}  // namespace crewe::noise
