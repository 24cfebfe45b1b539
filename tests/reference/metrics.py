"""Differences of images, from their definitions, in plain float64: slow, and right.

Ederer and Löffler, Ultramicroscopy 240 (2022) 113578, eqs. 1 to 3; complex steerable pyramid: Portilla and Simoncelli,
Int. J. Comput. Vis. 40 (2000) 49.
"""

import math

import numpy as np


def mse(a, b):
    """Eq. 3: ½ Σ (a/‖a‖ − b/‖b‖)²; a black image differs by 1 from any other."""
    a, b = a.astype(float), b.astype(float)
    if not a.any() or not b.any():
        return float(a.any() != b.any())
    return 0.5 * np.sum((a / np.linalg.norm(a) - b / np.linalg.norm(b)) ** 2)


def disk(radius):
    """Pixels (dy, dx) within `radius` of the middle one."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.argwhere(y**2 + x**2 <= radius**2) - radius


def window_sum(image, places):
    """Sum over the places of a window that lie within the image."""
    reach = int(np.abs(places).max())
    padded = np.pad(image, reach)
    ny, nx = image.shape
    return sum(padded[reach + dy : reach + dy + ny, reach + dx : reach + dx + nx] for dy, dx in places)


def window_mean(image, places):
    """Mean over the places of a window that lie within the image."""
    return window_sum(image, places) / window_sum(np.ones(image.shape), places)


def ssim_map(a, b, radius=8):
    """Eq. 1 as a difference, (1 − SSIM)/2, of images divided by their means, in disks."""
    a, b = (x.astype(float) / (x.mean(dtype=float) if x.any() else 1.0) for x in (a, b))
    spread = min((s for s in (np.ptp(a), np.ptp(b)) if s > 0), default=1.0)
    c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
    places = disk(radius)
    mean_a, mean_b = window_mean(a, places), window_mean(b, places)
    middle_a, middle_b = a.mean(), b.mean()  # variances don't change with the origin, their rounding does
    low_a, low_b = mean_a - middle_a, mean_b - middle_b
    variance_a = window_mean((a - middle_a) ** 2, places) - low_a**2
    variance_b = window_mean((b - middle_b) ** 2, places) - low_b**2
    covariance = window_mean((a - middle_a) * (b - middle_b), places) - low_a * low_b
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity /= (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return (1 - similarity) / 2


def subbands(image, scales=4, orientations=16):
    """Complex coefficients (y, x) of the steerable pyramid, undecimated, one band after the other.

    Radius r [Nyquist frequencies], x = log₂ r: scale s lets through L_s·√(1 − L_{s+1}²), where L_s falls as a cosine
    from 1 at x = −s − 1 to 0 at x = −s; orientation o lets through α·2·cos^{n−1}(φ − πo/n) on its half of the plane.
    Σ_o of the squares of both halves is 1.
    """
    fy, fx = (2 * np.fft.fftfreq(n) for n in image.shape)
    radius, angle = np.hypot(fy[:, None], fx), np.arctan2(fy[:, None], fx)
    octave = np.log2(np.where(radius > 0, radius, 2.0**-60))
    low = [np.cos(np.pi / 2 * np.clip(octave + s + 1, 0, 1)) for s in range(scales + 1)]
    n = orientations
    scale = 2.0 ** (n - 1) * math.factorial(n - 1) / math.sqrt(n * math.factorial(2 * (n - 1)))
    spectrum = np.fft.fft2(image)
    for s in range(scales):
        radial = low[s] * np.sqrt(np.maximum(1 - low[s + 1] ** 2, 0)) * (octave < -s)
        for o in range(n):
            cosine = np.cos(angle - np.pi * o / n)
            yield np.fft.ifft2(spectrum * radial * 2 * scale * np.where(cosine > 0, cosine, 0) ** (n - 1))


def cw_ssim_map(a, b, scales=4, orientations=16, window=7, k=0.02):
    """Eq. 2, mean over the bands, of standardised images; a flat image differs by 1 from any other."""
    a, b = a.astype(float), b.astype(float)
    flat = [x.min() == x.max() for x in (a, b)]
    if any(flat):
        return np.full(a.shape, float(flat[0] != flat[1]))
    a, b = ((x - x.mean()) / x.std() for x in (a, b))
    places = np.argwhere(np.ones((window, window))) - window // 2
    total = np.zeros(a.shape)
    for x, y in zip(subbands(a, scales, orientations), subbands(b, scales, orientations), strict=True):
        cross = np.abs(window_sum(x * y.conj(), places))
        power = window_sum(np.abs(x) ** 2 + np.abs(y) ** 2, places)
        total += 1 - (2 * cross + k) / (power + k)
    return total / (scales * orientations)


def psnr(truth, image, peak=None):
    error = np.mean((truth.astype(float) - image) ** 2)
    return 10 * np.log10((truth.max() if peak is None else peak) ** 2 / error) if error else np.inf


def cross_correlation(a, b):
    """Eq. 4.14 of the contract: the correlation coefficient."""
    a, b = (x - x.mean(dtype=float) for x in (a, b))
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
