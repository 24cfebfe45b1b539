"""Single-sideband ptychography as it is defined, frequency by frequency, in plain float64."""

import numpy as np

from crewe.optics import Aberrations, wavelength

__all__ = ["ssb", "weak_patterns"]


def ssb(
    frames, *, energy, semiangle, step, angle_per_pixel, center=None, rotation=0.0, transpose=False, aberrations=None,
    wiener=None,
):  # fmt: skip
    """Phase [rad] (sy, sx): −i Σ_k W·G / (I₀ Σ_k W·Γ) for every frequency of the scan, mean 0."""
    frames = np.asarray(frames, float)
    sy, sx, ny, nx = frames.shape
    cy, cx = ((ny - 1) / 2, (nx - 1) / 2) if center is None else center
    y, x = np.mgrid[:ny, :nx] - np.array([cy, cx])[:, None, None]
    lens, radius = aberrations or Aberrations(), semiangle / angle_per_pixel

    def wave(y, x):
        chi = lens.chi(np.hypot(y, x) * angle_per_pixel * 1e-3, np.arctan2(y, x), energy=energy)
        return (np.hypot(y, x) <= radius * (1 + 1e-9)) * np.exp(-1j * chi)

    here = wave(y, x)
    disc = here != 0
    transform = np.fft.fft2(frames[:, :, disc], axes=(0, 1))
    mean = frames[:, :, disc].mean()
    per_frequency = wavelength(energy) * 1e3 / angle_per_pixel  # detector pixels per 1/Å
    found, strength = np.zeros((sy, sx), complex), np.zeros((sy, sx))
    for row, fy in enumerate(np.fft.fftfreq(sy, step)):
        for col, fx in enumerate(np.fft.fftfreq(sx, step)):
            if 2 * row == sy or 2 * col == sx or row == col == 0:
                continue
            qy = per_frequency * (np.cos(rotation) * fy - np.sin(rotation) * fx)
            qx = per_frequency * (np.sin(rotation) * fy + np.cos(rotation) * fx)
            if transpose:
                qy, qx = qx, qy
            plus, minus = wave(y - qy, x - qx), wave(y + qy, x + qx)
            gamma = (here.conj() * plus - here * minus.conj())[disc]
            weight = gamma.conj()
            if wiener is None:
                alone = ((plus != 0) ^ (minus != 0))[disc]
                weight = weight * alone
                strength[row, col] = alone.sum()
            weight = weight - weight.mean()
            gain = (weight * gamma).sum()
            if wiener is not None:
                strength[row, col] = abs(gain)
            if gain != 0:
                found[row, col] = -1j * (weight * transform[row, col]).sum() / gain
    if wiener is None:
        found[strength < 0.1 * strength.max()] = 0
    else:
        found *= (1 + wiener) * strength / np.maximum(strength + wiener * strength.max(), 1e-300)
    return np.fft.ifft2(found).real / mean


def weak_patterns(phase, positions, *, sampling, energy, semiangle, aberrations=None, center=None):
    """|F{probe·exp(iφ)}|² of a periodic field (n, n), the zero frequency at `center`; positions (..., 2) [Å]."""
    n = len(phase)
    box = n * sampling
    cy, cx = (n // 2, n // 2) if center is None else center
    ky, kx = (np.arange(n)[:, None] - cy) / box, (np.arange(n) - cx) / box
    alpha = wavelength(energy) * np.hypot(ky, kx)
    chi = (aberrations or Aberrations()).chi(alpha, np.arctan2(ky, kx + 0 * ky), energy=energy)
    aperture = (alpha <= semiangle * 1e-3) * np.exp(-1j * chi)
    aperture /= np.sqrt((np.abs(aperture) ** 2).sum())
    y, x = positions[..., 0, None, None], positions[..., 1, None, None]
    probes = np.fft.ifft2(aperture * np.exp(-2j * np.pi * (ky * y + kx * x)))
    return (np.abs(np.fft.fft2(probes * np.exp(1j * phase))) ** 2).astype(np.float32)
