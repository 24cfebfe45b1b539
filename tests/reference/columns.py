"""The column model in plain NumPy: its image, derivatives, Fisher information and least squares, all matrices dense."""

import numpy as np

__all__ = ["covariance", "covariance_blocks", "derivatives", "image", "information", "least_squares"]


def _shape_matrix(e):
    c = np.sqrt(1 + e @ e)
    return np.array([[c + e[0], e[1]], [e[1], c - e[0]]])


def _gaussian(place, column):
    y, x, _, width, *e = column
    d = np.stack([place[0] - y, place[1] - x], axis=-1)
    q = _shape_matrix(np.array(e))
    return d, q, np.exp(-np.einsum("...i,ij,...j", d, q, d) / (2 * width**2))


def image(shape, columns, background):
    """f (y, x) of columns (n, 6): y, x, height, width, e1, e2."""
    place = np.indices(shape).astype(float)
    out = np.full(shape, float(background))
    for column in columns:
        out += column[2] * _gaussian(place, column)[2]
    return out


def derivatives(shape, columns):
    """∂f/∂(y, x, height, width, e1, e2) of each column: (n, 6, pixels)."""
    place = np.indices(shape).astype(float)
    out = np.empty((len(columns), 6, *shape))
    for k, column in enumerate(columns):
        height, width, e = column[2], column[3], column[4:]
        d, q, g = _gaussian(place, column)
        form = np.einsum("...i,ij,...j", d, q, d)
        out[k, :2] = np.moveaxis(height * g[..., None] * (d @ q) / width**2, -1, 0)
        out[k, 2] = g
        out[k, 3] = height * g * form / width**3
        c = np.sqrt(1 + e @ e)
        for i, turn in enumerate(([[1, 0], [0, -1]], [[0, 1], [1, 0]])):
            slope = e[i] / c * np.eye(2) + turn
            out[k, 4 + i] = -height * g * np.einsum("...i,ij,...j", d, slope, d) / (2 * width**2)
    return out.reshape(len(columns), 6, -1)


def _jacobian(shape, columns, width, background):
    """All that is free: the columns' own parameters one column after the other, then a shared width, the background."""
    slopes = derivatives(shape, columns)
    own = {"shared": 3, "free": 4, "elliptic": 6}[width]
    rows = [slopes[:, :own].reshape(-1, slopes.shape[-1])]
    if width == "shared":
        rows.append(slopes[:, 3].sum(axis=0)[None])
    if background:
        rows.append(np.ones((1, slopes.shape[-1])))
    return np.concatenate(rows)


def information(shape, columns, background, width, free_background):
    """Fisher information of Poisson counts with mean f: Σ ∂f∂f/f."""
    jacobian = _jacobian(shape, columns, width, free_background)
    return jacobian / image(shape, columns, background).ravel() @ jacobian.T


def covariance_blocks(matrix, n, width):
    """(n, 4, 4) of (y, x, height, width) out of a covariance of all that is free."""
    own = {"shared": 3, "free": 4, "elliptic": 6}[width]
    out = np.empty((n, 4, 4))
    for k in range(n):
        index = [own * k + p for p in range(4)]
        if width == "shared":
            index[3] = own * n
        out[k] = matrix[np.ix_(index, index)]
    return out


def covariance(shape, columns, width, free_background, residual):
    """(n, 4, 4) for white noise whose variance is what is left per degree of freedom."""
    jacobian = _jacobian(shape, columns, width, free_background)
    left = jacobian.shape[1] - jacobian.shape[0]
    return covariance_blocks(np.linalg.inv(jacobian @ jacobian.T) * residual / left, len(columns), width)


def least_squares(picture, columns, background, width, free_background, steps=10):
    """Gauss-Newton from (columns, background); returns columns, background, sum of squares."""
    columns = np.array(columns, float)
    own = {"shared": 3, "free": 4, "elliptic": 6}[width]
    for _ in range(steps):
        left = (picture - image(picture.shape, columns, background)).ravel()
        jacobian = _jacobian(picture.shape, columns, width, free_background)
        step = np.linalg.solve(jacobian @ jacobian.T, jacobian @ left)
        columns[:, :own] += step[: own * len(columns)].reshape(-1, own)
        if width == "shared":
            columns[:, 3] += step[own * len(columns)]
        if free_background:
            background += step[-1]
    return columns, background, ((picture - image(picture.shape, columns, background)) ** 2).sum()
