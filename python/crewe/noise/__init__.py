"""What the microscope does to an image: counting, scan distortions, cameras, damaged pixels, and the way back.

Stages take an image (y, x) float32 in electrons per pixel and return one; those that draw take `seed`, those of a
camera `sensor`. The chains `stem`, `sem` and `tem` put them together. Random numbers are counter-based
(Philox4x32-10): the same bits for every number of threads, and every stage has its own. An image may lie on a GPU
(`crewe.cuda`): then the stage runs there, with the same numbers, and so does a chain, of a stack (n, y, x) of them too.
"""

from crewe.noise.camera import dark_current, fixed_pattern, flicker, mtf, reset, thermal
from crewe.noise.chains import Degraded, sem, stem, tem
from crewe.noise.counting import pmt, pmt_width, shot
from crewe.noise.pixels import black_pixels, clip, quantise, zingers
from crewe.noise.post import annotate, crop, gaussian_blur, interpolate
from crewe.noise.scan import fast_scan, jitter, row_lines, unshift
from crewe.noise.settings import random_settings

__all__ = [
    "Degraded",
    "annotate",
    "black_pixels",
    "clip",
    "crop",
    "dark_current",
    "fast_scan",
    "fixed_pattern",
    "flicker",
    "gaussian_blur",
    "interpolate",
    "jitter",
    "mtf",
    "pmt",
    "pmt_width",
    "quantise",
    "random_settings",
    "reset",
    "row_lines",
    "sem",
    "shot",
    "stem",
    "tem",
    "thermal",
    "unshift",
    "zingers",
]
