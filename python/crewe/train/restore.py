"""Data for training restoration: patches of random scenes under random distortions, of a seed and a step alone.

Half of the scenes are those of `specimen.pairs`, the others columns of atoms (`scenes`); half of the contrasts are the
published ones (std/mean <= 0.35, half inverted), the others as bright as they come, on vacuum. Doses are log-uniform
from 0.05 to 1000 electrons per pixel: at 500 e⁻/Å² and 0.15 Å a dark-field image has about 0.3.
"""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise, specimen
from crewe.specimen.images import contrast
from crewe.train.scenes import columns

__all__ = ["Patches", "validation"]

Image = NDArray[np.float32]

WINDOW = 64  # scenes from which a batch is drawn
FRESH = 1  # new ones per step
SCENE = 256  # [pixels]
BEFORE = 24  # pixels of specimen left of a patch: where the smear of the readout comes from
AROUND = 8  # on the other sides: lines are off by a few pixels at most


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
        self.kind, self.resolution = mode.split("-")
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
            self._scenes[index] = scene(rng, self.resolution, (SCENE, SCENE))
        return self._scenes[index]

    def _patch(self, rng: np.random.Generator, index: int, size: int) -> tuple[Image, Image]:
        image, pixel_size = self._scene(index)
        if rng.random() < 0.5:
            image = image.T
        image = image[:: 1 - 2 * int(rng.integers(2)), :: 1 - 2 * int(rng.integers(2))]
        tall, wide = size + 2 * AROUND, size + BEFORE + AROUND
        electrons = 0.05 * (1000 / 0.05) ** rng.random()
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


def scene(rng: np.random.Generator, resolution: str, shape: tuple[int, int]) -> tuple[Image, float]:
    """An undistorted image >= 0 and its pixel size [Å]."""
    if resolution == "lr":
        pixel_size = float(rng.uniform(0.3, 1.0))
        return specimen.random_specimen(
            "low", shape=shape, pixel_size=pixel_size, seed=rng, threads=1
        ).image, pixel_size
    pixel_size = math.exp(rng.uniform(math.log(0.05), math.log(0.4)))
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
            return np.maximum(image, np.float32(1e-4 * float(image.max()))), pixel_size  # no place without electrons


def degrade(
    rng: np.random.Generator, kind: str, image: Image, *, electrons: float, pixel_size: float
) -> tuple[Image, Image]:
    """What the instrument makes of an image, and the undistorted image (in TEM, transferred by the camera)."""
    settings: dict[str, Any] = noise.random_settings(kind, seed=rng, shape=image.shape)
    settings["electrons_per_pixel"] = electrons
    if kind == "tem":
        undistorted = np.maximum(noise.mtf(image, **settings["mtf"], threads=1), 0)
        settings["mtf"] = None
        sensor = int(rng.integers(2**32))
        return noise.tem(undistorted, seed=rng, sensor=sensor, threads=1, **settings).image, undistorted
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
