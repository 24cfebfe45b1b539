"""Data for training restoration: patches of random scenes under random distortions, of a seed and a step alone.

At high resolution a part of the scenes are those of `specimen.pairs`, the others columns of atoms (`scenes`). In STEM
half of the contrasts are the published ones (std/mean <= 0.35, half inverted), the others as bright as they come, on
vacuum; in TEM half are published ones, the others waves that meet; in SEM and TEM a part is objects of low resolution,
blurred; in STEM at low resolution a part is packed spheres. What an instrument adds is in `contrasts`. Doses are
log-uniform up to 1000 electrons per pixel, from 0.05 in STEM (at 500 e⁻/Å² and 0.15 Å a dark-field image has about
0.3), 0.5 in SEM and 1 in TEM.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise, specimen
from crewe.specimen.images import contrast
from crewe.train.contrasts import bright_edges, dark_ground, packed_spheres, phase_contrast
from crewe.train.scenes import columns

__all__ = ["Patches", "validation"]

Image = NDArray[np.float32]

WINDOW = 64  # scenes from which a batch is drawn
FRESH = 1  # new ones per step
SCENE = 256  # [pixels]
BEFORE = 24  # pixels of specimen left of a patch: where the smear of the readout comes from
AROUND = 8  # on the other sides: lines are off by a few pixels at most
FAINTEST, BRIGHTEST = {"stem": 0.05, "sem": 0.5, "tem": 1.0}, 1000.0  # [electrons/pixel]


class Patches:
    """Batches of normalised (distorted, undistorted) patches (n, 1, y, x) float32.

    Parameters
    ----------
    mode : str
        One of `specimen.MODES`.
    seed : int
        Batch k of a seed is always the same.
    stream : int
        0 for training; other numbers for other data of the same seed.
    """

    def __init__(self, mode: str, *, seed: int, stream: int = 0) -> None:
        if mode not in specimen.MODES:
            raise ValueError(f"mode: one of {', '.join(specimen.MODES)} wanted, {mode!r} came")
        self.mode, self.kind = mode, mode.split("-")[0]
        self.seed, self.stream = seed, stream
        self._scenes: dict[int, tuple[Image, float]] = {}

    def batch(self, step: int, *, count: int, size: int) -> tuple[Image, Image]:
        """`count` patches of size×size pixels."""
        first = FRESH * step
        self._scenes = {k: v for k, v in self._scenes.items() if first <= k < first + WINDOW}
        rng = np.random.default_rng([self.seed, self.stream, 1, step])
        made = [self._patch(rng, first + int(rng.integers(WINDOW)), size) for _ in range(count)]
        distorted, undistorted = (np.stack(part)[:, None] for part in zip(*made, strict=True))
        return distorted, undistorted

    def batches(self, step: int, *, count: int, size: int) -> Iterator[tuple[Image, Image]]:
        """The batches from `step` on, each made while the one before is in use."""
        with ThreadPoolExecutor(1) as pool:
            ahead: Future[tuple[Image, Image]] = pool.submit(self.batch, step, count=count, size=size)
            while True:
                ready = ahead.result()
                step += 1
                ahead = pool.submit(self.batch, step, count=count, size=size)
                yield ready

    def _scene(self, index: int) -> tuple[Image, float]:
        if index not in self._scenes:
            rng = np.random.default_rng([self.seed, self.stream, 0, index])
            self._scenes[index] = scene(rng, self.mode, (SCENE, SCENE))
        return self._scenes[index]

    def _patch(self, rng: np.random.Generator, index: int, size: int) -> tuple[Image, Image]:
        image, pixel_size = self._scene(index)
        if rng.random() < 0.5:
            image = image.T
        image = image[:: 1 - 2 * int(rng.integers(2)), :: 1 - 2 * int(rng.integers(2))]
        tall, wide = size + 2 * AROUND, size + BEFORE + AROUND
        electrons = FAINTEST[self.kind] * (BRIGHTEST / FAINTEST[self.kind]) ** rng.random()
        for _ in range(10):  # a place where electrons are to be expected
            y, x = (int(rng.integers(n - part + 1)) for n, part in zip(image.shape, (tall, wide), strict=True))
            crop = np.ascontiguousarray(image[y : y + tall, x : x + wide])
            share = float(crop.mean()) / float(image.mean())
            if electrons * share > 0.01:
                break
        distorted, crop = degrade(rng, self.kind, crop, electrons=max(electrons * share, 0.01), pixel_size=pixel_size)
        inner = (slice(AROUND, AROUND + size), slice(BEFORE, BEFORE + size))
        distorted, undistorted = distorted[inner], crop[inner]
        # Mean and spread of the image, not of the patch: what a patch of vacuum beside a particle is normalised by.
        error = float(np.var(distorted - undistorted)) / max(share, 0.1)
        spread = math.sqrt(float(image.var()) + error) * math.exp(rng.normal(0, 0.15))
        mean = np.float32(float(image.mean()) + spread * rng.normal(0, 0.1))
        return (distorted - mean) / np.float32(spread), (undistorted - mean) / np.float32(spread)


def validation(mode: str) -> Iterator[tuple[Image, Image]]:
    """Twelve pairs of 128×128 pixels, always the same ones and none of those that are trained on."""
    distorted, undistorted = Patches(mode, seed=0, stream=1).batch(0, count=12, size=128)
    yield from zip(distorted[:, 0], undistorted[:, 0], strict=True)


def scene(rng: np.random.Generator, mode: str, shape: tuple[int, int]) -> tuple[Image, float]:
    """An undistorted image >= 0 and its pixel size [Å]."""
    kind, resolution = mode.split("-")
    if resolution == "lr" or (kind != "stem" and rng.random() < (0.4 if kind == "sem" else 0.15)):
        if kind == "stem" and rng.random() < 0.4:
            return packed_spheres(rng, shape), 1.0
        image, pixel_size = _objects(rng, shape)
        if resolution == "hr":  # pixels finer than the beam
            image = noise.gaussian_blur(image, sigma=float(rng.uniform(0.5, 3)), threads=1)
        if kind == "stem" and rng.random() < 0.4:
            image = dark_ground(rng, image)
    else:
        image, pixel_size = _atoms(rng, shape, coarsest=0.6 if kind == "tem" else 0.4)
        if kind == "tem":
            image = _transmitted(rng, image, pixel_size)
    if kind == "sem" and rng.random() < 0.5:
        image = bright_edges(rng, image)
    return np.maximum(image, np.float32(1e-4 * float(image.max()))), pixel_size  # no place without electrons


def _objects(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Image, float]:
    pixel_size = float(rng.uniform(0.3, 1.0))
    return specimen.random_specimen("low", shape=shape, pixel_size=pixel_size, seed=rng, threads=1).image, pixel_size


def _atoms(rng: np.random.Generator, shape: tuple[int, int], coarsest: float) -> tuple[Image, float]:
    pixel_size = math.exp(rng.uniform(math.log(0.05), math.log(coarsest)))
    while True:
        if rng.random() < 0.4:
            image = specimen.random_specimen("high", shape=shape, pixel_size=pixel_size, seed=rng, threads=1).image
            if rng.random() < 0.4:  # the same on a darker ground
                image = np.maximum(image - np.quantile(image, rng.uniform(0, 0.4)), 0)
        else:
            image = columns(rng, shape=shape, pixel_size=pixel_size)
            if rng.random() < 0.2:
                changed = contrast(rng, image)
                image = image if changed is None else changed[0]
            elif rng.random() < 0.3:
                image = image + np.float32(rng.uniform(0, 0.5))
        if float(image.std()) > 1e-3 * float(image.max()) > 0:
            return image, pixel_size


def _transmitted(rng: np.random.Generator, image: Image, pixel_size: float) -> Image:
    if rng.random() < 0.5:
        return phase_contrast(rng, image, pixel_size)
    changed = contrast(rng, image)
    while changed is None:
        changed = contrast(rng, image)
    return changed[0]


def degrade(
    rng: np.random.Generator, kind: str, image: Image, *, electrons: float, pixel_size: float
) -> tuple[Image, Image]:
    """What the instrument makes of an image, and the undistorted image (in TEM, transferred by the camera)."""
    settings: dict[str, Any] = noise.random_settings(kind, seed=rng, shape=image.shape)
    settings["electrons_per_pixel"] = electrons
    if kind == "tem":
        if rng.random() < 0.5:  # a camera that counts
            settings |= {"dark_current": None, "flicker": None, "reset": None}
            settings["thermal"] = {"sigma": float(rng.uniform(0, 0.3))}
        undistorted = np.maximum(noise.mtf(image, **settings["mtf"], threads=1), 0)
        settings["mtf"] = None
        sensor = int(rng.integers(2**32))
        recorded = noise.tem(undistorted, seed=rng, sensor=sensor, threads=1, **settings).image
        if rng.random() < 0.4:  # a scintillator spreads the light of an electron, and so its noise too
            sigma = float(rng.uniform(0.3, 1.2))
            recorded, undistorted = (noise.gaussian_blur(a, sigma=sigma, threads=1) for a in (recorded, undistorted))
        return recorded, undistorted
    if rng.random() < 0.7:  # as good instruments are: the published ranges are wider
        settings["jitter"] = {"sigma": (rng.uniform(0, 0.5), rng.uniform(0, 1.0)), "phi": tuple(rng.uniform(0, 0.7, 2))}
        settings["detector"] = {"width": float(rng.uniform(0.1, 0.35)), "pedestal": float(rng.uniform(0, 0.1))}
    elif settings["jitter"] is not None:
        settings["jitter"]["sigma"] = tuple(min(s / pixel_size, 2) for s in settings["jitter"]["sigma"])
    if settings["bits"] is not None and rng.random() < 0.5:
        settings["bits"] = None
    for stage in ("clip", "row_lines", "black", "zingers"):
        if rng.random() < 0.5:
            settings[stage] = None
    chain = noise.stem if kind == "stem" else noise.sem
    if kind == "sem":
        settings.pop("black", None)
    distorted = chain(image, pixel_size=1.0, seed=rng, threads=1, **settings).image
    if rng.random() < 0.1:
        distorted = noise.gaussian_blur(distorted, sigma=float(rng.uniform(0, 1)), threads=1)
    return distorted, image
