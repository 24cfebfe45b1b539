"""The chains of stages that make a STEM, SEM or TEM image out of an undistorted one.

On a GPU a whole chain is one call, for a stack of images too (`crewe/cuda/noise/chains.hpp`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import Seed, as_int, as_number, as_seed, as_threads
from crewe.noise import camera, counting, pixels, scan
from crewe.noise._checks import Image, as_image, kernels
from crewe.noise._cuda import Chain

__all__ = ["Degraded", "sem", "stem", "tem"]

Options = Mapping[str, Any] | None

_NUMBERS = ("pixel_size", "electrons_per_pixel", "seed", "sensor", "bits")  # what is no stage


@dataclass(frozen=True)
class Degraded:
    """What a chain gives.

    Attributes
    ----------
    image : ndarray (y, x) or (n, y, x) float32
        On the scale of the undistorted image.
    shifts : ndarray (y, 2) or (n, y, 2) float64
        (y, x) of every line [pixels], as `unshift` takes them; zeros without jitter.
    electrons_per_pixel : float
        The mean number of electrons: image × electrons_per_pixel / mean of the undistorted image is in electrons.
    settings : dict
        The chain's arguments: ``stem(image, **degraded.settings)`` gives the same bits.

    Examples
    --------
    >>> recorded = stem(np.ones((8, 8), np.float32), pixel_size=0.2, electrons_per_pixel=9.0, seed=1)
    >>> bool((stem(np.ones((8, 8), np.float32), **recorded.settings).image == recorded.image).all())
    True
    """

    image: Image
    shifts: NDArray[np.float64]
    electrons_per_pixel: float
    settings: dict[str, Any]


def stem(
    image: Image,
    *,
    pixel_size: float,
    electrons_per_pixel: float,
    seed: Seed,
    jitter: Options = None,
    detector: Options = None,
    fast_scan: Options = None,
    row_lines: Options = None,
    black: Options = None,
    zingers: Options = None,
    clip: Options = None,
    bits: int | None = None,
    threads: int = 0,
) -> Degraded:
    """A STEM image of `electrons_per_pixel` electrons: jitter → counting → photomultiplier → fast scan → row lines →
    black pixels → zingers → clipping → digits.

    A stage's keyword takes a mapping of the options of the function of that name (without `seed`), or None = off.
    Counting is always on. Every stage has random numbers of its own: switching one leaves the draws of the others as
    they are.

    Parameters
    ----------
    image : ndarray (y, x) or (n, y, x) float32
        The undistorted image, >= 0 with a mean > 0, any scale; on the host or a GPU. Image k of a stack is made as if
        it came alone with ``seed + k``.
    pixel_size : float
        [Å]; the unit of the jitter's `sigma`.
    electrons_per_pixel : float
        Mean number of electrons [electrons/pixel], > 0.
    seed : int or numpy.random.Generator
    jitter, fast_scan, row_lines, zingers, clip : mapping, optional
        Options of `jitter` (`sigma` [Å], `phi`), `fast_scan`, `row_lines`, `zingers`, `clip` (`maximum` in electrons).
    detector : mapping, optional
        Options of `pmt`.
    black : mapping, optional
        Options of `black_pixels`.
    bits : int, optional
        1..16: digits of 2**bits levels over 1 to 1.5 times the brightest pixel (drawn from `seed`), 2 % of them below
        zero.
    threads : int
        0: all cores; the result has the same bits for every number.

    Returns
    -------
    Degraded

    Raises
    ------
    TypeError
        `image` is no float32 array; an option that the stage does not have.
    ValueError
        Negative or NaN intensities, an image without electrons, a number out of its range.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 41-55.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((64, 64), 0.5, np.float32)
    >>> recorded = stem(image, pixel_size=0.2, electrons_per_pixel=10.0, seed=1, jitter=dict(sigma=0.1, phi=0.5))
    >>> bool(0.49 < recorded.image.mean() < 0.51), recorded.shifts.shape
    (True, (64, 2))
    """
    return _chain("scan", locals())


def sem(
    image: Image,
    *,
    pixel_size: float,
    electrons_per_pixel: float,
    seed: Seed,
    jitter: Options = None,
    detector: Options = None,
    fast_scan: Options = None,
    row_lines: Options = None,
    zingers: Options = None,
    clip: Options = None,
    bits: int | None = None,
    threads: int = 0,
) -> Degraded:
    """A SEM image: the chain of `stem` without black pixels, which in SEM may be pores.

    Parameters
    ----------
    image, pixel_size, electrons_per_pixel, seed, jitter, detector, fast_scan, row_lines, zingers, clip, bits, threads
        As in `stem`.

    Returns
    -------
    Degraded

    Raises
    ------
    TypeError, ValueError
        As in `stem`.

    Examples
    --------
    >>> import numpy as np
    >>> recorded = sem(np.ones((32, 32), np.float32), pixel_size=5.0, electrons_per_pixel=50.0, seed=1, bits=8)
    >>> np.unique(recorded.image).size <= 256
    True
    """
    return _chain("scan", locals())


def tem(
    image: Image,
    *,
    electrons_per_pixel: float,
    seed: Seed,
    sensor: int = 0,
    mtf: Options = None,
    fixed_pattern: Options = None,
    dark_current: Options = None,
    thermal: Options = None,
    flicker: Options = None,
    reset: Options = None,
    black: Options = None,
    zingers: Options = None,
    clip: Options = None,
    bits: int | None = None,
    threads: int = 0,
) -> Degraded:
    """A TEM image of one camera: transfer → counting → gain pattern → dark current → thermal, flicker and reset noise →
    black pixels → zingers → clipping → digits.

    A stage's keyword takes a mapping of the options of the function of that name (without `seed` and `sensor`), or
    None = off. Counting is always on. Every stage has random numbers of its own. Black pixels belong to the sensor.

    Parameters
    ----------
    image : ndarray (y, x) or (n, y, x) float32
        As in `stem`.
    electrons_per_pixel : float
        Mean number of electrons [electrons/pixel], > 0.
    seed : int or numpy.random.Generator
    sensor : int
        Which camera: gain pattern, dark current and black pixels belong to it.
    mtf, fixed_pattern, dark_current, thermal, flicker, reset, zingers, clip : mapping, optional
        Options of the stages of that name; sigmas and currents in electrons.
    black : mapping, optional
        Options of `black_pixels`.
    bits, threads
        As in `stem`.

    Returns
    -------
    Degraded
        `shifts` are zero.

    Raises
    ------
    TypeError, ValueError
        As in `stem`.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 27-40.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.ones((64, 64), np.float32)
    >>> recorded = tem(image, electrons_per_pixel=100.0, seed=1, thermal=dict(sigma=2.0))
    >>> round(float(recorded.image.std()), 2)
    0.1
    """
    return _chain("tem", locals())


def _chain(kind: str, arguments: dict[str, Any]) -> Degraded:
    image = arguments["image"]
    if not isinstance(image, np.ndarray) or image.ndim != 3 or len(image) == 0:
        return _Run(arguments).result(kind)
    seed = as_seed(arguments["seed"])
    made = [_Run({**arguments, "image": one, "seed": (seed + k) % 2**64}).result(kind) for k, one in enumerate(image)]
    shifts, settings = np.stack([one.shifts for one in made]), {**made[0].settings, "seed": seed}
    return Degraded(np.stack([one.image for one in made]), shifts, made[0].electrons_per_pixel, settings)


class _Run:
    """One way through a chain: the image in electrons per pixel, changed in place by one stage after the other."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        """`arguments`: those of `stem`, `sem` or `tem`."""
        settings = dict(arguments)
        source, self.threads = settings.pop("image"), as_threads(settings.pop("threads"))
        source = as_image(source, positive=True, stack=True)
        for name in ("pixel_size", "electrons_per_pixel"):
            if name in settings:
                settings[name] = as_number(settings[name], name, 0, above=True)
        for name in ("seed", "sensor"):
            if name in settings:
                settings[name] = as_seed(settings[name], name)
        if settings["bits"] is not None:
            settings["bits"] = as_int(settings["bits"], "bits", 1, 16)
        for name, options in settings.items():
            if isinstance(options, Mapping):
                settings[name] = dict(options)
            elif name not in _NUMBERS and options is not None:
                raise TypeError(f"{name}: a mapping of options or None wanted, {type(options).__name__} came")
        mean = kernels(source).noise_statistics(source)[2]
        if mean <= 0:
            raise ValueError("image: a mean > 0 wanted, an image of zeros came")
        self.settings, self.scale = settings, settings["electrons_per_pixel"] / mean
        on_host = isinstance(source, np.ndarray)
        self.image: Any = source * np.float32(self.scale) if on_host else Chain(source)
        self.shifts = np.zeros((source.shape[0], 2))

    def result(self, kind: str) -> Degraded:
        """All stages of the chain, one after the other."""
        if kind == "tem":
            self.camera()
        else:
            self.scanned()
        return self.finish(kind)

    def scanned(self) -> None:
        self.jitter()
        self.count()
        self.stage("detector", counting.pmt, seed=True)
        self.stage("fast_scan", scan.fast_scan)
        self.stage("row_lines", scan.row_lines, seed=True)
        self.stage("black", pixels.black_pixels, seed=True)
        self.stage("zingers", pixels.zingers, seed=True)
        self.stage("clip", pixels.clip)

    def camera(self) -> None:
        self.stage("mtf", camera.mtf)
        self.count()
        self.stage("fixed_pattern", camera.fixed_pattern, sensor=True)
        self.stage("dark_current", camera.dark_current, seed=True, sensor=True)
        self.stage("thermal", camera.thermal, seed=True)
        self.stage("flicker", camera.flicker, seed=True)
        self.stage("reset", camera.reset, seed=True)
        self.black_of_sensor()
        self.stage("zingers", pixels.zingers, seed=True)
        self.stage("clip", pixels.clip)

    def stage(self, name: str, function: Callable[..., Image], *, seed: bool = False, sensor: bool = False) -> None:
        """Run a stage in place, if it is on."""
        options = self.settings.get(name)
        if options is None:
            return
        keys = {"seed": self.settings["seed"]} if seed else {}
        if sensor:
            keys["sensor"] = self.settings["sensor"]
        function(self.image, **options, **keys, threads=self.threads, out=self.image)

    def jitter(self) -> None:
        if self.settings["jitter"] is None:
            return
        size, seed = self.settings["pixel_size"], self.settings["seed"]
        self.image, self.shifts = scan.jitter(
            self.image, **self.settings["jitter"], pixel_size=size, seed=seed, threads=self.threads
        )

    def count(self) -> None:
        # Splines overshoot at sharp edges; where the mean is below zero nothing is counted.
        kernels(self.image).noise_shot(self.image, self.image, seed=self.settings["seed"], threads=self.threads)

    def black_of_sensor(self) -> None:
        options = self.settings["black"]
        if options is not None:
            pixels.black_pixels(self.image, **options, seed=self.settings["sensor"], out=self.image)

    def finish(self, kind: str) -> Degraded:
        if isinstance(self.image, Chain):
            image, shifts = self.image.run(kind, self.settings)
            return Degraded(image, shifts, self.settings["electrons_per_pixel"], self.settings)
        bits, seed = self.settings["bits"], self.settings["seed"]
        if bits is not None:
            full_scale = _core.noise_full_scale(float(_core.noise_statistics(self.image)[1]), seed=seed)
            pixels.quantise(
                self.image,
                bits=bits,
                full_scale=full_scale,
                offset=_core.noise_below * full_scale,
                threads=self.threads,
                out=self.image,
            )
        self.image *= np.float32(1 / self.scale)
        return Degraded(self.image, self.shifts, self.settings["electrons_per_pixel"], self.settings)
