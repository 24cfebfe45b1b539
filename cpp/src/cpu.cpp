#include "crewe/cpu.hpp"

#include <cstdlib>
#include <cstring>

namespace crewe {
namespace {

#if defined(__x86_64__) && defined(__clang__)  // before version 16 it knows no levels, only features
bool has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#elif defined(__x86_64__)
bool has_v3() {
  return __builtin_cpu_supports("x86-64-v3");
}
bool has_v4() {
  return __builtin_cpu_supports("x86-64-v4");
}
#endif

Isa detect() {
  Isa best = Isa::base;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_v3()) best = Isa::v3;
  if (has_v4()) best = Isa::v4;
#endif
  const char* wanted = std::getenv("CREWE_ISA");
  if (wanted == nullptr) return best;
  if (std::strcmp(wanted, "base") == 0) return Isa::base;
  if (std::strcmp(wanted, "v3") == 0 && best != Isa::base) return Isa::v3;
  return best;
}

}  // namespace

Isa isa() {
  static const Isa level = detect();
  return level;
}

const char* isa_name() {
  switch (isa()) {
    case Isa::v4:
      return "v4";
    case Isa::v3:
      return "v3";
    default:
      return "base";
  }
}

}  // namespace crewe
