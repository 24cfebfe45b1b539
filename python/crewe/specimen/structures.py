"""Real structures: by name, from a file or from ase; in the frame of a picture, and as multislice images."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import sim
from crewe._array import as_positive, as_shape
from crewe.sim.slab import read_atoms
from crewe.specimen.matter import MARGIN, Atoms

__all__ = ["Truth", "multislice", "place", "structure"]

Image = NDArray[np.float32]
#: (generator, mode of `pairs`, shape) → an undistorted image >= 0 and its pixel size [Å].
Truth = Callable[[np.random.Generator, str, tuple[int, int]], tuple[Image, float]]

#: Compounds: prototype of ase.build.bulk and lattice constants a, c [Å].
PROTOTYPES = {
    "CeO2": ("fluorite", 5.411, None),
    "CsCl": ("cesiumchloride", 4.123, None),
    "GaAs": ("zincblende", 5.653, None),
    "GaN": ("wurtzite", 3.189, 5.185),
    "InP": ("zincblende", 5.869, None),
    "MgO": ("rocksalt", 4.212, None),
    "NaCl": ("rocksalt", 5.640, None),
    "NiO": ("rocksalt", 4.177, None),
    "PbTe": ("rocksalt", 6.462, None),
    "ZnO": ("wurtzite", 3.250, 5.207),
}


def structure(name: Any) -> Any:
    """The unit cell of a crystal.

    Parameters
    ----------
    name : str, path or ase.Atoms
        An element ("Si", in its own structure), one of the compounds CeO2, CsCl, GaAs, GaN, InP, MgO, NaCl, NiO, PbTe,
        ZnO or the perovskite SrTiO3; a file that ase reads (CIF, XYZ, POSCAR, …); or a cell as it is.

    Returns
    -------
    ase.Atoms

    Raises
    ------
    ValueError
        A name that is neither; the message lists those that are.
    ImportError
        ase is missing: pip install 'crewe[sim]'.

    Examples
    --------
    >>> len(structure("SrTiO3")), len(structure("GaAs"))
    (5, 8)
    """
    if not isinstance(name, str) or Path(name).suffix:
        return read_atoms(name)
    try:
        from ase.build import bulk
        from ase.data import atomic_numbers, reference_states
        from ase.spacegroup import crystal
    except ImportError:
        raise ImportError("structure: ase is missing; pip install 'crewe[sim]'") from None
    if name == "SrTiO3":
        places = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.0)]
        return crystal(["Sr", "Ti", "O"], places, spacegroup=221, cellpar=[3.905, 3.905, 3.905, 90, 90, 90])
    if name in PROTOTYPES:
        prototype, a, c = PROTOTYPES[name]
        return bulk(name, prototype, a=a, c=c) if c else bulk(name, prototype, a=a, cubic=True)
    known = reference_states[atomic_numbers[name]] if name in atomic_numbers else None
    if known is None or known["symmetry"] not in ("fcc", "bcc", "diamond", "hcp", "sc"):
        names = ", ".join(sorted([*PROTOTYPES, "SrTiO3"]))
        raise ValueError(f"name: an element that is a simple crystal, a file or one of {names} wanted, {name!r} came")
    return bulk(name) if known["symmetry"] == "hcp" else bulk(name, cubic=True)


def place(
    crystal: Any,
    *,
    shape: tuple[int, int],
    pixel_size: float,
    zone: tuple[int, int, int] = (0, 0, 1),
    thickness: float = 50.0,
    rotation: float = 0.0,
) -> Atoms:
    """The atoms of a real crystal in the frame of a picture, for `render`.

    Parameters
    ----------
    crystal : str, path or ase.Atoms
        As in `structure`.
    shape : (int, int)
        (y, x) [pixels].
    pixel_size : float
        [Å], > 0.
    zone : (u, v, w)
        Lattice direction along the beam.
    thickness : float
        [Å], > 0.
    rotation : float
        About the beam [rad].

    Returns
    -------
    Atoms
        The frame and 5 Å around it.

    Raises
    ------
    ValueError
        As in `structure` and `crewe.sim.slab`.
    ImportError
        ase is missing: pip install 'crewe[sim]'.

    Examples
    --------
    >>> atoms = place("Au", shape=(32, 32), pixel_size=0.5, zone=(1, 1, 0), thickness=20.0)
    >>> set(atoms.numbers.tolist())
    {79}
    """
    size = as_positive(pixel_size, "pixel_size", "Å") * np.array(as_shape(shape)) + 2 * MARGIN
    slab = sim.slab(structure(crystal), zone=zone, thickness=thickness, size=tuple(size.tolist()), rotation=rotation)
    positions = np.asarray(slab.positions, float) - [MARGIN, MARGIN, 0.0]
    inside = (positions[:, :2] < size[::-1] - MARGIN).all(axis=1)
    return Atoms(np.asarray(slab.numbers, np.int64)[inside], positions[inside])


def multislice(
    crystals: Sequence[Any],
    *,
    zone: tuple[int, int, int] = (0, 0, 1),
    thickness: float = 50.0,
    energy: float = 200e3,
    pixel_sizes: tuple[float, float] = (0.05, 0.4),
    threads: int = 0,
) -> Truth:
    """Undistorted images for `pairs` by multislice simulation instead of radial models.

    Each crystal is simulated once, when it is first drawn: one period of it, as a STEM image (probe of 25 mrad, annular
    dark field 60 to 120 mrad or bright field to 10 mrad) or as an exit wave, of which every TEM image takes another
    defocus (|Δf| <= 200 Å, focal spread 30 Å, C_s = 10 µm). The period is repeated, turned and sampled at random.

    Parameters
    ----------
    crystals : sequence of str, path or ase.Atoms
        As in `structure`; each must have lattice vectors at right angles across `zone`.
    zone : (u, v, w)
        Lattice direction along the beam.
    thickness : float
        [Å], to the nearest whole number of periods.
    energy : float
        [eV]
    pixel_sizes : (float, float)
        From, to [Å].
    threads : int
        For the simulation; 0: all cores.

    Returns
    -------
    callable
        For the argument `truth` of `pairs`, high resolution.

    Raises
    ------
    ValueError
        As in `structure` and `crewe.sim.slab`; no crystals.
    ImportError
        ase is missing: pip install 'crewe[sim]'.

    Examples
    --------
    >>> import numpy as np
    >>> truth = multislice(["Cu"], thickness=10.0)
    >>> image, pixel_size = truth(np.random.default_rng(1), "tem-hr", (32, 32))
    >>> image.shape, 0.05 <= pixel_size <= 0.4
    ((32, 32), True)
    """
    if isinstance(crystals, str) or not len(crystals):
        raise ValueError(f"crystals: at least one name, file or cell wanted, {crystals!r} came")
    boxes = [sim.slab(structure(crystal), zone=zone, thickness=thickness) for crystal in crystals]
    lock = Lock()
    simulated: dict[tuple[int, str], Any] = {}

    def once(k: int, name: str) -> Any:
        with lock:  # pairs are made by several threads
            if (k, name) not in simulated:
                make = _wave if name == "tem" else _scan
                simulated[k, name] = make(boxes[k], energy, threads)
            return simulated[k, name]

    def truth(rng: np.random.Generator, mode: str, shape: tuple[int, int]) -> tuple[Image, float]:
        k, pixel_size = int(rng.integers(len(boxes))), float(rng.uniform(*pixel_sizes))
        size = float(boxes[k].cell[1, 1]), float(boxes[k].cell[0, 0])
        if mode.startswith("tem"):
            lens = sim.Aberrations(C10=float(rng.uniform(-200, 200)), C30=1e5)
            wave = once(k, "tem")
            sampling = size[0] / wave.shape[0], size[1] / wave.shape[1]
            period = sim.hrtem(wave, energy=energy, aberrations=lens, focal_spread=30.0, sampling=sampling)
        else:
            period = once(k, "stem")["ADF" if rng.random() < 0.7 else "BF"]
        image = _sample(period, size, shape, pixel_size, float(rng.uniform(0, 2 * np.pi)), rng.random(2))
        return np.maximum(image / image.max(), 0), pixel_size

    return truth


def _wave(box: Any, energy: float, threads: int) -> NDArray[Any]:
    """The exit wave of one period."""
    return np.asarray(
        sim.exit_wave(sim.Potential(box, sampling=_sampling(80.0, energy)), energy=energy, threads=threads)
    )


def _sampling(angle: float, energy: float) -> float:
    """Pixel [Å] of a grid that carries waves up to an angle [mrad]."""
    return sim.wavelength(energy) / (3e-3 * angle)


def _scan(box: Any, energy: float, threads: int) -> dict[str, NDArray[Any]]:
    """STEM images of one period, the probe in a cell of 15 Å at least: it must not meet itself."""
    lengths = box.cell.lengths()[:2]
    cell = box.repeat((*(math.ceil(15.0 / length) for length in lengths), 1))
    counts = [math.ceil(length / 0.2) for length in lengths]  # the probe passes 2 × 25 mrad: 0.25 Å at 200 keV
    x, y = (np.arange(n) * length / n for n, length in zip(counts, lengths, strict=True))
    places = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)
    rings = {"ADF": (60.0, 120.0), "BF": (0.0, 10.0)}
    potential = sim.Potential(cell, sampling=_sampling(125.0, energy))
    return sim.stem(potential, energy=energy, semiangle=25.0, positions=places, detectors=rings, threads=threads)


def _sample(
    period: NDArray[Any],
    size: tuple[float, float],
    shape: tuple[int, int],
    pixel_size: float,
    angle: float,
    start: NDArray[np.float64],
) -> Image:
    """A periodic image, turned and started anywhere, at other pixels: Fourier interpolated to a grid of at most 0.02 Å,
    from there linearly."""
    ny, nx = period.shape
    spectrum = np.fft.fftshift(np.fft.fft2(period))
    my, mx = (max(n, math.ceil(length / 0.02)) for n, length in zip((ny, nx), size, strict=True))
    top, left = my // 2 - ny // 2, mx // 2 - nx // 2
    padded = np.pad(spectrum, ((top, my - ny - top), (left, mx - nx - left)))
    fine = np.fft.ifft2(np.fft.ifftshift(padded)).real * (my * mx / (ny * nx))
    j, i = np.mgrid[: shape[0], : shape[1]] * pixel_size
    c, s = math.cos(angle), math.sin(angle)
    y, x = (((c * j + s * i) / size[0] + start[0]) % 1) * my, (((c * i - s * j) / size[1] + start[1]) % 1) * mx
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = y - y0, x - x0
    y0, x0, y1, x1 = y0 % my, x0 % mx, (y0 + 1) % my, (x0 + 1) % mx
    rows = (1 - fy) * ((1 - fx) * fine[y0, x0] + fx * fine[y0, x1]) + fy * ((1 - fx) * fine[y1, x0] + fx * fine[y1, x1])
    sampled: Image = rows.astype(np.float32)
    return sampled
