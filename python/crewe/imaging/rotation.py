"""Rotation of the scan against the detector: how to undo it, and how to find it in the data."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe._array import as_number, as_vectors, check_finite

__all__ = ["fit_rotation", "rotate"]

Real = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

_TILE = 512  # positions; larger scans are looked at in tiles of at most this size, so that memory stays small


def rotate(com: NDArray[Any], angle: float, *, transpose: bool = False) -> NDArray[Any]:
    """Rotate centre-of-mass vectors: y' = cos·y + sin·x, x' = −sin·y + cos·x; y and x exchanged first if `transpose`.

    Parameters
    ----------
    com : ndarray (..., 2) float32 or float64
        Vectors (y, x).
    angle : float
        Rotation [rad].
    transpose : bool
        Exchange the components first: a detector that shows the pattern mirrored.

    Returns
    -------
    ndarray (..., 2)
        The rotated vectors, of the same dtype.

    Raises
    ------
    TypeError
        `com` isn't float32 or float64.
    ValueError
        The last axis isn't 2, or `angle` isn't finite.

    Examples
    --------
    >>> import numpy as np
    >>> rotate(np.array([0.0, 1.0], np.float32), np.pi / 2).round(6) + 0
    array([1., 0.], dtype=float32)
    """
    com = as_vectors(com, "com")
    turn = as_number(angle, "angle", unit="rad")
    cos, sin = com.dtype.type(math.cos(turn)), com.dtype.type(math.sin(turn))
    y, x = (com[..., 1], com[..., 0]) if transpose else (com[..., 0], com[..., 1])
    out = np.empty_like(com)
    out[..., 0] = cos * y + sin * x
    out[..., 1] = cos * x - sin * y
    return out


def fit_rotation(com: NDArray[Any]) -> tuple[float, bool]:
    """Find the rotation that makes a centre-of-mass map the gradient of an image with bright atoms.

    A gradient has no curl. The power of the part of the field that has is c²A + s²B + 2csM in c = cos(angle) and
    s = sin(angle), so its least value is known in closed form, for the field as it is and with y and x exchanged. Half
    a turn changes nothing in it: of the two angles that one is taken for which the image, noise filtered out, is skewed
    as atoms make it: sharp peaks on a flat ground.

    Parameters
    ----------
    com : ndarray (sy, sx, 2) float32 or float64
        Centre of mass (y, x) per probe position, at least 2×2; its mean doesn't matter.

    Returns
    -------
    angle : float
        For `rotate`, in [−π, π) [rad].
    transpose : bool
        For `rotate`.

    Raises
    ------
    TypeError
        `com` isn't float32 or float64.
    ValueError
        Wrong shape or NaN.

    Notes
    -----
    A map without contrast gives an arbitrary angle. Where holes look like atoms, as in a honeycomb whose atoms aren't
    resolved, the angle is half a turn off. A square lattice of which no more than the four lowest frequencies are
    resolved fits both transposes.

    References
    ----------
    Savitzky et al., Microsc. Microanal. 27 (2021) 712 (least curl); Yu et al., Microsc. Microanal. 28 (2022) 1526.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[-16:16, -16:16].astype(np.float32)
    >>> atom = np.exp(-(y**2 + x**2) / 18)[..., None]
    >>> drawn = -np.stack([y, x], -1) * atom  # towards the atom
    >>> angle, transpose = fit_rotation(rotate(drawn, -0.3))
    >>> round(angle, 2), transpose
    (0.3, False)
    """
    com = as_vectors(com, "com")
    if com.ndim != 3 or min(com.shape[:2]) < 2:
        raise ValueError(f"com: shape (sy, sx, 2) with at least 2×2 positions wanted, {com.shape} came")
    check_finite(com, "com")
    centred = com - com.mean((0, 1), dtype=np.float64).astype(com.dtype)
    fits = [_least_curl(centred, transpose) for transpose in (False, True)]
    transpose = fits[1][0] < fits[0][0]
    angle = fits[transpose][1]
    if _skewness(centred, angle, transpose) < 0:
        angle += math.pi
    return (angle + math.pi) % (2 * math.pi) - math.pi, transpose


class _Waves(NamedTuple):
    """Spectrum of a tile: across and along Q, each as a pair (cosine part, sine part) of the rotated field."""

    across: tuple[Spectrum, Spectrum]
    along: tuple[Spectrum, Spectrum]
    length: Real  # |Q| [cycles/pixel]
    weight: Real  # 2 where the half plane stands for two frequencies


def _waves(tile: NDArray[Any], transpose: bool) -> _Waves:
    """The field is continued as the gradient of a mirrored image: no jumps at the edges, for any angle.

    y' is odd in y and even in x, x' the other way round; both are mixed of y and x, so these appear in both parities.
    """
    y, x = (tile[..., 1], tile[..., 0]) if transpose else (tile[..., 0], tile[..., 1])
    sy, sx = y.shape
    qy, qx = np.meshgrid(np.fft.fftfreq(2 * sy), np.fft.rfftfreq(2 * sx), indexing="ij")
    length = np.hypot(qy, qx)
    length[0, 0] = 1
    qy, qx = qy / length, qx / length
    y_odd_y, x_odd_y = np.fft.rfft2(_mirrored(y, 0)), np.fft.rfft2(_mirrored(x, 0))
    y_odd_x, x_odd_x = np.fft.rfft2(_mirrored(y, 1)), np.fft.rfft2(_mirrored(x, 1))
    weight = np.full(length.shape, 2.0)
    weight[:, [0, -1]] = 1
    return _Waves(
        across=(qy * x_odd_x - qx * y_odd_y, -qy * y_odd_x - qx * x_odd_y),
        along=(qy * y_odd_y + qx * x_odd_x, qy * x_odd_y - qx * y_odd_x),
        length=length,
        weight=weight,
    )


def _mirrored(values: NDArray[Any], odd: int) -> NDArray[Any]:
    """(sy, sx) → (2·sy, 2·sx), with the sign turned along the odd axis."""
    for axis in (0, 1):
        image = np.flip(values, axis)
        values = np.concatenate([values, -image if axis == odd else image], axis)
    return values


def _tiles(com: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The scan in nearly equal tiles."""
    sy, sx = com.shape[:2]
    for rows in np.array_split(np.arange(sy), -(-sy // _TILE)):
        for columns in np.array_split(np.arange(sx), -(-sx // _TILE)):
            yield com[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _least_curl(com: NDArray[Any], transpose: bool) -> tuple[float, float]:
    """Power that is left across Q, and the angle in (−π/2, π/2]."""
    cosine = sine = mixed = 0.0
    for tile in _tiles(com):
        waves = _waves(tile, transpose)
        a, b = waves.across
        cosine += float((waves.weight * np.abs(a) ** 2).sum())
        sine += float((waves.weight * np.abs(b) ** 2).sum())
        mixed += float((waves.weight * (a * b.conj()).real).sum())
    # c²A + s²B + 2csM = (A + B)/2 + (A − B)/2·cos 2θ + M·sin 2θ
    least = (cosine + sine) / 2 - math.hypot((cosine - sine) / 2, mixed)
    return least, math.atan2(-2 * mixed, sine - cosine) / 2


def _skewness(com: NDArray[Any], angle: float, transpose: bool) -> float:
    """Third moment of the image |Q|·φ(Q), whose noise is as white as the field's: where φ drowns in slow noise and the
    sources |Q|²·φ in fast noise, it still has the right sign. What is left across Q tells how much along Q is noise.
    """
    cos, sin = math.cos(angle), math.sin(angle)
    third = 0.0
    for tile in _tiles(com):
        waves = _waves(tile, transpose)
        across, along = (cos * part[0] + sin * part[1] for part in (waves.across, waves.along))
        ring = np.round(waves.length * 2 * min(tile.shape[:2])).astype(np.intp)
        noise, power = (np.bincount(ring.ravel(), (waves.weight * np.abs(s) ** 2).ravel()) for s in (across, along))
        signal = np.clip(1 - noise / np.where(power == 0, 1, power), 0, 1)[ring]
        sy, sx = tile.shape[:2]
        image: Any = np.fft.irfft2(-1j * signal * along, s=(2 * sy, 2 * sx))[:sy, :sx]
        third += float(((image - image.mean()) ** 3).sum())
    return third
