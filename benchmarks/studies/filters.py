"""Classical filters that a network is held against, each with one parameter, and the best one with the truth at hand.

All take an image whose noise has a standard deviation of about 1 and a parameter; NLM, TV and BM3D are scikit-image's
and bm3d's (not free for all uses: left out where it isn't installed). Counts are brought there by Anscombe's transform
2·√(x + 3/8) and back by its unbiased inverse in closed form.

Source: Mäkitalo, Foi, IEEE Trans. Image Process. 20 (2011) 2697, eq. 6.
"""

import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal
from skimage import restoration

__all__ = ["COUNTED", "PLAIN", "anscombe", "best", "counts", "spread"]

Image = NDArray[Any]
Filter = tuple[Callable[[Image, float], Image], Sequence[float]]


def _nlm(image: Image, h: float) -> Image:
    filtered: Image = restoration.denoise_nl_means(
        image, patch_size=5, patch_distance=7, h=h, sigma=1.0, fast_mode=True
    )
    return filtered


def _tv(image: Image, weight: float) -> Image:
    filtered: Image = restoration.denoise_tv_chambolle(image, weight=weight, max_num_iter=100)
    return filtered


def _bm3d(image: Image, sigma: float) -> Image:
    import bm3d

    filtered: Image = bm3d.bm3d(image, sigma)
    return filtered


#: On the image as it is.
PLAIN: dict[str, Filter] = {
    "Gaussian": (
        lambda image, sigma: ndimage.gaussian_filter(image, sigma),
        (0.4, 0.6, 0.8, 1, 1.3, 1.6, 2, 2.5, 3.2, 4),
    ),
    "median": (lambda image, size: ndimage.median_filter(image, int(size)), (3, 5, 7, 9)),
    "NLM": (_nlm, (0.3, 0.6, 0.9, 1.3)),
}
#: After Anscombe's transform, where counts are known.
COUNTED: dict[str, Filter] = {
    "Wiener": (lambda image, size: signal.wiener(image, int(size), 1.0), (3, 5, 7, 9)),
    "TV": (_tv, (0.5, 1, 1.5, 2, 3)),
    "NLM": (_nlm, (0.3, 0.6, 0.9, 1.3)),
}
if importlib.util.find_spec("bm3d"):
    COUNTED["BM3D"] = (_bm3d, (0.8, 1.0, 1.3))


def anscombe(counted: Image) -> Image:
    transformed: Image = 2 * np.sqrt(np.maximum(counted + 3 / 8, 0))
    return transformed


def counts(transformed: Image) -> Image:
    """The inverse of `anscombe` in the mean."""
    d = np.maximum(transformed, 1.0)
    back: Image = d**2 / 4 - 1 / 8 + math.sqrt(3 / 2) * (1 / d / 4 + 5 / d**3 / 8) - 11 / d**2 / 8
    return np.maximum(back, 0)


def spread(image: Image) -> float:
    """Standard deviation of the noise: that of the finest differences along both axes, over 2 (white noise)."""
    fine = image[1:, 1:] - image[:-1, 1:] - image[1:, :-1] + image[:-1, :-1]
    return max(float(np.median(np.abs(fine))) / 0.6745 / 2, 1e-9)


def best(filters: dict[str, Any], score: Callable[[Callable[[Image], Image]], float]) -> tuple[float, str]:
    """The highest score and whose it is, over all filters and parameters."""
    tried = [
        (score(lambda image, f=function, p=parameter: f(image, p)), f"{name} {parameter:g}")
        for name, (function, parameters) in filters.items()
        for parameter in parameters
    ]
    return max(tried)
