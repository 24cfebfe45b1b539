"""The definitions of what lies between the centre-of-mass map and the image, in plain float64."""

import numpy as np

__all__ = [
    "correlate",
    "gradient",
    "icom",
    "line_transfer",
    "potential",
    "ricom",
    "ricom_kernel",
    "rotate",
    "scatter",
    "turned",
]


def ricom_kernel(n, low=0.0, high=np.inf, shape=(1, 1)):
    """Eq. 3.4: −d/(2π|d|²) stored at d = r − p, (2, n, n) as (y, x); eqs. 3.8, 3.9: times a ring of frequencies."""
    half = n // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    squared = y**2 + x**2
    squared[half, half] = np.inf
    kernel = np.stack([-y, -x]) / squared / (2 * np.pi)
    if low <= 0 and high == np.inf:
        return kernel
    gy, gx = max(shape[0], n), max(shape[1], n)
    grid = np.zeros((2, gy, gx))
    grid[:, :n, :n] = kernel
    q = np.hypot(np.fft.fftfreq(gy)[:, None], np.fft.fftfreq(gx))
    spectrum = np.fft.fft2(np.roll(grid, (-half, -half), (1, 2))) * ((q >= low) & (q <= high))
    return np.roll(np.fft.ifft2(spectrum).real, (half, half), (1, 2))[:, :n, :n]


def correlate(com, kernel):
    """out(p) = Σ_r k(r − p)·com(r), nothing from outside of the scan."""
    com, half, (sy, sx) = np.asarray(com, np.float64), kernel.shape[-1] // 2, com.shape[:2]
    padded = np.zeros((sy + 2 * half, sx + 2 * half, 2))
    padded[half : half + sy, half : half + sx] = com
    out = np.zeros((sy, sx))
    for j in range(kernel.shape[1]):
        for i in range(kernel.shape[2]):
            out += padded[j : j + sy, i : i + sx] @ kernel[:, j, i].astype(np.float64)
    return out


def ricom(com, n, **band):
    """Eq. 3.4, summed directly."""
    return correlate(com, ricom_kernel(n, shape=com.shape[:2], **band))


def scatter(shape, row, col, com, kernel):
    """What the positions (row, col), (row, col + 1), ... add to an image."""
    scan = np.zeros((*shape, 2))
    scan[row, col : col + len(com)] = com
    return correlate(scan, kernel)


def line_transfer(n, size):
    """Eq. 3.7 for k = 1, 2, ... size/2 cycles per image."""
    k = np.arange(1, size // 2 + 1)
    return size / (2 * np.pi * k) * (1 - np.cos((n - 1) / 2 * 2 * np.pi * k / size))


def icom(com, step=1.0, high_pass=0.0):
    """φ(Q) = step·[Q·F{com}](Q)/(2πi|Q|²), φ(0) = 0; half the sampling frequency has no odd part."""
    sy, sx = com.shape[:2]
    # k/n, which fftfreq misses by a rounding: it matters where `high_pass` is one of them.
    qy, qx = (np.rint(np.fft.fftfreq(n) * n) / n for n in (sy, sx))
    squared = qy[:, None] ** 2 + qx**2
    keep = (squared > 0) & (squared >= high_pass**2)
    odd_y, odd_x = (np.where(np.abs(q) == 0.5, 0, q) for q in (qy[:, None], qx))
    spectrum = odd_y * np.fft.fft2(com[..., 0].astype(float)) + odd_x * np.fft.fft2(com[..., 1].astype(float))
    return step * np.fft.ifft2(np.where(keep, spectrum, 0) / (2j * np.pi * np.where(squared > 0, squared, 1))).real


def rotate(com, angle, transpose=False):
    """y' = cos·y + sin·x, x' = −sin·y + cos·x, y and x exchanged first if `transpose`."""
    y, x = (com[..., 1], com[..., 0]) if transpose else (com[..., 0], com[..., 1])
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * y + s * x, -s * y + c * x], -1)


def turned(com, angle, transpose=False):
    """What `rotate` with the same angle and transpose brings back to `com`."""
    y, x = com[..., 0], com[..., 1]
    c, s = np.cos(angle), np.sin(angle)
    measured = np.stack([c * y - s * x, s * y + c * x], -1)
    return measured[..., ::-1] if transpose else measured


def potential(shape, seed=0, atoms=9, width=2.5):
    """Bright round atoms on a periodic field, band-limited."""
    rng = np.random.default_rng(seed)
    peaks = np.zeros(shape)
    np.add.at(peaks, tuple(rng.integers(0, n, atoms) for n in shape), rng.uniform(0.5, 1.5, atoms))
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])
    gauss = np.exp(-2 * (np.pi * width) ** 2 * (ky**2 + kx**2))
    return np.fft.ifft2(np.fft.fft2(peaks) * gauss).real * 2 * np.pi * width**2


def gradient(field):
    """Exact periodic gradient (sy, sx, 2) as (y, x): the beam is drawn to the atoms."""
    ky, kx = np.fft.fftfreq(field.shape[0])[:, None], np.fft.fftfreq(field.shape[1])
    spectrum = np.fft.fft2(field)
    return np.stack([np.fft.ifft2(2j * np.pi * k * spectrum).real for k in (ky, kx)], -1)
