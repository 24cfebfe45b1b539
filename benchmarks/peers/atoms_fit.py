"""All columns of an image fitted at once, beside SciPy: least_squares with a sparse Jacobian, curve_fit by column.

Wanted beside crewe: scipy. Columns per CPU second. `python -m benchmarks.peers.atoms_fit`
"""

import contextlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from benchmarks.benchmarks.bench_atoms_fit import lattice
from benchmarks.benchmarks.common import peers_main
from crewe import atoms

REACH = 5.0  # widths of a Gaussian that the peer looks at


class SparseModel:
    """Residuals and derivatives of (y, x, height) of every column, one width and the background."""

    def __init__(self, image: NDArray[Any], starts: NDArray[np.float64], width: float) -> None:
        self.image, n, r = image.astype(float), len(starts), int(np.ceil(REACH * width))
        offset = np.arange(-r, r + 1)
        y, x = (np.round(starts[:, k]).astype(int)[:, None, None] for k in (0, 1))
        y, x = np.broadcast_arrays(y + offset[:, None], x + offset[None])
        self.seen = (y >= 0) & (x >= 0) & (y < image.shape[0]) & (x < image.shape[1])
        self.y, self.x = y[self.seen].astype(float), x[self.seen].astype(float)
        self.pixel = (y * image.shape[1] + x)[self.seen]
        self.column = np.broadcast_to(np.arange(n)[:, None, None], self.seen.shape)[self.seen]
        self.n = n

    def parts(self, p: NDArray[np.float64]) -> tuple[Any, ...]:
        y, x, height = (p[k : 3 * self.n : 3][self.column] for k in range(3))
        dy, dx = self.y - y, self.x - x
        return dy, dx, height, np.exp(-(dy**2 + dx**2) / (2 * p[-2] ** 2))

    def residuals(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        _, _, height, g = self.parts(p)
        return np.bincount(self.pixel, height * g, self.image.size) + p[-1] - self.image.ravel()

    def jacobian(self, p: NDArray[np.float64]) -> Any:
        dy, dx, height, g = self.parts(p)
        w, m = p[-2], self.image.size
        width = np.bincount(self.pixel, height * g * (dy**2 + dx**2) / w**3, m)
        values = np.concatenate([height * g * dy / w**2, height * g * dx / w**2, g, width, np.ones(m)])
        rows = np.concatenate([self.pixel, self.pixel, self.pixel, np.arange(m), np.arange(m)])
        columns = np.concatenate(
            [*(3 * self.column + k for k in range(3)), np.full(m, 3 * self.n), np.full(m, 3 * self.n + 1)]
        )
        return sparse.csr_matrix((values, (rows, columns)), (m, 3 * self.n + 2))


def scipy_at_once(image: NDArray[Any], starts: NDArray[np.float64], truth: atoms.Columns) -> float:
    """Sum of squares; starts from the true width, heights of the pixels there and the true background."""
    width = float(truth.widths[0])
    model = SparseModel(image, starts, width)
    at = np.clip(np.round(starts).astype(int), 0, np.array(image.shape) - 1)
    heights = image[at[:, 0], at[:, 1]] - truth.background
    first = np.concatenate([np.column_stack([starts, heights]).ravel(), [width, truth.background]])
    found = optimize.least_squares(
        model.residuals, first, model.jacobian, method="trf", tr_solver="lsmr", x_scale="jac", ftol=1e-8
    )
    return float(2 * found.cost)


def scipy_one_by_one(image: NDArray[Any], starts: NDArray[np.float64], width: float, half: int = 8) -> None:
    """`curve_fit` of a round Gaussian on a constant in a box around every column."""
    for y, x in starts:
        top, left = max(round(y) - half, 0), max(round(x) - half, 0)
        box = image[top : round(y) + half + 1, left : round(x) + half + 1]
        rows, columns = np.indices(box.shape)

        def model(place: Any, cy: float, cx: float, h: float, w: float, b: float) -> Any:
            return h * np.exp(-((place[0] - cy) ** 2 + (place[1] - cx) ** 2) / (2 * w**2)) + b

        place = np.stack([rows.ravel() + top, columns.ravel() + left])
        with contextlib.suppress(RuntimeError):  # one that doesn't converge counts all the same
            optimize.curve_fit(model, place, box.ravel(), (y, x, box.max() - box.min(), width, box.min()))


def seconds(run: Callable[[], Any], count: int) -> float:
    times = []
    for _ in range(count):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def measure(count: int, quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    side = 324 if quick else 1024
    image, starts, truth = lattice(300 if quick else 3000, (side, side), width=0.2)
    n = len(starts)
    mine = seconds(lambda: atoms.fit(image, starts, threads=1), count)
    peer = seconds(lambda: scipy_at_once(image, starts, truth), 1)
    figures[f"{n} columns of {side} x {side} at once [CPU s]"] = {
        "crewe, with the covariance": round(mine, 3),
        "scipy least_squares, sparse Jacobian": round(peer, 2),
        "ratio": round(peer / mine, 1),
        "squares, crewe/scipy": atoms.fit(image, starts).residual / scipy_at_once(image, starts, truth),
    }
    image, starts, truth = lattice(2200, (800, 800), width=1.5 / 17)
    mine = seconds(lambda: atoms.fit(image, starts, width="free", threads=1), count)
    few = starts[:200]
    peer = seconds(lambda: scipy_one_by_one(image, few, float(truth.widths[0])), 1)
    figures["columns apart [columns per CPU s]"] = {
        "crewe": round(len(starts) / mine),
        "scipy curve_fit": round(len(few) / peer),
        "Cpufit, measured elsewhere": 14063,
    }
    return figures


if __name__ == "__main__":
    peers_main("atoms_fit", __doc__, measure, rounds=5)
