// The electron of the beam, of kinetic energy E [eV]; constants: CODATA 2018 in SI units, as in crewe.optics.
//
//   λ = hc/√(eE(2mc² + eE))      pv/e = E(E + 2mc²/e)/(E + mc²/e)
#pragma once

#include <cmath>

namespace crewe {

inline constexpr double kPlanck = 6.62607015e-34, kLight = 299792458.0, kCharge = 1.602176634e-19,
                        kMass = 9.1093837015e-31;

// [Å]
inline double wavelength(double energy) {
  const double work = kCharge * energy;
  return kPlanck * kLight / std::sqrt(work * (2 * kMass * kLight * kLight + work)) * 1e10;
}

// Momentum times velocity [V].
inline double momentum_voltage(double energy) {
  const double rest = kMass * kLight * kLight / kCharge;
  return energy * (energy + 2 * rest) / (energy + rest);
}

}  // namespace crewe
