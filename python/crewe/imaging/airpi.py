"""AIRPI: the phase of the specimen from a network that sees nine neighbouring patterns at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core, models
from crewe._array import as_frames, as_int, as_pair, as_threads, check_finite
from crewe._progress import Bar
from crewe.imaging.exit_waves import Planes, Resampler, Scan, as_scan, neighbours, plan, probe_wave
from crewe.models import Model
from crewe.optics import Aberrations

__all__ = ["Engine", "airpi", "as_network"]

ON_CPU, ON_GPU = 8, 256  # positions that go through the network at a time: what caches hold, what keeps cores busy
CUT = 0.1  # a patch counts where the probe has at least this fraction of its highest intensity


def airpi(
    frames: NDArray[Any],
    *,
    energy: float,
    semiangle: float,
    step: float,
    angle_per_pixel: float,
    rotation: float = 0.0,
    transpose: bool = False,
    center: tuple[float, float] | None = None,
    aberrations: Aberrations | None = None,
    oversample: int = 1,
    model: str | Model = "imaging-airpi",
    threads: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> NDArray[np.complex64]:
    """Phase of the object, by a network that finds the wave behind the specimen from nine neighbouring patterns.

    For each position the network sees its pattern, the eight around it, the probe and the step, and gives the wave
    behind the specimen. The wave over the probe is the object near the position; these patches are added up, each
    weighted by the probe's intensity: φ(r) = arg Σ_j |ψ_in|²·exp(i·arg(ψ_j/ψ_in)) at r − r_j. At the scan's border its
    outermost patterns are repeated.

    Parameters
    ----------
    frames : ndarray (sy, sx, ky, kx), uint8, uint16, uint32 or float32
        Diffraction patterns, counts or any unit; detectors of any size, they are binned or interpolated to the
        network's.
    energy : float
        Of the beam [eV].
    semiangle : float
        Of the bright disc [mrad].
    step : float
        Distance of probe positions [Å], the same in y and x; at most the probe's diameter, networks are trained for
        0.1 to 0.9 of the radius of its first zero, 0.61·λ/α.
    angle_per_pixel : float
        Scattering angle that a detector pixel spans [mrad].
    rotation : float
        Angle that brings the centre of mass into the scan's axes [rad], as `rotate` and `fit_rotation` have it.
    transpose : bool
        Exchange y and x of the detector first, as in `rotate`.
    center : (float, float), optional
        Centre of the bright disc (y, x) [detector pixels]; default: of the array, ((ky-1)/2, (kx-1)/2).
    aberrations : Aberrations, optional
        Of the probe, azimuths in the detector's axes. Default: none.
    oversample : int
        So many pixels of the result per probe position and axis.
    model : str or Model
        One of `crewe.models.list`, or a loaded one.
    threads : int
        0: all cores.
    device : "cpu" or "cuda"
        Where the network runs.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    ndarray (sy·oversample, sx·oversample) complex64
        exp(i·phase), modulus 1; pixel (i·oversample, j·oversample) lies at the probe position (i, j). A position whose
        pattern is empty adds nothing, and where no neighbour reaches the phase is 0.

    Raises
    ------
    ModelError
        There is no such model, or its file is damaged.
    TypeError
        `frames` isn't an array of a detector's dtype, `aberrations` isn't `Aberrations`.
    ValueError
        Wrong shapes, a calibration that is missing or isn't positive and finite, NaN in a frame, a probe that is larger
        than the patch that the detector's pixels allow, probes too far apart to overlap or to fill the pixels that
        `oversample` asks for.

    Notes
    -----
    Memory: the patterns of three scan lines on the network's grid, and one batch of 8 positions (256 on a GPU).

    References
    ----------
    Friedrich, Yu, Verbeeck, Van Aert, Microsc. Microanal. 29 (2023) 395.

    Examples
    --------
    >>> import numpy as np
    >>> frames = np.ones((4, 4, 64, 64), np.uint8)
    >>> airpi(frames, energy=300e3, semiangle=20.0, step=0.2, angle_per_pixel=1.4, model="no such model")
    Traceback (most recent call last):
    ...
    crewe.errors.ModelError: ...
    """
    if as_frames(frames).ndim != 4 or 0 in frames.shape:
        raise ValueError(f"frames: shape (sy, sx, ky, kx) wanted, {frames.shape} came")
    scan = as_scan(energy, semiangle, step, angle_per_pixel, rotation, transpose, aberrations)
    oversample = as_int(oversample, "oversample", 1)
    (sy, sx), detector = frames.shape[:2], (frames.shape[2], frames.shape[3])
    middle = ((detector[0] - 1) / 2, (detector[1] - 1) / 2) if center is None else as_pair(center, "center")
    workers = as_threads(threads)
    network = as_network(model, device, workers)
    engine = Engine(scan, (sy, sx), detector, middle, oversample, network, workers)
    with Bar("airpi", total=sy, unit="scan lines", show=progress) as bar:
        for row, line in enumerate(frames):
            check_finite(line, f"frames[{row}]")
            engine.add(row, engine.resample(line, threads=workers))
            bar.add(1)
    size = np.abs(engine.sum)
    found: NDArray[np.complex64] = np.where(size > 0, engine.sum / np.where(size > 0, size, 1), 1)
    return found.astype(np.complex64)


def as_network(model: str | Model, device: str, threads: int) -> Any:
    """A model by its name, or the one that was given."""
    return models.load(model, device=device, threads=threads) if isinstance(model, str) else model


class Engine:
    """Scan lines, in any order → the sum of their patches, whose angle is the phase.

    A line is worked on when those above and below it are there, and kept until they are worked on too: three lines,
    where they come in order.
    """

    def __init__(
        self,
        scan: Scan,
        shape: tuple[int, int],
        detector: tuple[int, int],
        center: tuple[float, float],
        oversample: int,
        model: Any,
        threads: int,
    ) -> None:
        options = model.info.options
        self.grid = plan(
            scan, detector, size=options["size"], length=tuple(options["length"]), fill=tuple(options["fill"])
        )
        self.scan, self.shape, self.oversample, self.model, self.threads = scan, shape, oversample, model, threads
        wave = probe_wave(scan, self.grid)
        pitch = scan.step * self.grid.size / self.grid.length  # [pixels of the probe]
        self.patches = _core.Patches(
            np.stack([wave.real, wave.imag]).astype(np.float32),
            pitch=pitch / oversample,
            cut=CUT,
        )
        self._check_coverage()
        polar = np.stack([np.abs(wave), np.angle(wave)]).astype(np.float32)
        self._probe = polar[None], np.full(1, scan.step, np.float32), np.full(1, pitch, np.float32)
        self._batch = ON_GPU if model.provider == "CUDAExecutionProvider" else ON_CPU
        # What the network sees in a batch; memory that is used again.
        self._nine = np.empty((min(self._batch, shape[1]), 9, *polar.shape[1:]), np.float32)
        self.resample = Resampler(scan, self.grid, detector, center)
        self.sum = np.zeros((shape[0] * oversample, shape[1] * oversample), np.complex64)
        self.cancelled = False  # set in another thread: the work on a line ends after the batch in hand
        self._lines: dict[int, Planes] = {}
        self._done: set[int] = set()

    def _check_coverage(self) -> None:
        """Every pixel of the image must be reached by a patch."""
        reached = np.argwhere(self.patches.weights > 0) - self.patches.reach
        if len({(y % self.oversample, x % self.oversample) for y, x in reached.tolist()}) < self.oversample**2:
            raise ValueError(
                f"step, oversample: probes that reach every pixel of the image wanted; with a step of "
                f"{self.scan.step:g} Å and {self.oversample} pixels per step some lie in no probe"
            )

    def add(self, row: int, line: Planes) -> list[int]:
        """The patterns (sx, size, size) of a row, on the grid; which rows could be worked on with them."""
        self._lines[row] = line
        worked = [near for near in (row - 1, row, row + 1) if near in self._lines and self._enclosed(near)]
        for near in worked:
            self._work(near, self._lines, self.sum)
        self._done.update(worked)
        for near in range(row - 2, row + 3):
            if self._done.issuperset(self._around(near)):
                self._lines.pop(near, None)
        return worked

    def unfinished(self) -> bool:
        """Some rows wait for others."""
        return not self._done.issuperset(self._lines)

    def with_rest(self, lines: Mapping[int, Planes]) -> NDArray[np.complex64]:
        """The sum with what waits and with these rows, as if nothing else came; more may be added afterwards."""
        total, known = self.sum.copy(), {**self._lines, **lines}
        for row in sorted(known.keys() - self._done):
            self._work(row, known, total)
        return total

    def _around(self, row: int) -> range:
        return range(max(row - 1, 0), min(row + 2, self.shape[0]))

    def _enclosed(self, row: int) -> bool:
        return all(near in self._lines for near in self._around(row))

    def _work(self, row: int, lines: Mapping[int, Planes], total: NDArray[np.complex64]) -> None:
        here, columns = lines[row], self.shape[1]
        around = max(row - 1, 0), min(row + 1, self.shape[0] - 1)
        above, below = (lines[near] if near in lines else np.zeros_like(here) for near in around)
        for start in range(0, columns, self._batch):
            if self.cancelled:
                return
            nine, empty = neighbours(above, here, below, slice(start, start + self._batch), self._nine)
            waves = self.model.run(nine, *self._probe)
            waves[empty] = 0
            self.patches.add(
                waves,
                total,
                first=row * columns + start,
                columns=columns,
                oversample=self.oversample,
                threads=self.threads,
            )
