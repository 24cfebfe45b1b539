"""Images through a restoration network, in tiles; then lines are put back and electrons kept (`restore`).

The network sees (x − mean)/std of the whole image, and what comes out goes back to the image's scale:
restore(a·x + b) = a·restore(x) + b for a > 0.

Tiles overlap by what the network looks at (its `radius`) and a seam of a few pixels, over which neighbours are blended
linearly: where a tile is wide enough, tiled and untiled images differ by rounding only. Tiles begin at even places, as
the network halves the image.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core, models
from crewe._array import as_int, as_threads, cores
from crewe._mapped import let_go
from crewe._progress import Bar
from crewe.restore.electrons import put_back
from crewe.restore.lines import NARROWEST, estimate, smeared

__all__ = ["Moments", "restore", "restore_into"]

Image = NDArray[np.float32]

TILE = 640  # pixels: some 0.7 GB with the light network
LARGEST = 2**22  # pixels whose lines are looked for
SURE = 0.18  # [pixels]: below this, lines put back are better than those left
SEAM = 8  # pixels over which two tiles are blended
SMALLEST = 64
ROWS = 256  # looked at in one go where a whole image is gone through


def restore(
    image: NDArray[Any],
    *,
    model: str | models.Model = "stem-hr",
    tile: int | None = None,
    refine: bool = True,
    threads: int = 0,
    device: str = "cpu",
    precision: str | None = None,
    progress: bool = False,
) -> Image:
    """An image as it would be without noise, scan distortions and detector.

    A network sees a part of an image at a time, and leaves a part of the jitter of scan lines. With stem-hr, where the
    restored image tells the shifts of the lines to better than 0.18 pixels (`scan_shifts`), which high doses do, the
    lines are put back and restored again. A network also draws towards what is usual: with stem-hr and tem-hr, what the
    recorded image has more or less of than the restored one explains, blurred by 3 or 12 pixels, is added, and with
    stem-hr the contrast of what is finer made the recorded one's, so that electrons are kept where they were counted.

    Parameters
    ----------
    image : ndarray (y, x) or (n, y, x)
        Real numbers, finite, any size and scale; of a stack every image by itself.
    model : str or crewe.models.Model
        "stem-hr", "stem-lr", "sem-hr", "sem-lr", "tem-hr" or "tem-lr"; or a loaded one, then `device`, `precision`
        and `threads` are its own.
    tile : int, optional
        Edge of a tile [pixels], at least 64. Default: images of at most 640×640 whole, others in tiles of 640.
    refine : bool
        False: only once through the network and nothing else. So are images above 2048×2048 or of less than 32
        columns, and all with the other models, which gain nothing by more.
    threads : int
        0: all cores.
    device : "cpu" or "cuda"
        Never another one than asked for.
    precision : "f32" or "f16", optional
        As in `crewe.models.load`.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    ndarray, shape of `image`, float32
        On the input's intensity scale.

    Raises
    ------
    TypeError
        No array of real numbers.
    ValueError
        NaN or infinity, no pixels, another number of axes, a tile that is too small.
    crewe.ModelError, crewe.DeviceError
        No such model, a damaged file, a device that isn't there.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10.

    Examples
    --------
    >>> import crewe, numpy as np
    >>> crewe.restore.restore(np.full((40, 50), 7, np.uint8))[0, :3]
    array([7., 7., 7.], dtype=float32)
    """
    image = _checked(image)
    if tile is not None:
        tile = as_int(tile, "tile", SMALLEST)
    out = np.empty(image.shape, np.float32)
    stack, restored = (array if array.ndim == 3 else array[np.newaxis] for array in (image, out))
    threads = as_threads(threads)
    workers = min(len(stack), cores(threads))
    # An image per core is faster than all cores on one image.
    network = (
        model if isinstance(model, models.Model) else _loaded(model, device, precision, 1 if workers > 1 else threads)
    )
    options: dict[str, Any] = {"tile": tile, "refine": refine, "threads": 1 if workers > 1 else threads}
    with Bar("restore", total=image.size, unit="pixels", show=progress) as bar:
        if workers == 1:
            for into, one in zip(restored, stack, strict=True):
                restore_into(into, one, network, **options, passed=bar.add)
        else:
            _side_by_side(restored, stack, network, options, workers, bar)
    return out


def _side_by_side(
    restored: Image, stack: NDArray[Any], network: models.Model, options: dict[str, Any], workers: int, bar: Bar
) -> None:
    """An image per thread; where one fails, or at Ctrl-C, the others end with the tile that they are at."""
    lock, stopped = Lock(), Event()

    def passed(pixels: int) -> None:
        if stopped.is_set():
            raise InterruptedError
        with lock:
            bar.add(pixels)

    def one(k: int) -> None:
        restore_into(restored[k], stack[k], network, **options, passed=passed)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for _ in pool.map(one, range(len(stack))):
                pass
        except BaseException:
            stopped.set()
            raise


@lru_cache(maxsize=4)
def _loaded(name: str, device: str, precision: str | None, threads: int) -> models.Model:
    return models.load(name, device=device, precision=precision, threads=threads)


def _checked(image: Any) -> NDArray[Any]:
    if not isinstance(image, np.ndarray):
        raise TypeError(f"image: a NumPy array wanted, {type(image).__name__} came")
    if image.dtype.kind not in "uif":
        raise TypeError(f"image: real numbers wanted, {image.dtype} came")
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"image: shape (y, x) or (n, y, x) with at least a pixel wanted, {image.shape} came")
    return image


class Moments:
    """Mean and standard deviation of an image (y, x), gone through by rows; refuses NaN and infinity."""

    def __init__(self, image: NDArray[Any]) -> None:
        total = square = 0.0
        shift = float(image[0, 0]) if np.isfinite(image[0, 0]) else 0.0
        for y in range(0, image.shape[0], ROWS):
            part = np.asarray(image[y : y + ROWS], dtype=np.float64) - shift
            if not np.isfinite(part).all():
                row, column = np.argwhere(~np.isfinite(part))[0]
                raise ValueError(f"image: finite numbers wanted, NaN or infinity came at ({y + row}, {column})")
            total += float(part.sum())
            square += float(np.vdot(part, part))
            let_go(image)
        mean = total / image.size
        self.mean = mean + shift
        self.std = float(np.sqrt(max(square / image.size - mean**2, 0.0)))

    @property
    def flat(self) -> bool:
        """Whether there is nothing but rounding."""
        return self.std <= 1e-6 * abs(self.mean)


def restore_into(
    out: Image,
    image: NDArray[Any],
    network: models.Model,
    *,
    tile: int | None = None,
    refine: bool = True,
    threads: int = 0,
    passed: Callable[[int], object] = int,
) -> None:
    """`restore` of one image (y, x) into an array that is there, which may lie in a file, as `image` may.

    After each tile `passed` is called with the number of pixels that got through the network for the first time; what
    it raises ends the work.
    """
    moments = Moments(image)
    if moments.flat:
        out[...] = image
        passed(image.size)
        return
    _once(out, image, network, moments, tile, passed)
    options = network.info.options
    if not (refine and "slow" in options and image.size <= LARGEST and image.shape[1] >= NARROWEST):
        return
    raw = np.ascontiguousarray(image, np.float32)
    explained = out
    if options.get("lines"):
        raw = _straightened(out, raw, network, moments, tile, threads, lambda pixels: passed(0))
        explained = smeared(raw, np.ascontiguousarray(out))
    window = options.get("window", 0)
    put_back(out, raw - explained, explained, slow=options["slow"], window=window, threads=threads)


def _straightened(
    out: Image,
    raw: Image,
    network: models.Model,
    moments: Moments,
    tile: int | None,
    threads: int,
    passed: Callable[[int], object],
) -> Image:
    """The recorded image with its lines put back, and restored once more, where they are known well enough."""
    shifts, deviations = estimate(raw, np.ascontiguousarray(out), threads)
    if np.hypot(*np.median(deviations, axis=0)) >= SURE:
        return raw
    straight = np.empty_like(raw)
    _core.noise_unshift(raw[..., np.newaxis], shifts, straight[..., np.newaxis], threads=threads)
    _once(out, straight, network, moments, tile, passed)
    return straight


def _once(
    out: Image,
    image: NDArray[Any],
    network: models.Model,
    moments: Moments,
    tile: int | None,
    passed: Callable[[int], object],
) -> None:
    """Through the network, tile by tile."""
    radius = int(network.info.options["radius"])
    edge = _edge(tile, image.shape)
    margin = min(radius, edge // 4) if edge < max(image.shape) else 0
    rows, columns = (list(_tiles(n, edge, margin)) for n in image.shape)
    for first, strip in _strips(rows, columns, image, network, moments, passed):
        np.multiply(strip, moments.std, out=strip)
        out[first : first + len(strip)] = strip + np.float32(moments.mean)
        passed(strip.size)
        for array in (image, out):
            let_go(array)


def _edge(tile: int | None, shape: tuple[int, ...]) -> int:
    if tile is None:
        return max(shape) if max(shape) <= TILE else TILE
    return tile // 2 * 2


def _tiles(length: int, edge: int, margin: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """(begin, end, weights) of the tiles along an axis; the weights of all tiles add up to 1 at every pixel.

    As few tiles as there can be with `edge` pixels, and these no larger than it takes. Of a tile `margin` pixels at
    either inner end count for nothing, over the next `SEAM` it takes over from its neighbour.
    """
    if edge >= length:
        yield 0, length, np.ones(length, np.float32)
        return
    shared = 2 * margin + SEAM
    count = -(-(length - shared) // ((edge - shared) // 2 * 2))
    step = -(-(length - shared) // (2 * count)) * 2
    edge = step + shared
    ramp = (np.arange(SEAM, dtype=np.float32) + 0.5) / SEAM
    for k in range(count):
        begin, end = k * step, min(k * step + edge, length)
        weights = np.ones(end - begin, np.float32)
        if k > 0:
            weights[:margin] = 0
            weights[margin : margin + SEAM] = ramp
        if k < count - 1:
            stop = step + margin  # where the next tile begins to count
            weights[stop : stop + SEAM] = 1 - ramp
            weights[stop + SEAM :] = 0
        yield begin, end, weights


def _strips(
    rows: list[Any],
    columns: list[Any],
    image: NDArray[Any],
    network: models.Model,
    moments: Moments,
    passed: Callable[[int], object],
) -> Iterator[tuple[int, Image]]:
    """Restored rows as they become final: (first row, (rows, x))."""
    held: Image = np.zeros((0, image.shape[1]), np.float32)  # what the next row of tiles adds to
    done = 0
    for k, (top, bottom, down) in enumerate(rows):
        strip = np.zeros((bottom - done, image.shape[1]), np.float32)
        strip[: len(held)] = held
        for left, right, across in columns:
            part = _through(image[top:bottom, left:right], network, moments)
            strip[:, left:right] += (part * (down[:, None] * across))[done - top :]
            passed(0)
        following = rows[k + 1] if k + 1 < len(rows) else None
        final = bottom if following is None else following[0] + int(np.flatnonzero(following[2])[0])
        yield done, strip[: final - done]
        held, done = strip[final - done :], final


def _through(part: NDArray[Any], network: models.Model, moments: Moments) -> Image:
    """A tile through the network: normalised, made even by mirroring the last row or column."""
    x = ((part - moments.mean) / moments.std).astype(np.float32)
    height, width = x.shape
    x = np.pad(x, ((0, height % 2), (0, width % 2)), mode="symmetric")
    restored: Image = network.run(x[np.newaxis, np.newaxis])[0, 0, :height, :width]
    return restored
