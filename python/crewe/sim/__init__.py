"""Fast electrons through crystals: exact projected potentials, multislice, HRTEM, STEM, diffraction.

Positions are (y, x) [Å], x of the atoms runs along the last axis; `sampling` and `gpts` are a number or (y, x).
"""

from crewe.optics import Aberrations, interaction, scherzer, wavelength
from crewe.sim.detectors import Sector, segments
from crewe.sim.diffraction import cbed, diffraction, pacbed
from crewe.sim.estimate import Estimate, estimate
from crewe.sim.hrtem import hrtem
from crewe.sim.potential import Potential
from crewe.sim.prism import Prism
from crewe.sim.scan4d import scan4d
from crewe.sim.scattering import scattering_factor
from crewe.sim.slab import slab
from crewe.sim.stem import exit_waves3x3, stem
from crewe.sim.thermal import DebyeWaller, FrozenPhonons
from crewe.sim.waves import exit_wave, probe

__all__ = [
    "Aberrations",
    "DebyeWaller",
    "Estimate",
    "FrozenPhonons",
    "Potential",
    "Prism",
    "Sector",
    "cbed",
    "diffraction",
    "estimate",
    "exit_wave",
    "exit_waves3x3",
    "hrtem",
    "interaction",
    "pacbed",
    "probe",
    "scan4d",
    "scattering_factor",
    "scherzer",
    "segments",
    "slab",
    "stem",
    "wavelength",
]
