"""How different are two high-resolution images? 0 = the same, 1 = as different as can be.

`mse` compares pixels, `ssim` local structure, `cw_ssim` local wavelet coefficients, `sift` gradients around keypoints.
`unit_cell_map` does so cell by cell of a crystal, `precipitate_size` measures what differs. The first image is the
reference; the second may be many (..., y, x), and the reference is then worked out once.
"""

from crewe.metrics.cells import fit_threshold, precipitate_size, unit_cell, unit_cell_map
from crewe.metrics.keypoints import Keypoints, sift
from crewe.metrics.pixels import cross_correlation, mse, psnr
from crewe.metrics.structure import cw_ssim, cw_ssim_map, ssim, ssim_map

__all__ = [
    "Keypoints",
    "cross_correlation",
    "cw_ssim",
    "cw_ssim_map",
    "fit_threshold",
    "mse",
    "precipitate_size",
    "psnr",
    "sift",
    "ssim",
    "ssim_map",
    "unit_cell",
    "unit_cell_map",
]
