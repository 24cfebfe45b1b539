"""The riCOM update of one probe position, the whole image, and iCOM, beside SciPy, Numba, NumPy and plain C.

Wanted beside crewe: scipy, numba, a C compiler (cc). Rates are positions per CPU second, one thread, medians.
`python -m benchmarks.peers.ricom`
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import compile_c, cpu_rate, peers_main
from crewe import _core
from crewe.imaging import icom, ricom, ricom_kernel

WIDTH = 61

# The kernel stored at p − r, both components added to every pixel of the clipped window.
_PLAIN = """
#include <stddef.h>
void scatter(const float* com, const float* ky, const float* kx, long n, long sy, long sx, float* image) {
  const long h = n / 2;
  for (long row = 0; row < sy; ++row)
    for (long col = 0; col < sx; ++col) {
      const float cy = com[2 * (row * sx + col)], cx = com[2 * (row * sx + col) + 1];
      const long y0 = row < h ? 0 : row - h, y1 = row + h + 1 > sy ? sy : row + h + 1;
      const long x0 = col < h ? 0 : col - h, x1 = col + h + 1 > sx ? sx : col + h + 1;
      for (long y = y0; y < y1; ++y) {
        const float* a = ky + (y - row + h) * n + (x0 - col + h);
        const float* b = kx + (y - row + h) * n + (x0 - col + h);
        float* out = image + y * sx + x0;
        for (long x = 0; x < x1 - x0; ++x) out[x] += a[x] * cy + b[x] * cx;
      }
    }
}
"""


def plain_c(com: NDArray[np.float32], kernel: NDArray[np.float32]) -> Callable[[], NDArray[np.float32]]:
    """The loop above."""
    function = compile_c(_PLAIN).scatter
    function.argtypes = (*[ctypes.c_void_p] * 3, *[ctypes.c_long] * 3, ctypes.c_void_p)
    sy, sx = com.shape[:2]
    turned = np.ascontiguousarray(kernel[:, ::-1, ::-1])
    image = np.zeros((sy, sx), np.float32)

    def run() -> NDArray[np.float32]:
        image[:] = 0
        function(com.ctypes.data, turned[0].ctypes.data, turned[1].ctypes.data, WIDTH, sy, sx, image.ctypes.data)
        return image

    return run


def with_numba(com: NDArray[np.float32], kernel: NDArray[np.float32]) -> Callable[[], NDArray[np.float32]]:
    """The same loop in Numba."""
    import numba

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
    def scatter(com: Any, ky: Any, kx: Any, image: Any) -> None:
        n, (sy, sx) = ky.shape[0], image.shape
        h = n // 2
        for row in range(sy):
            for col in range(sx):
                cy, cx = com[row, col]
                x0, x1 = max(col - h, 0), min(col + h + 1, sx)
                for y in range(max(row - h, 0), min(row + h + 1, sy)):
                    a, b = ky[y - row + h], kx[y - row + h]
                    for x in range(x0, x1):
                        image[y, x] += a[x - col + h] * cy + b[x - col + h] * cx

    turned = np.ascontiguousarray(kernel[:, ::-1, ::-1])
    image = np.zeros(com.shape[:2], np.float32)

    def run() -> NDArray[np.float32]:
        image[:] = 0
        scatter(com, turned[0], turned[1], image)
        return image

    return run


def with_numpy(com: NDArray[np.float32], kernel: NDArray[np.float32]) -> Callable[[], NDArray[np.float32]]:
    """A slice of the image per position."""
    sy, sx = com.shape[:2]
    h = WIDTH // 2
    turned = np.ascontiguousarray(kernel[:, ::-1, ::-1])
    image = np.zeros((sy, sx), np.float32)

    def run() -> NDArray[np.float32]:
        image[:] = 0
        for row in range(sy):
            y0, y1 = max(row - h, 0), min(row + h + 1, sy)
            for col in range(sx):
                x0, x1 = max(col - h, 0), min(col + h + 1, sx)
                window = turned[:, y0 - row + h : y1 - row + h, x0 - col + h : x1 - col + h]
                image[y0:y1, x0:x1] += window[0] * com[row, col, 0] + window[1] * com[row, col, 1]
        return image

    return run


def with_scipy(com: NDArray[np.float32], kernel: NDArray[np.float32]) -> Callable[[], NDArray[np.float32]]:
    """The finished map, both kernels by Fourier transform: nothing is there before the scan ends."""
    from scipy.signal import fftconvolve

    y, x = (np.ascontiguousarray(com[..., k]) for k in (0, 1))
    turned = np.ascontiguousarray(kernel[:, ::-1, ::-1])

    def run() -> NDArray[np.float32]:
        image: NDArray[np.float32] = fftconvolve(y, turned[0], "same") + fftconvolve(x, turned[1], "same")
        return image

    return run


def numpy_icom(com: NDArray[np.float32]) -> Callable[[], NDArray[np.float64]]:
    """iCOM by NumPy's real transforms."""
    sy, sx = com.shape[:2]
    qy, qx = np.fft.fftfreq(sy)[:, None], np.fft.rfftfreq(sx)
    squared = qy**2 + qx**2
    squared[0, 0] = 1
    weights = np.stack([qy / (2j * np.pi * squared), qx / (2j * np.pi * squared)])

    def run() -> NDArray[np.float64]:
        spectrum = np.fft.rfft2(com[..., 0]) * weights[0] + np.fft.rfft2(com[..., 1]) * weights[1]
        return np.fft.irfft2(spectrum, s=(sy, sx))

    return run


def scan(n: int, rounds: int) -> dict[str, float | str]:
    """Positions per CPU second for a scan of n × n."""
    com = np.random.default_rng(0).normal(size=(n, n, 2)).astype(np.float32)
    kernel = ricom_kernel(WIDTH)
    prepared, image = _core.RicomKernel(WIDTH), np.zeros((n, n), np.float32)
    want = ricom(com, kernel=WIDTH)
    figures: dict[str, float | str] = {}

    def cuts(cut: int) -> Callable[[], None]:
        return lambda: _core.ricom_in_cuts(com, prepared, image, cut)

    for cut in (1, 4, 16, 64):
        figures[f"crewe, {cut} at a time"] = cpu_rate(cuts(cut), n * n, repeats=rounds)
    figures["crewe, batch"] = cpu_rate(lambda: ricom(com, kernel=WIDTH, threads=1), n * n, repeats=rounds)
    peers = {
        "plain C": plain_c,
        "numba": with_numba,
        "scipy fftconvolve, offline": with_scipy,
        **({"numpy": with_numpy} if n <= 128 else {}),
    }
    for name, make in peers.items():
        try:
            run = make(com, kernel)
        except ImportError as missing:
            figures[name] = f"left out: {missing}"
            continue
        error = np.abs(run() - want).max() / np.abs(want).max()
        if error > 1e-4:
            raise AssertionError(f"{name} differs from crewe by {error:.1e} of the largest value")
        figures[name] = cpu_rate(run, n * n, repeats=min(rounds, 3) if name == "numpy" else rounds)
    figures["crewe iCOM"] = cpu_rate(lambda: icom(com, threads=1), n * n, repeats=rounds)
    figures["numpy iCOM"] = cpu_rate(numpy_icom(com), n * n, repeats=rounds)
    return figures


def scans(rounds: int, quick: bool) -> dict[str, Any]:
    sizes = (128,) if quick else (128, 256, 512)
    return {f"{n}x{n}, kernel {WIDTH} [positions/CPU-s]": scan(n, rounds) for n in sizes}


if __name__ == "__main__":
    peers_main("riCOM", __doc__, scans)
