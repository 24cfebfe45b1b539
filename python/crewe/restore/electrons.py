"""What was counted, put back into a restored image.

A network draws towards what is usual: weak columns come out too weak, unusual ones too usual. What the restored image
explains of the recorded one is its smeared copy s; what is left is l. Restored is added, with G_σ a blur by σ pixels,

    G_σ l + (1 − G_σ)·k·(s − G_w s),   k = G_w[(l − G_w l)·(s − G_w s)] / (G_w (s − G_w s)² + G_w l²/4πw²)

first what differs slowly, then the contrast of the finer part, by the factor 1 + k that fits the recorded image best
within about w pixels. The last term is k's variance: where contrast can't be told from noise, it stays as it is.

Source: the factor is a regression in a window, as in He, Sun, Tang, IEEE Trans. Pattern Anal. Mach. Intell. 35 (2013)
1397; with Wiener's weight for noise that is known from the image.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core

__all__ = ["put_back"]

Image = NDArray[np.float32]


def put_back(out: Image, left: Image, explained: Image, *, slow: float, window: float, threads: int) -> None:
    """Add to a restored image (y, x) what the recorded one has more or less of.

    Parameters
    ----------
    out : ndarray (y, x) float32
        Restored; changed.
    left, explained : ndarray (y, x) float32
        The recorded image is the sum of both.
    slow, window : float
        σ and w [pixels]; w = 0: only what differs slowly.
    threads : int
    """

    def blurred(image: Any, sigma: float) -> Image:
        result = np.empty_like(out)
        _core.noise_gaussian_blur(np.ascontiguousarray(image, np.float32), result, sigma=sigma, threads=threads)
        return result

    added = blurred(left, slow)
    if window:
        contrast = explained - blurred(explained, window)
        share = blurred((left - blurred(left, window)) * contrast, window)
        scale = blurred(contrast**2, window) + blurred(left**2, window) / np.float32(4 * math.pi * window**2)
        contrast *= np.divide(share, scale, out=np.zeros_like(share), where=scale > 0)
        added += contrast - blurred(contrast, slow)
    out += added
