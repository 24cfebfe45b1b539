"""The noise stages in plain NumPy, float64: the same counter-based numbers, the definitions written out.

Philox4x32-10: Salmon, Moraes, Dror, Shaw, SC'11. Stages: Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10.
"""

import math

import numpy as np

NAMES = (
    *("shot", "pmt", "jitter", "row_lines", "black", "zingers", "fixed_pattern", "dark_map", "dark_shot"),
    *("thermal", "flicker", "reset", "hot", "adc"),
)
STAGES = {name: k + 1 for k, name in enumerate(NAMES)}


def philox(counter, key):
    """Four words for counters (..., 4) under the key (k0, k1)."""
    c = [
        np.asarray(part, np.uint64) & np.uint64(0xFFFFFFFF)
        for part in np.moveaxis(np.asarray(counter, np.uint64), -1, 0)
    ]
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> half) ^ c[1] ^ np.uint64(k0), b & low, (a >> half) ^ c[3] ^ np.uint64(k1), a & low]
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return np.stack(c, axis=-1)


def blocks(seed, stage, index, picture=0):
    index = np.asarray(index, np.uint64)
    fixed = np.zeros_like(index)
    counter = np.stack([index & np.uint64(0xFFFFFFFF), index >> np.uint64(32), fixed + np.uint64(STAGES[stage]),
                        fixed + np.uint64(picture)], axis=-1)  # fmt: skip
    return philox(counter, (seed % 2**32, seed >> 32))


def open_unit(low, high):
    """Two words → (0, 1): the middle of one of 2^52 cells."""
    return (((high << np.uint64(32)) | low) >> np.uint64(12)).astype(float) * 2.0**-52 + 2.0**-53


def uniforms(seed, stage, n, picture=0):
    """One number of 52 bits per pixel: groups of 16 pixels read eight blocks."""
    p = np.arange(n)
    words = blocks(seed, stage, 8 * (p // 16) + p % 8, picture)
    second = (p // 8) % 2 == 1
    low, high = np.where(second, words[:, 2], words[:, 0]), np.where(second, words[:, 3], words[:, 1])
    return open_unit(low, high)


def normals(seed, stage, n, picture=0):
    """One normal number per pixel (Box, Muller): groups of 32 pixels read eight blocks."""
    p = np.arange(n)
    words = blocks(seed, stage, 8 * (p // 32) + p % 8, picture)
    quarter = (p // 8) % 4
    upper = quarter >= 2
    u = (np.where(upper, words[:, 2], words[:, 0]) >> np.uint64(1)).astype(float) * 2.0**-31 + 2.0**-32
    angle = 2 * np.pi * np.where(upper, words[:, 3], words[:, 1]).astype(float) / 2.0**32
    return np.sqrt(-2 * np.log(u)) * np.where(quarter % 2 == 1, np.sin(angle), np.cos(angle))


def sequence(seed, stage, n, first=0):
    """Numbers one after the other: two from each block."""
    words = blocks(seed, stage, first + np.arange((n + 1) // 2))
    return np.stack([open_unit(words[:, 0], words[:, 1]), open_unit(words[:, 2], words[:, 3])], axis=1).ravel()[:n]


def poisson(mean, u):
    """The smallest k with P(X <= k) >= u, for means up to 20."""
    mean = np.asarray(mean, float)
    p, rest, count = np.exp(-mean), u - np.exp(-mean), np.zeros(mean.shape)
    for k in range(1, 141):
        count += rest > 0
        p = p * (mean * (1 / k))
        rest = np.where(rest > 0, rest - p, rest)
    return count


def poisson_by_tails(mean, u):
    """The same for one mean and many u, summed from both ends: the tails keep their digits."""
    spread = 10 * math.sqrt(mean) + 40
    k = np.arange(max(0, math.floor(mean - spread)), math.ceil(mean + spread) + 1)
    pmf = poisson_pmf(mean, k)
    up, down = np.cumsum(pmf), np.cumsum(pmf[::-1])[::-1]  # P(X <= k), P(X >= k)
    low, high = np.searchsorted(up, u), k.size - np.searchsorted(down[::-1], 1 - u, side="right") - 1
    return k[np.where(u < 0.5, low, np.maximum(high, 0))]


def poisson_pmf(mean, k):
    """P(X = k), by logarithms."""
    k = np.asarray(k)
    middle = round(mean)
    steps = np.log(np.arange(1, max(k.max(), middle) + 1) / mean)  # small near the middle: they keep their digits
    sums = np.concatenate([[0.0], np.cumsum(steps)])
    first = math.exp(middle * math.log(mean) - mean - math.lgamma(middle + 1))
    return first * np.exp(sums[middle] - sums[k])


def jitter_series(sigma, phi, lines, seed, axis):
    u = sequence(seed, "jitter", 2 * lines, axis << 32)
    steps = sigma * np.sqrt(-2 * np.log(u[::2])) * np.cos(2 * np.pi * u[1::2])
    series = np.empty(lines)
    series[0] = steps[0] / np.sqrt(1 - phi**2)
    for j in range(1, lines):
        series[j] = phi * series[j - 1] + steps[j]
    return series


def _mirror(i, n):
    if n == 1:
        return np.zeros_like(i)
    i = np.mod(i, 2 * (n - 1))
    return np.where(i < n, i, 2 * (n - 1) - i)


def spline_matrix(places, n):
    """Rows of weights: cubic spline interpolation of n values, continued as in a mirror, at the given places."""

    def basis(t):
        t = np.abs(t)
        return np.where(t < 1, 2 / 3 - t**2 + t**3 / 2, np.where(t < 2, (2 - t) ** 3 / 6, 0))

    def weights(at):
        matrix = np.zeros((len(at), n))
        for offset in range(-1, 3):
            node = np.floor(at).astype(int) + offset
            np.add.at(matrix, (np.arange(len(at)), _mirror(node, n)), basis(at - node))
        return matrix

    return weights(np.asarray(places, float)) @ np.linalg.inv(weights(np.arange(n, dtype=float)))


def shift_lines(image, shifts):
    image = np.asarray(image, float)
    ny, nx = image.shape
    moved = spline_matrix(np.arange(ny) + shifts[:, 0], ny) @ image
    return np.stack([spline_matrix(np.arange(nx) + s, nx) @ line for s, line in zip(shifts[:, 1], moved, strict=True)])


def scan_response(alpha=None, beta=None, gamma=None, theta=None, length=4096):
    u = np.arange(length)
    h = np.zeros(length)
    h[0] = 1
    if alpha is not None:
        detector = alpha / (4 * np.pi**2 * u**2 + alpha**2)
        h = detector / detector.sum()
    if beta is not None:
        readout = np.exp(-u / beta) * np.sin(2 * np.pi * u / gamma + theta)
        h = np.convolve(h, readout / readout.sum())[:length]
    return h


def fast_scan(image, **options):
    image = np.asarray(image, float)
    h = scan_response(**options)
    nx = image.shape[1]
    padded = np.concatenate([np.repeat(image[:, :1], h.size, axis=1), image], axis=1)
    return np.stack([np.convolve(line, h)[h.size : h.size + nx] for line in padded])


def mtf(image, a, b, c, reach):
    """On a canvas that is a mirror all around, `reach` pixels wide."""
    padded = np.pad(np.asarray(image, float), reach, mode="reflect")
    v, u = np.meshgrid(*(2 * np.fft.fftfreq(n) for n in padded.shape), indexing="ij")
    g2 = u**2 + v**2
    curve = (a * np.exp(-g2 / (2 * b**2)) + (1 - a) * np.exp(-g2 / (2 * c**2))) * np.sinc(u / 2) * np.sinc(v / 2)
    return np.fft.ifft2(np.fft.fft2(padded) * curve).real[reach:-reach, reach:-reach]


def flicker(shape, sigma, white):
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1]))
    filtered = np.fft.fft2(white.reshape(shape)) / np.where(f == 0, np.inf, f)
    field = np.fft.ifft2(filtered).real
    return sigma * field / field.std()


def quantise(image, bits, full_scale, offset):
    step = full_scale / (2**bits - 1)
    return np.clip(np.rint((np.asarray(image, float) + offset) / step), 0, 2**bits - 1) * step - offset
