"""The object behind exit waves, in plain float64: eqs. 4.4-4.8."""

import numpy as np

__all__ = ["between", "object_sum", "weights"]


def between(waves, places):
    """ψ(n/2 + places) of waves (..., n, n) at fractional pixels (m, 2) as (y, x) from the centre: (..., m).

    The wave is shifted in Fourier space (eqs. 4.4, 4.5), the frequency n/2 taken half at each end, and read at n/2.
    """
    n = waves.shape[-1]
    k = np.fft.fftfreq(n, 1 / n)
    spectra = np.fft.fft2(waves)
    ramps = np.exp(2j * np.pi * (np.asarray(places)[..., None] + n // 2) * k / n)
    ramps[..., n // 2] = ramps[..., n // 2].real
    return np.einsum("...yx,my,mx->...m", spectra, ramps[:, 0], ramps[:, 1], optimize=True) / n**2


def places(reach, pitch):
    """Displacements (m, 2) [pixels of a patch] of the image pixels that a patch reaches."""
    around = np.arange(-reach, reach + 1) * pitch
    return np.stack(np.meshgrid(around, around, indexing="ij"), -1).reshape(-1, 2)


def weights(probe, pitch, reach, cut):
    """|ψ_in|² where it is above `cut` of its largest, (2·reach + 1)²."""
    density = np.abs(between(probe, places(reach, pitch))) ** 2
    return np.where(density > cut * (np.abs(probe) ** 2).max(), density, 0).reshape(2 * reach + 1, 2 * reach + 1)


def object_sum(waves, probe, *, pitch, reach, cut, columns, oversample=1, shape=None):
    """T of eq. 4.8, from waves (positions, n, n) of a scan with so many columns; waves of zeros add nothing."""
    lines = -(-len(waves) // columns)
    image = np.zeros((lines * oversample, columns * oversample) if shape is None else shape, complex)
    points = places(reach, pitch)
    weight = weights(probe, pitch, reach, cut).ravel()
    angle = np.angle(between(waves, points) * between(probe, points).conj())
    there = np.any(waves != 0, axis=(1, 2))[:, None]
    for j, patch in enumerate(there * weight * np.exp(1j * angle)):
        y, x = j // columns * oversample, j % columns * oversample
        for value, (dy, dx) in zip(patch, places(reach, 1).astype(int), strict=True):
            if 0 <= y + dy < image.shape[0] and 0 <= x + dx < image.shape[1]:
                image[y + dy, x + dx] += value
    return image
