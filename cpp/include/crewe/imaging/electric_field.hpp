// The projected electric field that deflects the beam: E = −θ·pv/e [V], away from the atoms.
//
//   pv/e = E(E + 2mc²)/(E + mc²) [V] for the kinetic energy E [eV];   Müller et al., Nat. Commun. 5 (2014) 5653, eq. 5.
#pragma once

namespace crewe::imaging {

// −θ·pv/e for the deflection by one detector pixel [mrad]; what `crewe.imaging.electric_field` multiplies by.
inline double field_per_pixel(double energy, double angle_per_pixel) {
  constexpr double mass = 9.1093837139e-31, light = 299792458.0, charge = 1.602176634e-19;  // CODATA 2022, SI
  constexpr double rest = mass * (light * light) / charge;                                  // [eV]
  const double momentum_voltage = energy * (energy + 2 * rest) / (energy + rest);
  return -angle_per_pixel * 1e-3 * momentum_voltage;
}

}  // namespace crewe::imaging
