"""Difference of local gradients at the keypoints of a reference (SIFT), by OpenCV. Wants ``crewe[metrics]``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_threads, cores
from crewe.metrics._checks import Image, as_image, as_images, unstack

__all__ = ["Keypoints", "sift"]

#: OpenCV's contrastThreshold, edgeThreshold and sigma. They aren't published; these come nearest to what the paper says
#: of Nb₃Sn: 0.18 for a defocus of −2 nm, ½ to ¾ for ZrO₂, 0.7 for noise alone (docs/metrics.md).
CONTRAST, EDGE, SIGMA = 0.02, 15.0, 2.6
PAD = 64  # pixels of mirror image around: keypoints at the edges see whole neighbourhoods


class Keypoints:
    """The keypoints of a reference and their descriptors, to hold images against: the reference is looked at once.

    Parameters
    ----------
    reference : ndarray (y, x) float32
    threads : int
        0: all cores.

    Attributes
    ----------
    places : ndarray (n, 2)
        (y, x) of the keypoints [pixels].

    Notes
    -----
    Scale and orientation of a keypoint are those of the reference in all images. Descriptors are always worked out for
    the whole list: OpenCV begins its pyramid at the smallest octave of the list, so that those of a part of it differ.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.indices((96, 96))
    >>> dots = (np.cos(y / 3) + np.cos(x / 4)).astype(np.float32)
    >>> keypoints = Keypoints(dots)
    >>> keypoints.distances(2 * dots + 1).shape == (len(keypoints.places),)
    True
    """

    def __init__(self, reference: Image, *, threads: int = 0) -> None:
        image = as_image(reference, "reference")
        self.shape = image.shape
        self._threads = as_threads(threads)
        self._sift = _opencv().SIFT_create(contrastThreshold=CONTRAST, edgeThreshold=EDGE, sigma=SIGMA)
        self._pixels = _padded(image)
        ny, nx = image.shape
        with _cores(self._threads):
            found = self._sift.detect(self._pixels, None)
            places = np.array([(k.pt[1] - PAD, k.pt[0] - PAD) for k in found], np.float64).reshape(-1, 2)
            inside = np.asarray(((places > -0.5) & (places < (ny - 0.5, nx - 0.5))).all(axis=1))
            self._keypoints = [k for k, keep in zip(found, inside, strict=True) if keep]
            self.places: NDArray[np.float64] = places[inside]
            self._descriptors = self._describe(self._pixels)

    def distances(self, image: Image) -> NDArray[np.float64]:
        """|d − d'|/√2 of the descriptors of each keypoint, of unit length: 0 ... 1; where the image is flat: 1."""
        test = _padded(as_images(image, self._like(), "image")[0])
        with _cores(self._threads):
            descriptors = self._describe(test)
        found = np.linalg.norm(descriptors - self._descriptors, axis=1) / np.sqrt(2)
        flat = descriptors.any(axis=1) != self._descriptors.any(axis=1)
        return np.where(flat, 1.0, np.minimum(found, 1.0))

    def difference(self, image: Image) -> float:
        """The mean distance. Where the reference has no keypoints, 0 for the same image, else 1."""
        if not len(self.places):
            return float((_padded(as_images(image, self._like(), "image")[0]) != self._pixels).any())
        return float(self.distances(image).mean())

    def _like(self) -> Image:
        return np.broadcast_to(np.float32(0), self.shape)

    def _describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Descriptors of unit length (n, 128); of nothing: zeros."""
        if not self._keypoints:
            return np.zeros((0, 128))
        keypoints, found = self._sift.compute(pixels, self._keypoints)
        if len(keypoints) != len(self._keypoints):
            raise RuntimeError(f"OpenCV left out {len(self._keypoints) - len(keypoints)} keypoints")
        length = np.linalg.norm(found.astype(np.float64), axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, 1e-12))


def sift(reference: Image, test: Image, *, threads: int = 0) -> Any:
    """Mean distance of the SIFT descriptors of an image at the keypoints of a reference, |d − d'|/√2.

    Keypoints come from the reference alone: sift(a, b) and sift(b, a) differ. Brightness and contrast don't matter.

    Parameters
    ----------
    reference : ndarray (y, x) float32
    test : ndarray (..., y, x) float32
        One image or many: the reference is looked at once.
    threads : int
        0: all cores.

    Returns
    -------
    float or ndarray (...)
        0 ... 1; 1 where the test image is flat. A reference without keypoints: 0 for the same image, else 1.

    Raises
    ------
    ImportError
        OpenCV isn't installed.
    TypeError
        Another dtype.
    ValueError
        Other shapes, NaN, infinity.

    References
    ----------
    Ederer, Löffler, Ultramicroscopy 240 (2022) 113578, section 2 (their settings aren't published); Lowe, Int. J.
    Comput. Vis. 60 (2004) 91.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.indices((96, 96))
    >>> dots = (np.cos(y / 3) + np.cos(x / 4)).astype(np.float32)
    >>> sift(dots, dots), sift(dots, np.zeros_like(dots)), sift(dots, -dots) > 0.5
    (0.0, 1.0, True)
    """
    keypoints = Keypoints(reference, threads=threads)
    stack = as_images(test, keypoints._like(), "test")
    return unstack(np.array([keypoints.difference(image) for image in stack]), test)


def _padded(image: Image) -> NDArray[np.uint8]:
    """The range of values to 0 ... 255, which is what OpenCV takes, and a mirror image around; a flat image: 0."""
    low, high = float(image.min()), float(image.max())
    pixels = np.zeros(image.shape, np.uint8)
    if high > low:
        pixels = np.rint((image.astype(np.float64) - low) * (255 / (high - low))).astype(np.uint8)
    return np.pad(pixels, PAD, mode="symmetric")


@contextmanager
def _cores(threads: int) -> Iterator[None]:
    """OpenCV's number of threads, which belongs to the process, is put back."""
    cv2 = _opencv()
    before = cv2.getNumThreads()
    cv2.setNumThreads(cores(threads))
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ImportError("sift wants OpenCV: pip install 'crewe[metrics]'") from error
    return cv2
