"""Weights and sizes of the atoms, Z = 1 ... 103."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from crewe.sim import scattering

__all__ = ["LAST", "WEIGHTS", "radii"]

#: The last element of the scattering tables.
LAST = 103

#: Standard atomic weights (IUPAC 2021, rounded; mass number of a long-lived isotope where there is none) [u], Z from 1.
# fmt: off
WEIGHTS = np.array([
    1.008, 4.003, 6.94, 9.012, 10.81, 12.01, 14.01, 16.00, 19.00, 20.18, 22.99, 24.31, 26.98, 28.09, 30.97, 32.06,
    35.45, 39.95, 39.10, 40.08, 44.96, 47.87, 50.94, 52.00, 54.94, 55.85, 58.93, 58.69, 63.55, 65.38, 69.72, 72.63,
    74.92, 78.97, 79.90, 83.80, 85.47, 87.62, 88.91, 91.22, 92.91, 95.95, 97.0, 101.1, 102.9, 106.4, 107.9, 112.4,
    114.8, 118.7, 121.8, 127.6, 126.9, 131.3, 132.9, 137.3, 138.9, 140.1, 140.9, 144.2, 145.0, 150.4, 152.0, 157.3,
    158.9, 162.5, 164.9, 167.3, 168.9, 173.0, 175.0, 178.5, 180.9, 183.8, 186.2, 190.2, 192.2, 195.1, 197.0, 200.6,
    204.4, 207.2, 209.0, 209.0, 210.0, 222.0, 223.0, 226.0, 227.0, 232.0, 231.0, 238.0, 237.0, 244.0, 243.0, 247.0,
    247.0, 251.0, 252.0, 257.0, 258.0, 259.0, 262.0,
])
# fmt: on


@cache
def radii() -> NDArray[np.float64]:
    """Root mean square radius of the projected potential of every atom [Å], Z from 1, in two dimensions.

    From the curvature of the scattering factor at zero, f(g) = f(0)·(1 − π²g²⟨r²⟩): √(3·Σab/(2π²·Σa)) for the
    parametrization of Lobato and Van Dyck (2014). Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 21.
    """
    table = scattering.table("lobato2014")
    sizes = np.empty(LAST)
    for entry in table.values():
        a, b = np.array(entry["a"]), np.array(entry["b"])
        sizes[entry["Z"] - 1] = np.sqrt(3 * (a @ b) / (2 * np.pi**2 * a.sum()))
    return sizes
