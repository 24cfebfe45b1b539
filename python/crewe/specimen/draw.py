"""Random specimens and pairs of distorted and undistorted images for training."""

import itertools
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise
from crewe._array import Seed, as_choice, as_int, as_positive, as_rng, as_shape, as_threads, cores
from crewe._device import Array, as_device
from crewe.specimen.images import contrast, random_model, render
from crewe.specimen.lowres import random_objects
from crewe.specimen.matter import Atoms, random_matter
from crewe.specimen.structures import Truth

__all__ = ["MODES", "Specimen", "pairs", "random_specimen"]

Image = NDArray[np.float32]

#: What `pairs` makes: an instrument and a resolution.
MODES = ("stem-hr", "stem-lr", "sem-hr", "sem-lr", "tem-hr", "tem-lr")
LEAST = 8  # pixels a side: smaller pictures hold no specimen that could be told from another


@dataclass(frozen=True)
class Specimen:
    """An undistorted image and what it shows.

    Attributes
    ----------
    atoms : Atoms or None
        `numbers` (n,) and `positions` (n, 3) as (x, y, z) [Å]; None at low resolution.
    image : ndarray (y, x) float32
        0..1, the maximum is 1.
    settings : dict
        What was drawn: "type", "space_group", "cell" (rows a, b, c [Å] as they lie in the specimen), "minimum_distance"
        [Å], "margin" [Å], "displaced", "inverted", ...; at low resolution "objects".

    Examples
    --------
    >>> random_specimen("low", shape=(32, 32), pixel_size=0.5, seed=1).atoms is None
    True
    """

    atoms: Atoms | None
    image: Image
    settings: dict[str, Any]


def random_specimen(
    kind: str = "high", *, shape: tuple[int, int], pixel_size: float, seed: Seed, threads: int = 0
) -> Specimen:
    """An undistorted image of random matter.

    At high resolution: a crystal of any space group, amorphous matter or points, turned to a zone axis or not, with
    wedge, shape, defects and support, drawn with a radial model per element. At low resolution: particles, grains,
    bands, boxes and cracks. Then contrast inversion, a power and a background, each half of the time; std/mean within
    0.01..0.35, maximum 1.

    Parameters
    ----------
    kind : "high" or "low"
    shape : (int, int)
        (y, x) [pixels].
    pixel_size : float
        [Å], > 0.
    seed : int or numpy.random.Generator
        The same seed gives the same specimen, whatever the number of threads.
    threads : int
        0: all cores.

    Returns
    -------
    Specimen

    Raises
    ------
    ValueError
        An unknown kind, a shape or pixel size out of range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, "Specimen generation", eqs. 16-26.

    Examples
    --------
    >>> specimen = random_specimen("high", shape=(64, 64), pixel_size=0.2, seed=3)
    >>> specimen.image.shape, float(specimen.image.max())
    ((64, 64), 1.0)
    """
    as_choice(kind, "kind", ("high", "low"))
    ny, nx = as_shape(shape, "shape", LEAST)
    pixel_size = as_positive(pixel_size, "pixel_size", "Å")
    rng = as_rng(seed)
    workers = as_threads(threads)
    while True:  # a picture without contrast (nothing in the frame, or a flat one) is drawn again
        atoms: Atoms | None = None
        if kind == "low":
            image, objects = random_objects(rng, (ny, nx), workers)
            facts: dict[str, Any] = {"objects": objects}
        else:
            atoms, facts = random_matter(rng, (ny * pixel_size, nx * pixel_size), pixel_size)
            if len(atoms.numbers) == 0:
                continue
            model = random_model(np.unique(atoms.numbers).tolist(), seed=rng)
            image = render(atoms, shape=(ny, nx), pixel_size=pixel_size, model=model, threads=workers)
        changed = contrast(rng, image)
        if changed is not None:
            return Specimen(atoms, changed[0], {"kind": kind, "pixel_size": pixel_size, **facts, **changed[1]})


def pairs(
    mode: str,
    *,
    shape: tuple[int, int],
    batch: int,
    seed: int,
    truth: Truth | None = None,
    threads: int = 0,
    device: str = "cpu",
) -> Iterator[tuple[Image, Image]]:
    """Endless batches of distorted and undistorted images for training.

    Every pair is new: a random specimen and random settings of the instrument's chain. In TEM the modulation transfer
    belongs to both images: it cannot be told from another specimen. A linear map (probability 0.15), an annotation
    (0.05) and a crop (0.05) are done to both, a Gaussian blur (0.15) to the distorted one.

    Parameters
    ----------
    mode : str
        "stem-hr", "stem-lr", "sem-hr", "sem-lr", "tem-hr" or "tem-lr".
    shape : (int, int)
        (y, x) [pixels].
    batch : int
        Pairs per batch, > 0.
    seed : int
        Pair k of seed s is the same whatever `batch` and `threads` are.
    truth : callable, optional
        Where undistorted images come from instead of `random_specimen`: (generator, mode, shape) → an image (y, x)
        float32 >= 0, maximum 1, and its pixel size [Å]; `multislice` makes one. It is called by several threads.
    threads : int
        Pairs that are made at a time; 0: one per core.
    device : str
        Where the instrument's chain runs: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; specimens are made on the host.

    Yields
    ------
    distorted, undistorted : ndarray (batch, y, x) float32
        On one scale, 0..1 for the undistorted ones.

    Raises
    ------
    ValueError
        An unknown mode, a shape or batch out of range.

    Examples
    --------
    >>> distorted, undistorted = next(pairs("stem-hr", shape=(32, 32), batch=2, seed=1))
    >>> distorted.shape, undistorted.shape
    ((2, 32, 32), (2, 32, 32))
    """
    as_choice(mode, "mode", MODES)
    size, each, key = as_shape(shape, "shape", LEAST), as_int(batch, "batch", 1), as_int(seed, "seed", 0, 2**64 - 1)
    workers = cores(as_threads(threads))
    as_device(device)
    return _stream(mode, size, each, key, truth or _drawn, device, workers)


def _stream(
    mode: str, shape: tuple[int, int], batch: int, seed: int, truth: Truth, device: str, workers: int
) -> Iterator[tuple[Image, Image]]:
    def pair(k: int) -> tuple[Image, Image]:
        return _pair(mode, shape, truth, device, np.random.default_rng([seed, k]))

    with ThreadPoolExecutor(workers) as pool:
        for first in itertools.count(0, batch):
            made = pool.map(pair, range(first, first + batch))
            distorted, undistorted = (np.stack(part) for part in zip(*made, strict=True))
            yield distorted, undistorted


def _drawn(rng: np.random.Generator, mode: str, shape: tuple[int, int]) -> tuple[Image, float]:
    high = mode.endswith("-hr")
    pixel_size = float(rng.uniform(0.025, 0.9)) if high else float(rng.uniform(0.3, 1.0))
    kind = "high" if high else "low"
    return random_specimen(kind, shape=shape, pixel_size=pixel_size, seed=rng, threads=1).image, pixel_size


def _pair(
    mode: str, shape: tuple[int, int], truth: Truth, device: str, rng: np.random.Generator
) -> tuple[Image, Image]:
    kind = mode.split("-")[0]
    undistorted, pixel_size = truth(rng, mode, shape)
    settings = noise.random_settings(kind, seed=rng, shape=shape)
    if kind == "tem":
        undistorted = np.maximum(noise.mtf(undistorted, **settings["mtf"], threads=1), 0)
        settings["mtf"] = None
        chain: Any = noise.tem
        settings["sensor"] = int(rng.integers(2**32))
    else:
        jitter = settings["jitter"]
        if jitter is not None:  # lines more than two pixels off are no longer an image
            jitter["sigma"] = tuple(min(s, 2 * pixel_size) for s in jitter["sigma"])
        chain = noise.stem if kind == "stem" else noise.sem
        settings["pixel_size"] = pixel_size
    gpu = as_device(device)
    if gpu is None:
        return _afterwards(rng, chain(undistorted, seed=rng, threads=1, **settings).image, undistorted)
    there = Array(undistorted.shape, np.float32, gpu)
    there.set(undistorted)
    return _afterwards(rng, chain(there, seed=rng, **settings).image.get(), undistorted)


def _afterwards(rng: np.random.Generator, distorted: Image, undistorted: Image) -> tuple[Image, Image]:
    blur, turn, mark, cut = rng.random(4) < (0.15, 0.15, 0.05, 0.05)
    ny, nx = distorted.shape
    if blur:
        distorted = noise.gaussian_blur(distorted, sigma=float(rng.uniform(0, 1)), threads=1)
    if turn:
        angle, shear = rng.uniform(0, 2 * np.pi), rng.uniform(-0.1, 0.1)
        c, s = math.cos(angle), math.sin(angle)
        matrix = np.array([[c, s], [-s, c]]) @ [[1, shear], [0, 1]] @ np.diag(1 / rng.uniform(0.8, 1.2, 2))
        distorted = noise.interpolate(distorted, matrix=matrix, threads=1)
        undistorted = np.clip(noise.interpolate(undistorted, matrix=matrix, threads=1), 0, 1)
    if mark:
        what = ("bar", "box", "arrow", "text")[int(rng.integers(4))]
        at = (int(rng.integers(ny)), int(rng.integers(nx)))
        tall, wide = int(rng.integers(1, max(ny // 4, 2))), int(rng.integers(1, max(nx // 3, 2)))
        size = (max(tall // 8, 1), wide) if what == "bar" else (max(tall, 5), wide)
        value = float(rng.choice([0.0, 1.0, rng.uniform(0, 1)]))  # black, white or grey
        text = f"{rng.choice(['0.5', '1', '2', '5', '10', '20', '100', '200'])} {rng.choice(['nm', 'um', 'A', 'kV'])}"
        for image in (distorted, undistorted):
            noise.annotate(image, kind=what, at=at, size=size, value=value, text=text, out=image)
    if cut:
        height, width = max(round(0.7 * ny), 1), max(round(0.7 * nx), 1)
        y0, x0 = int(rng.integers(ny - height + 1)), int(rng.integers(nx - width + 1))
        value = float(np.median(undistorted)) if rng.random() < 0.5 else float(rng.uniform(0, 1))
        box = (y0, x0, y0 + height, x0 + width)
        distorted, undistorted = (noise.crop(image, box=box, fill=value) for image in (distorted, undistorted))
    return distorted, undistorted
