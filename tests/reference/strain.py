"""The definitions of strain from an image and from columns, in plain float64, and crystals whose strain is known."""

import numpy as np

__all__ = ["deformed", "gpa", "gradient_at", "square_lattice", "strain_of"]


def gpa(image, g1, g2, sigma):
    """(4, ny, nx): phases, wrapped central differences, one-sided at the edges; ∇u = −(1/2π) G⁻¹ ∇P.

    The image stands in zeros, so wide that the mask's kernel doesn't reach around.
    """
    image = np.asarray(image, float)
    shape = image.shape
    ny, nx = (n + int(2 / sigma) for n in shape)
    y, x = np.mgrid[:ny, :nx]
    spectrum = np.fft.fft2(image - image.mean(), (ny, nx))
    slopes = []
    for gy, gx in (g1, g2):
        dy, dx = np.fft.fftfreq(ny)[:, None] - gy, np.fft.fftfreq(nx) - gx
        mask = np.exp(-((dy - np.rint(dy)) ** 2 + (dx - np.rint(dx)) ** 2) / (2 * sigma**2))
        phase = np.angle(np.fft.ifft2(spectrum * mask) * np.exp(-2j * np.pi * (gy * y + gx * x)))
        slopes.append([_wrapped_gradient(phase[: shape[0], : shape[1]], axis) for axis in (0, 1)])
    gradient = np.einsum("ij,jkyx->ikyx", np.linalg.inv([g1, g2]), slopes) / (-2 * np.pi)
    return strain_of(np.moveaxis(gradient, (0, 1), (2, 3)))


def _wrapped_gradient(phase, axis):
    def wrap(p):
        return np.angle(np.exp(1j * p))

    p = np.moveaxis(phase, axis, 0)
    slope = np.concatenate([wrap(p[1:2] - p[:1]), wrap(p[2:] - p[:-2]) / 2, wrap(p[-1:] - p[-2:-1])])
    return np.moveaxis(slope, 0, axis)


def strain_of(gradient):
    """ε_yy, ε_xx, ε_xy, ω of ∂u_i/∂x_k (..., i, k)."""
    g = np.asarray(gradient)
    return np.stack([g[..., 0, 0], g[..., 1, 1], (g[..., 0, 1] + g[..., 1, 0]) / 2, (g[..., 0, 1] - g[..., 1, 0]) / 2])


def gradient_at(points, basis, i, reach):
    """e = 1 − F⁻¹ of column i: F by least squares on its neighbours and itself, a common shift free."""
    apart = np.hypot(*(points[:, None] - points).T)
    allowed = np.median(np.where(apart > 0, apart, np.inf).min(0)) / 4
    rows, seen = [np.zeros(2)], [np.zeros(2)]
    for j in range(len(points)):
        step = np.rint((points[j] - points[i]) @ np.linalg.inv(basis))
        ideal = step @ basis
        miss = np.hypot(*(points[j] - points[i] - ideal))
        if j != i and step.any() and miss <= allowed and np.hypot(*ideal) <= reach + 1e-9:
            rows.append(ideal)
            seen.append(points[j] - points[i])
    solution = np.linalg.lstsq(np.column_stack([np.ones(len(rows)), rows]), np.array(seen), rcond=None)[0]
    return np.eye(2) - np.linalg.inv(solution[1:].T)


def square_lattice(shape, basis, margin=0.0):
    """All lattice points within an image, `margin` off its edge."""
    n = int(np.hypot(*shape) / np.sqrt(np.abs(np.linalg.det(basis)))) + 2
    indices = np.stack(np.meshgrid(np.arange(-n, n), np.arange(-n, n), indexing="ij"), -1).reshape(-1, 2)
    points = indices @ np.asarray(basis, float) + np.array(shape) / 2
    return points[((points >= margin) & (points <= np.array(shape) - 1 - margin)).all(1)]


def deformed(points, shape, size=0.02):
    """(columns displaced by a smooth field, the field's Eulerian ∂u_i/∂x_k (n, 2, 2) where they then are)."""
    k = 2 * np.pi / np.array(shape)
    a = size / k

    def u(r):
        return np.stack([a[0] * np.sin(k[0] * r[:, 0]) * np.cos(k[1] * r[:, 1]), a[1] * np.sin(k[1] * r[:, 1])], 1)

    seen = points.copy()
    for _ in range(60):  # r − u(r) = R
        seen = points + u(seen)
    y, x = (k * seen).T
    zero = np.zeros(len(seen))
    rows = [size * np.cos(y) * np.cos(x), -size * k[1] / k[0] * np.sin(y) * np.sin(x), zero, size * np.cos(x)]
    return seen, np.stack(rows, 1).reshape(-1, 2, 2)
