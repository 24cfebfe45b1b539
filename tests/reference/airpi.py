"""The definitions of AIRPI's losses and of what its network sees, in plain float64."""

import numpy as np

__all__ = ["correlation", "losses", "seen"]


def transform(wave, ways):
    """Unitary, zero at size/2 on both sides; `ways` is np.fft.fft2 or ifft2."""
    return np.fft.fftshift(ways(np.fft.ifftshift(wave), norm="ortho"))


def first_step(patterns, probe, pitch):
    """ΔO (2, y, x) of nine patterns, a probe (amplitude, phase) and the distance of probes [pixels of the probe]."""
    size = len(probe[0])
    spectrum = transform(probe[0] * np.exp(1j * probe[1]), np.fft.fft2)
    k = (np.arange(size) - size // 2) / size
    change, dose = np.zeros((size, size), complex), np.zeros((size, size))
    for index, pattern in enumerate(patterns / patterns.sum() * 9):
        y, x = (index // 3 - 1) * pitch, (index % 3 - 1) * pitch
        moved = spectrum * np.exp(-2j * np.pi * (k[:, None] * y + k[None, :] * x))
        wave = transform(moved, np.fft.ifft2)
        ratio = (np.sqrt(pattern) - np.abs(spectrum)) / (np.abs(spectrum) + 1e-3)
        change += wave.conj() * transform(ratio * moved, np.fft.ifft2)
        dose += np.abs(wave) ** 2
    found = 0.7 * change / (dose + 0.03 * dose.max())
    return np.stack([found.real, found.imag])


def seen(patterns, probe, step, pitch):
    """(13, y, x) of nine patterns, a probe (amplitude, phase) and a step [Å], [pixels of the probe]; eq. 4.10."""
    direct = np.arcsinh(40 * first_step(patterns, probe, pitch))
    relative = patterns / patterns.mean()
    for k in range(9):
        distance = np.hypot(k // 3 - 1, k % 3 - 1) * step
        relative[k] *= min(1, 1 / (50 * distance)) if distance else 1
    parts = [relative**0.1, probe[:1], probe[1:]]
    return np.concatenate([*((x - x.mean()) / (x.std() + 1e-6) for x in parts), direct])


def correlation(a, b, weight):
    """Eq. 4.14, weighted; phases that vary by less than a milliradian have nothing to correlate."""
    a, b = (x - (weight * x).sum() for x in (a, b))
    product, aa, bb = ((weight * x * y).sum() for x, y in ((a, b), (a, a), (b, b)))
    return (product + 1e-6) / np.sqrt((aa + 1e-6) * (bb + 1e-6))


def losses(amplitude, phase, truth, probe):
    """Of one sample."""
    wave = amplitude * np.exp(1j * phase)
    far, true = (np.fft.fft2(w, norm="ortho") for w in (wave, truth))

    def circle(a, b):
        return (np.cos(a) - np.cos(b)) ** 2 + (np.sin(a) - np.sin(b)) ** 2

    def fifth(a, b):
        return (((np.abs(a) + 1e-6) ** 0.2 - (np.abs(b) + 1e-6) ** 0.2) ** 2).mean()

    weight = np.abs(probe) ** 2 / (np.abs(probe) ** 2).sum()
    found, wanted = np.angle(wave / probe), np.angle(truth / probe)
    total = (amplitude**2).sum()
    return {
        "intensity_k": ((np.abs(far) ** 2 - np.abs(true) ** 2) ** 2).sum(),
        "intensity_r": ((amplitude**2 - np.abs(truth) ** 2) ** 2).sum(),
        "phase_k": 3 * (np.abs(true) / np.abs(true).sum() * circle(np.angle(far), np.angle(true))).sum(),
        "phase_r": (np.abs(truth) / np.abs(truth).sum() * circle(phase, np.angle(truth))).sum(),
        "amplitude": fifth(wave, truth) + fifth(far, true),
        "object": (weight * circle(found, wanted)).sum(),
        "correlation": (1 - correlation(found, wanted, weight)) / 2,
        "bounds": max(total - 1, 0) + max(0.3 - total, 0) + np.maximum(np.abs(phase) - np.pi, 0).mean(),
    }
