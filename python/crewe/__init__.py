"""crewe turns detector data into images, restored images and atoms, while the microscope is still scanning.

The modules: `crewe.io` (bytes to frames or events), `crewe.imaging` (patterns to images), `crewe.live` (the same while
the scan runs), `crewe.restore` (images without noise and scan distortions), `crewe.atoms` and `crewe.strain` (columns,
and where they stand), `crewe.metrics` (how images differ); `crewe.sim` (electrons through crystals), `crewe.specimen`
and `crewe.noise` (images as a microscope records them, for training); and what they share: `crewe.optics` (the beam),
`crewe.models` (networks), `crewe.plot` (pictures), `crewe.cuda` (GPUs). Units throughout: Å, mrad, eV, electrons,
seconds, rad; axes (..., y, x).
"""

import importlib
from typing import Any

from crewe import _mkl
from crewe.errors import BusyError, DeviceError, FormatError, ModelError

_MODULES = (
    "atoms",
    "cuda",
    "imaging",
    "io",
    "live",
    "metrics",
    "models",
    "noise",
    "optics",
    "plot",
    "restore",
    "sim",
    "specimen",
    "strain",
)

__all__ = ["BusyError", "DeviceError", "FormatError", "ModelError", "__version__", *_MODULES]

__version__: str

_mkl.preload()


def __getattr__(name: str) -> Any:
    """Modules, and with them the core and NumPy, are imported when they are first used: ``crewe.io.open(...)``."""
    if name == "__version__":
        return importlib.import_module("crewe._core").__version__
    if name in (*_MODULES, "_core"):
        return importlib.import_module(f"crewe.{name}")
    raise AttributeError(f"module 'crewe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
