// The projected electric field that deflects the beam: E = −θ·pv/e [V], away from the atoms.
//
// Müller et al., Nat. Commun. 5 (2014) 5653, eq. 5.
#pragma once

#include "crewe/electron.hpp"

namespace crewe::imaging {

// −θ·pv/e for the deflection by one detector pixel [mrad]; what `crewe.imaging.electric_field` multiplies by.
inline double field_per_pixel(double energy, double angle_per_pixel) {
  return -angle_per_pixel * 1e-3 * momentum_voltage(energy);
}

}  // namespace crewe::imaging
