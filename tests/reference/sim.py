"""The multislice in plain NumPy and double precision, written out from its definition."""

import numpy as np

C0 = 47.877647  # h²/(2π m0 e) [V·Å²], CODATA 2018


def factor(entry, g2):
    """f_e [Å] of a table's entry."""
    if "c" in entry:
        ab, cd = zip(entry["a"], entry["b"], strict=True), zip(entry["c"], entry["d"], strict=True)
        return sum(a / (g2 + b) for a, b in ab) + sum(c * np.exp(-d * g2) for c, d in cd)
    return sum(a * (2 + b * g2) / (1 + b * g2) ** 2 for a, b in zip(entry["a"], entry["b"], strict=True))


def wavenumbers(shape, sampling):
    ky, kx = (np.fft.fftfreq(n, d) for n, d in zip(shape, sampling, strict=True))
    return ky[:, None], kx[None, :]


def slices(entries, symbols, positions, slice_of, count, shape, extent, constant=C0):
    """(count, ny, nx) [V·Å]: the real part of Σ_k C0·f_e/(Lx·Ly) Σ_j exp(2πi k·(r − r_j)), atom by atom."""
    sampling = extent[0] / shape[0], extent[1] / shape[1]
    ky, kx = wavenumbers(shape, sampling)
    spectra = np.zeros((count, *shape), complex)
    for symbol, (x, y, _), s in zip(symbols, positions, slice_of, strict=True):
        spectra[s] += factor(entries[symbol], ky**2 + kx**2) * np.exp(-2j * np.pi * (ky * y + kx * x))
    return (np.fft.ifft2(spectra) * (constant * shape[0] * shape[1] / (extent[0] * extent[1]))).real


def band_limit(shape, sampling):
    """A(k): 1, then a half cosine of the width 0.01/d, then 0 from two thirds of the Nyquist frequency."""
    k = np.hypot(*wavenumbers(shape, sampling))
    cut, width = 1 / (3 * max(sampling)), 0.01 / max(sampling)
    edge = 0.5 * (1 + np.cos(np.pi * (k - cut + width) / width))
    return np.where(k <= cut - width, 1.0, np.where(k < cut, edge, 0.0))


def multislice(potential, sampling, thickness, wavelength, interaction, wave=None, tilt=(0.0, 0.0), planes=None):
    """The wave (ny, nx) behind each of the `planes` (numbers of slices); thickness [Å] per slice, tilt [rad]."""
    shape = potential.shape[1:]
    ky, kx = wavenumbers(shape, sampling)
    limit = band_limit(shape, sampling)
    psi = np.ones(shape, complex) if wave is None else wave.astype(complex)
    found = []
    for s, (v, dz) in enumerate(zip(potential, thickness, strict=True)):
        transmission = np.fft.ifft2(limit * np.fft.fft2(np.exp(1j * interaction * v)))
        phase = -wavelength * (ky**2 + kx**2) + 2 * (ky * np.tan(tilt[0]) + kx * np.tan(tilt[1]))
        psi = np.fft.ifft2(limit * np.exp(1j * np.pi * dz * phase) * np.fft.fft2(transmission * psi))
        if planes is not None and s + 1 in planes:
            found.append(psi)
    return psi if planes is None else np.stack(found)


def probe(shape, sampling, wavelength, semiangle, chi, position, soft=True):
    """ψ(r) of a probe, Σ|fft2|² = 1; semiangle [rad], chi(alpha, phi) [rad]."""
    ky, kx = wavenumbers(shape, sampling)
    alpha, phi = wavelength * np.hypot(ky, kx), np.arctan2(ky, kx)
    if soft:
        lengths = shape[0] * sampling[0], shape[1] * sampling[1]
        edge = np.hypot(np.cos(phi) * wavelength / lengths[1], np.sin(phi) * wavelength / lengths[0])
        opening = np.clip((semiangle - alpha) / edge + 0.5, 0, 1)
        opening[0, 0] = 1
    else:
        opening = (alpha <= semiangle).astype(float)
    spectrum = opening * np.exp(-1j * chi(alpha, phi))
    spectrum /= np.sqrt((np.abs(spectrum) ** 2).sum())
    return np.fft.ifft2(spectrum * np.exp(-2j * np.pi * (ky * position[0] + kx * position[1])))


def pattern(wave):
    return np.fft.fftshift(np.abs(np.fft.fft2(wave)) ** 2, axes=(-2, -1))
