"""What a scanning microscope makes of columns: a probe, a ground, counting, a scan that jitters."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise

__all__ = ["empty", "recorded", "seen"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]


def seen(rng: np.random.Generator, places: Floats, weights: Floats, size: int, fwhm: float) -> Image:
    """Columns under a probe: an elliptic Gaussian with a tail and side lobes; a weight of 1 has a peak of about 1."""
    pad = math.ceil(1.5 * fwhm) + 4
    n = _fast(size + 2 * pad)
    grid = np.zeros(n * n)
    at = places + pad
    inside = ((at >= 0) & (at < n - 1)).all(axis=1)
    at, weights = at[inside], weights[inside]
    whole = np.floor(at).astype(np.int64)
    part = at - whole
    for dy in (0, 1):
        for dx in (0, 1):
            share = weights * np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            grid += np.bincount((whole[:, 0] + dy) * n + whole[:, 1] + dx, share, n * n)
    ky, kx = np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None]
    sigma = fwhm / 2.355
    transfer = _gauss(ky, kx, sigma, math.exp(abs(rng.normal(0, 0.12))), rng.uniform(0, math.pi))
    if rng.random() < 0.6:
        tail = rng.uniform(0, 0.6)
        transfer = transfer + tail * _gauss(ky, kx, sigma * rng.uniform(1.6, 3.5), 1.0, 0.0)
    if rng.random() < 0.25:
        lobes, first = int(rng.choice([1, 2, 3])), rng.uniform(0, 2 * math.pi)
        far, amount = sigma * rng.uniform(0.8, 2.2), rng.uniform(0, 0.45)
        for angle in first + 2 * math.pi * np.arange(lobes) / lobes:
            phase = far * (ky * math.sin(angle) + kx * math.cos(angle))
            transfer = transfer + amount / lobes * _gauss(ky, kx, sigma, 1.0, 0.0) * np.exp(-2j * math.pi * phase)
    image = np.fft.irfft2(np.fft.rfft2(grid.reshape(n, n)) * transfer, s=(n, n))[pad : pad + size, pad : pad + size]
    return np.maximum(image * 2 * math.pi * sigma**2, 0).astype(np.float32)


def _fast(n: int) -> int:
    while True:
        m = n
        for p in (2, 3, 5):
            while m % p == 0:
                m //= p
        if m == 1:
            return n
        n += 1


def _gauss(ky: Any, kx: Any, sigma: float, ratio: float, angle: float) -> Any:
    c, s = math.cos(angle), math.sin(angle)
    return np.exp(-2 * (math.pi * sigma) ** 2 * (((c * ky + s * kx) * ratio) ** 2 + ((c * kx - s * ky) / ratio) ** 2))


def _hills(rng: np.random.Generator, size: int, width: float) -> Image:
    """Smooth, 0..1."""
    y, x = np.arange(size)[:, None], np.arange(size)
    out = np.zeros((size, size))
    for _ in range(int(rng.integers(1, 6))):
        cy, cx, w = *rng.uniform(-0.2, 1.2, 2) * size, width * math.exp(rng.normal(0, 0.4))
        out += rng.uniform(0.2, 1) * np.exp(-((y - cy) ** 2) / (2 * w * w)) * np.exp(-((x - cx) ** 2) / (2 * w * w))
    return (out / max(float(out.max()), 1e-9)).astype(np.float32)


def _grains(rng: np.random.Generator, size: int, sigma: float) -> Image:
    """Noise smooth over `sigma` pixels, mean 0, standard deviation 1."""
    ky, kx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    white = np.fft.rfft2(rng.standard_normal((size, size)))
    field = np.fft.irfft2(white * _gauss(ky, kx, max(sigma, 0.5), 1.0, 0.0), s=(size, size))
    return (field / max(float(field.std()), 1e-12)).astype(np.float32)


def recorded(
    rng: np.random.Generator, clean: Image, weights: Floats, fwhm: float, spacing: float, single: bool
) -> tuple[Image, Image]:
    """Ground, contamination, counting and scanning → the image, and the noise of a column's weight at every place.

    The noise is that of counting over twice the area of the probe, and that of the ground's grains.
    """
    size, top = clean.shape[0], max(float(weights.max()), 1e-9)
    reference = top if single or rng.random() < 0.7 else float(np.median(weights))
    ground, depth = np.zeros_like(clean), 0.0
    level = reference * rng.uniform(0, 1.0 if not single else 2.0) ** 2 * (rng.random() < 0.7)
    if level:
        ground = np.full_like(clean, level)
        if rng.random() < (0.8 if single else 0.35):
            ground = ground * (rng.uniform(0, 0.6) + _hills(rng, size, rng.uniform(2, 12) * spacing))
        if rng.random() < (0.85 if single else 0.4):
            depth = reference * rng.uniform(0, 0.25 if single else 0.12)
            coarse = math.exp(rng.uniform(-0.2, 1.8))  # beside the probe; the coarser, the deeper
            ground = ground + depth * math.sqrt(coarse) * _grains(rng, size, coarse * fwhm / 2.355)
        ground = np.maximum(ground, 0)
    if rng.random() < 0.3:
        ground = ground + reference * rng.uniform(0.2, 1.5) * _hills(rng, size, rng.uniform(1, 8) * spacing)
    electrons = math.exp(rng.uniform(math.log(8 if not single else 20), math.log(250)))
    if rng.random() < 0.25:
        electrons = math.exp(rng.uniform(math.log(250), math.log(5000)))
    area = 2 * math.pi * (fwhm / 2.355) ** 2  # a column of weight w holds w·area of `clean`, about
    scale = electrons / (reference * area)
    doubt = np.sqrt((reference + 2 * ground) / (scale * area) + depth**2)
    return _chain(rng, clean + ground, scale, spacing * (2 if single else 1)), doubt


def _chain(rng: np.random.Generator, image: Image, scale: float, spacing: float) -> Image:
    """The image recorded with `scale` electrons per unit; lines jump by up to 0.08 of a spacing [pixels]."""
    mean = float(image.mean())
    if mean * scale < 1e-5:
        image, mean = image + np.float32(1e-5 / scale), mean + 1e-5 / scale
    jump = spacing * rng.uniform(0, 0.03 if rng.random() < 0.75 else 0.08)
    pedestal = rng.uniform(0, 0.5) * math.sqrt(mean * scale)
    options: dict[str, Any] = {"detector": {"width": rng.uniform(0.0, 0.6), "pedestal": pedestal}}
    if rng.random() < 0.85:
        options["jitter"] = {"sigma": (jump * rng.uniform(0.2, 1), jump), "phi": rng.uniform(0, 0.8)}
    if rng.random() < 0.12:
        options["zingers"] = {"count": int(rng.integers(1, 12)), "gain": (3.0, 30.0)}
    if rng.random() < 0.12:
        options["clip"] = {"quantile": float(rng.uniform(0.97, 1))}
    if rng.random() < 0.3:
        options["fast_scan"] = {"alpha": float(rng.uniform(0.3, 4))}
    return noise.stem(image, pixel_size=1.0, electrons_per_pixel=mean * scale, seed=rng, threads=1, **options).image


def empty(rng: np.random.Generator, size: int, spacing: float) -> Image:
    """Vacuum, a ramp or amorphous matter, recorded."""
    ground = np.full((size, size), 1.0, np.float32)
    if rng.random() < 0.6:
        ground = ground * (0.2 + _hills(rng, size, rng.uniform(2, 10) * spacing))
    if rng.random() < 0.6:
        depth = rng.uniform(0.05, 0.4)
        ground = ground * np.maximum(1 + depth * _grains(rng, size, rng.uniform(0.1, 0.5) * spacing), 0)
    dose = math.exp(rng.uniform(math.log(0.3), math.log(3000))) / spacing**2
    return _chain(rng, ground, dose, spacing)
