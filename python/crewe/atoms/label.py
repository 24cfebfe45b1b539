"""One set of columns for a group of images of one place: aligned, found in the best, put where they are in each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_image
from crewe.atoms.find import propose
from crewe.atoms.fit import fit

__all__ = ["label"]

Image = NDArray[np.float32]

#: Of the lattice's frequency: width of the band of the first, coarse shift, in which a lattice has little power.
_COARSE = 0.5
#: Steps per pixel of the last shift.
_UPSAMPLE = 20


def label(images: NDArray[np.float32] | Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
    """Label a group of images of one place, taken at different doses or focus, drifted against each other.

    The images are aligned twice: by phase correlation of what is coarser than the lattice (edges, thickness), which
    can't mistake one lattice vector for another, then near that place by correlation of the lattice, to 1/20 pixel.
    Columns are found and fitted in the best image, moved into each of the others, and left out where they lie outside.

    Parameters
    ----------
    images : ndarray (n, y, x) float32, or a sequence of n images (y, x)
        Columns bright, any unit; n >= 1.

    Returns
    -------
    list of n ndarray (k, 2) float64
        Positions (y, x) [pixels], one array per image, in the order of the images.

    Raises
    ------
    TypeError
        Images that aren't float32.
    ValueError
        A single image (y, x), none, images of different shapes, NaN or infinity.

    References
    ----------
    Yan, MPhil thesis (PolyU), labelling of the test set; Guizar-Sicairos, Thurman, Fienup, Opt. Lett. 33 (2008) 156.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:64, :64]
    >>> near = np.hypot(y - 30, x - 34) < 20
    >>> image = (near * np.exp(-((y % 10 - 5) ** 2 + (x % 10 - 5) ** 2) / 8)).astype(np.float32)
    >>> first, second = label([image, np.roll(image, (3, -2), axis=(0, 1))])
    >>> (second - first).mean(axis=0).round(1).tolist()
    [3.0, -2.0]
    """
    stack = _as_stack(images)
    signals = [_spectrum(image) for image in stack]
    best = int(np.argmax([_visibility(spectrum) for spectrum in signals]))
    found = propose(stack[best], model="log")
    columns = _refined(stack[best], found.columns(), found.spacing)
    labels = []
    for k, image in enumerate(stack):
        shift = np.zeros(2) if k == best else _shift(signals[best], signals[k], image.shape, found.spacing)
        moved = columns + shift
        inside = ((moved > -0.5) & (moved < np.array(image.shape) - 0.5)).all(axis=1)
        labels.append(moved[inside])
    return labels


def _as_stack(images: Any) -> list[Image]:
    if not isinstance(images, Sequence | np.ndarray) or isinstance(images, str):
        raise TypeError(f"images: an array (n, y, x) or a sequence of images wanted, {type(images).__name__} came")
    if isinstance(images, np.ndarray) and images.ndim != 3:
        raise ValueError(f"images: shape (n, y, x) wanted, {images.shape} came")
    stack = [as_image(image, f"images[{k}]") for k, image in enumerate(images)]
    if not stack:
        raise ValueError("images: at least one wanted, none came")
    if shapes := {image.shape for image in stack} - {stack[0].shape}:
        raise ValueError(f"images: one shape wanted, {stack[0].shape} and {shapes.pop()} came")
    return stack


def _refined(image: Image, columns: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """The columns as Gaussians fitted to the image; one that runs away from its summit stays there."""
    if len(columns) == 0:
        return columns
    fitted = fit(image, columns).positions
    astray = np.hypot(*(fitted - columns).T) > max(1.0, 0.2 * spacing)
    return np.where(astray[:, None], columns, fitted)


def _spectrum(image: Image) -> NDArray[np.complex64]:
    """Of the image less its mean, faded to zero over its outer eighths, so that its edges have no power."""
    ramps = [np.clip(np.minimum(np.arange(n) + 1, n - np.arange(n)) / max(1, n // 8), 0, 1) for n in image.shape]
    fade = np.outer(*(np.sin(np.pi / 2 * ramp) ** 2 for ramp in ramps)).astype(np.float32)
    spectrum: NDArray[np.complex64] = np.fft.rfft2((image - image.mean()) * fade).astype(np.complex64)
    return spectrum


def _frequencies(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Length of the frequencies of `rfft2` [cycles/pixel]."""
    k: NDArray[np.float64] = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    return k


def _visibility(spectrum: NDArray[np.complex64]) -> float:
    """Power of the strongest thousandth of all but the lowest frequencies, over the median: Bragg to noise."""
    power = np.abs(spectrum[:, 1:]) ** 2
    fine = power[_frequencies((spectrum.shape[0], 2 * (spectrum.shape[1] - 1)))[:, 1:] > 0.03]
    strongest = np.partition(fine, -max(1, fine.size // 1000))[-max(1, fine.size // 1000) :]
    return float(strongest.mean() / max(float(np.median(fine)), 1e-30))


def _shift(
    reference: NDArray[np.complex64], other: NDArray[np.complex64], shape: tuple[int, ...], spacing: float
) -> NDArray[np.float64]:
    """How far `other` lies from `reference` (y, x) [pixels]."""
    k = _frequencies(shape)
    cross = other * reference.conj()
    phase = cross / np.maximum(np.abs(cross), 1e-30)
    lattice = 1 / max(spacing, 4.0)
    coarse = np.abs(cross) ** 0.5 * phase * np.exp(-((k / (_COARSE * lattice)) ** 2) / 2)
    top = np.unravel_index(np.fft.irfft2(coarse, shape).argmax(), shape)
    start = np.array([(int(t) + n // 2) % n - n // 2 for t, n in zip(top, shape, strict=True)], np.float64)
    fine = cross * (k > 0.25 * lattice)  # unweighted: the most likely shift under white noise
    return _summit(fine, shape, start, max(2.0, spacing / 2))


def _summit(
    cross: NDArray[Any], shape: tuple[int, ...], start: NDArray[np.float64], reach: float
) -> NDArray[np.float64]:
    """The highest place of a correlation within `reach` of `start`, to 1/20 pixel by a Fourier sum of its own."""
    correlation = np.fft.irfft2(cross, shape)
    y, x = (np.arange(round(s - reach), round(s + reach) + 1) for s in start)
    near = correlation[np.ix_(y % shape[0], x % shape[1])]
    top = np.unravel_index(near.argmax(), near.shape)
    offsets = np.arange(-_UPSAMPLE, _UPSAMPLE + 1) / _UPSAMPLE
    ky, kx = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    along_y = np.exp(2j * np.pi * np.outer(y[top[0]] + offsets, ky))
    along_x = np.exp(2j * np.pi * np.outer(kx, x[top[1]] + offsets))
    twice = np.where((kx > 0) & (kx < 0.5), 2.0, 1.0)  # the other half of the frequencies
    finer = (along_y @ (cross * twice) @ along_x).real
    best = np.unravel_index(finer.argmax(), finer.shape)
    return np.array([y[top[0]] + offsets[best[0]], x[top[1]] + offsets[best[1]]])
