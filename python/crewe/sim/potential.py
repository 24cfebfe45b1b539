"""Projected potentials of slices, exact at any position of the atoms."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_reals, as_threads, as_typed, check_finite, cores
from crewe.sim._check import numbers_yx, warn_of_slow_grid
from crewe.sim.scattering import POTENTIAL_CONSTANT, scattering_factor, table
from crewe.sim.thermal import DebyeWaller, FrozenPhonons, per_atom

__all__ = ["AtomLayers", "Layers", "Potential", "rendered_at_a_time"]

EDGE = 1e-9  # Å: an atom so close below the border of a slice belongs to the next one
CLOSEST = 0.3  # Å: atoms closer than that overlap


def rendered_at_a_time(shape: tuple[int, int], threads: int) -> int:
    """Slices that are made at a time: for each core two, since two share a transform, or 2²⁰ pairs of pixels."""
    return 2 * cores(threads) * max(1, 2**20 // (shape[0] * shape[1]))


class Layers:
    """The slices of one configuration: the different ones, and which of them comes when.

    `index[s]` is the number of slice s among the `count` different ones; `render(first, last)` gives those.
    """

    def __init__(self, shape: tuple[int, int], index: NDArray[np.uint32], count: int) -> None:
        self.shape, self.index, self.count = shape, index, count

    def render(self, first: int, last: int, threads: int = 0) -> NDArray[Any]:
        """Slices first … last − 1 of the different ones, (n, ny, nx) [V·Å]."""
        raise NotImplementedError

    def parts(self, first: int, last: int, threads: int = 0) -> Iterator[tuple[int, NDArray[Any]]]:
        """(number of the first, slices): a few at a time, so that memory is bounded and Ctrl-C is heard."""
        few = rendered_at_a_time(self.shape, threads)
        for start in range(first, last, few):
            yield start, self.render(start, min(start + few, last), threads)


class _ArrayLayers(Layers):
    def __init__(self, slices: NDArray[Any]) -> None:
        different: dict[bytes, int] = {}
        index, self.places = [], []
        for place, one in enumerate(slices):
            key = _digest(one)
            if key not in different:
                different[key] = len(different)
                self.places.append(place)
            index.append(different[key])
        super().__init__(slices.shape[1:], np.array(index, np.uint32), len(different))
        self.slices = slices

    def render(self, first: int, last: int, threads: int = 0) -> NDArray[Any]:
        return np.ascontiguousarray(self.slices[self.places[first:last]])


class AtomLayers(Layers):
    """Atoms ordered by slice and species; slices with the same atoms at the same places are one."""

    def __init__(self, potential: "Potential", positions: NDArray[np.float64], slice_of: NDArray[np.int64]) -> None:
        self.potential = potential
        extent = potential.extent
        y, x = positions[:, 1] / extent[0], positions[:, 0] / extent[1]
        y, x = y - np.floor(y), x - np.floor(x)
        species = len(potential.species)
        order = np.lexsort((x, y, potential.kinds, slice_of))
        group = slice_of[order] * species + potential.kinds[order]
        starts = np.searchsorted(group, np.arange(len(potential.thickness) * species + 1))
        kinds, y, x = potential.kinds[order], y[order], x[order]
        rounded = y.round(10), x.round(10)
        different: dict[tuple[bytes, ...], int] = {}
        index, chosen = [], []
        for s in range(len(potential.thickness)):
            where = slice(starts[s * species], starts[(s + 1) * species])
            key = (kinds[where].tobytes(), rounded[0][where].tobytes(), rounded[1][where].tobytes())
            if key not in different:
                different[key] = len(different)
                chosen.append(s)
            index.append(different[key])
        super().__init__(potential.shape, np.array(index, np.uint32), len(different))
        counts = np.diff(starts).reshape(len(potential.thickness), species)[chosen].ravel()
        self.first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        if len(chosen) < len(potential.thickness):
            atoms = np.concatenate([np.arange(starts[s * species], starts[(s + 1) * species]) for s in chosen])
            y, x = y[atoms], x[atoms]
        self.y, self.x = np.ascontiguousarray(y), np.ascontiguousarray(x)

    def starts(self, layer: int) -> NDArray[np.int64]:
        """Where the atoms of each species of a layer begin in `y` and `x`, and where the last ones end."""
        species = len(self.potential.species)
        return self.first[layer * species : (layer + 1) * species + 1]

    def render(self, first: int, last: int, threads: int = 0) -> NDArray[Any]:
        # Two slices share a transform: always the same two, so that the bits don't depend on how the work is cut.
        potential, begin, end = self.potential, first // 2 * 2, min((last + 1) // 2 * 2, self.count)
        out = np.empty((end - begin, *potential.shape), potential.dtype)
        species = len(potential.species)
        starts = self.first[begin * species : end * species + 1]
        atoms = slice(int(starts[0]), int(starts[-1]))
        _core.sim_project(
            potential.factors(), self.y[atoms], self.x[atoms], np.ascontiguousarray(starts - starts[0]), out, threads
        )
        return out[first - begin : last - begin]


class Potential:
    """The projected potential of a crystal, slice by slice.

    Each atom goes whole ("infinite projection") into the slice of its height: slice i holds the atoms with
    i·dz <= z mod Lz < (i + 1)·dz. Its place counts exactly: V_s(r) = Σ_k C0·f_e(k)/(Lx·Ly) Σ_j exp(2πi k·(r − r_j)),
    over all frequencies of the grid. Slices that are alike are made once.

    Parameters
    ----------
    atoms : ase.Atoms
        With an orthogonal cell, repeated without end along x and y; the beam runs towards +z.
    sampling : float or (y, x), optional
        Size of a pixel [Å]. Where it doesn't divide the cell, the next finer one with a fast grid is taken.
    gpts : int or (y, x), optional
        Pixels instead of `sampling`. Factors 2, 3, 5 and 7 are fast; others bring a warning.
    slice_thickness : float or sequence
        Thickness [Å] of the slices: round(Lz/thickness) equal ones; or the thickness of each, adding up to Lz.
    parametrization : str
        "lobato2014" (as published) or "kirkland".
    thermal : FrozenPhonons, DebyeWaller or ndarray, optional
        Moving atoms. An array (configurations, atoms, 3) holds displaced positions (x, y, z) [Å], taken as they are.
    dtype : dtype
        float32 or float64: of the slices, and of the waves (complex64, complex128) that pass them.

    Attributes
    ----------
    shape, sampling, extent : tuple
        Pixels, their size [Å] and the size of the cell [Å], (y, x).
    thickness : tuple
        Of each slice [Å].
    configurations : int or None
        Of moving atoms; None where they are at rest.

    Raises
    ------
    TypeError
        Atoms that aren't like ase.Atoms.
    ValueError
        A cell that isn't orthogonal, positions that aren't finite or overlap, unknown elements, wrong numbers.

    References
    ----------
    I. Lobato and D. Van Dyck, Acta Cryst. A70 (2014) 636; E. J. Kirkland, Advanced Computing in Electron Microscopy,
    2nd ed. (2010).

    Examples
    --------
    >>> from ase import Atoms
    >>> silicon = Atoms("Si", positions=[(1.0, 2.0, 1.0)], cell=[4.0, 4.0, 2.0])
    >>> potential = Potential(silicon, gpts=64)
    >>> potential.slices().shape, potential.sampling
    ((1, 64, 64), (0.0625, 0.0625))
    """

    shape: tuple[int, int]
    sampling: tuple[float, float]
    extent: tuple[float, float]
    thickness: tuple[float, ...]
    configurations: int | None
    dtype: np.dtype[Any]

    def __init__(
        self,
        atoms: Any,
        *,
        sampling: float | tuple[float, float] | None = None,
        gpts: int | tuple[int, int] | None = None,
        slice_thickness: float | Sequence[float] = 2.0,
        parametrization: str = "lobato2014",
        thermal: Any = None,
        dtype: Any = np.float32,
    ) -> None:
        self.dtype = _as_dtype(dtype)
        table(parametrization)
        self.parametrization = parametrization
        cell, self.positions, symbols = _read_atoms(atoms, parametrization)
        self.extent = float(cell[1]), float(cell[0])
        self.shape = _grid(self.extent, sampling, gpts)
        self.sampling = self.extent[0] / self.shape[0], self.extent[1] / self.shape[1]
        self.thickness = _thicknesses(slice_thickness, float(cell[2]))
        self.species = sorted(set(symbols))
        self.kinds = np.array([self.species.index(symbol) for symbol in symbols], np.int64)
        self.symbols = symbols
        self.thermal = self._as_thermal(thermal)
        self.configurations = None
        if isinstance(self.thermal, FrozenPhonons):
            self.configurations = self.thermal.configurations
        elif isinstance(self.thermal, np.ndarray):
            self.configurations = len(self.thermal)
        self._slices: NDArray[Any] | None = None
        self._factors: NDArray[np.float64] | None = None

    @classmethod
    def from_array(
        cls, slices: NDArray[Any], *, sampling: float | tuple[float, float], slice_thickness: float | Sequence[float]
    ) -> "Potential":
        """A potential that is given.

        Parameters
        ----------
        slices : ndarray
            (n, ny, nx) float32 or float64 [V·Å], finite; not copied.
        sampling : float or (y, x)
            Size of a pixel [Å].
        slice_thickness : float or sequence
            Thickness [Å] of all slices, or of each.

        Returns
        -------
        Potential
            With the precision of `slices`.

        Raises
        ------
        TypeError, ValueError
            Slices of another type, with another number of axes, or not finite; wrong numbers.

        Examples
        --------
        >>> vacuum = Potential.from_array(np.zeros((3, 32, 48), np.float32), sampling=0.1, slice_thickness=2.0)
        >>> vacuum.thickness
        (2.0, 2.0, 2.0)
        """
        as_typed(slices, "slices", np.float32, np.float64)
        if slices.ndim != 3 or 0 in slices.shape or min(slices.shape[1:]) < 2:
            raise ValueError(f"slices: shape (n, ny, nx) wanted, {slices.shape} came")
        for number, one in enumerate(slices):
            check_finite(one, f"slices[{number}]")
        self = cls.__new__(cls)
        self.dtype = slices.dtype
        self.shape = int(slices.shape[1]), int(slices.shape[2])
        self.sampling = numbers_yx(sampling, "sampling")
        self.extent = self.sampling[0] * self.shape[0], self.sampling[1] * self.shape[1]
        each = as_reals(slice_thickness, "slice_thickness")
        if each.ndim > 1 or (each.ndim == 1 and len(each) != len(slices)):
            raise ValueError(f"slice_thickness: a number [Å] or {len(slices)} wanted, shape {each.shape} came")
        if not (each > 0).all():
            raise ValueError(f"slice_thickness: positive numbers [Å] wanted, {slice_thickness!r} came")
        self.thickness = tuple(np.broadcast_to(each, len(slices)).tolist())
        self.configurations = None
        self.thermal = None
        self._slices = slices
        return self

    def __len__(self) -> int:
        return len(self.thickness)

    def __repr__(self) -> str:
        moving = "" if self.configurations is None else f", {self.configurations} configurations"
        return (
            f"Potential({self.shape[0]}×{self.shape[1]} pixels of {self.sampling[0]:.4g}×{self.sampling[1]:.4g} Å, "
            f"{len(self)} slices, {sum(self.thickness):.4g} Å{moving})"
        )

    def slices(self, *, threads: int = 0) -> NDArray[Any]:
        """Projected potential of each slice [V·Å].

        Parameters
        ----------
        threads : int
            0: all cores.

        Returns
        -------
        ndarray
            (n, ny, nx), or (configurations, n, ny, nx) for moving atoms.
        """
        threads = as_threads(threads)
        out = np.empty((self.configurations or 1, len(self), *self.shape), self.dtype)
        for configuration, stack in enumerate(out):
            layers = self.layers(configuration)
            for start, slices in layers.parts(0, layers.count, threads):
                for number, one in enumerate(slices, start):
                    stack[layers.index == number] = one
        return out[0] if self.configurations is None else out

    def layers(self, configuration: int = 0) -> Layers:
        """The different slices of a configuration, to be rendered as they are needed."""
        if self._slices is not None:
            return _ArrayLayers(self._slices)
        positions, resting = self.positions, self.positions
        if isinstance(self.thermal, FrozenPhonons):
            positions = positions + self.thermal.displacements(configuration, self.symbols)
        elif isinstance(self.thermal, np.ndarray):
            positions = resting = self.thermal[configuration]
        return AtomLayers(self, positions, self._slice_of(resting[:, 2]))

    def fingerprint(self) -> bytes:
        """The same for potentials of the same numbers."""
        parts: list[Any] = [repr((self.shape, self.sampling, self.thickness, str(self.dtype)))]
        if self._slices is not None:
            parts.append(b"".join(_digest(one) for one in self._slices))
        else:
            parts += [self.parametrization, repr(self.symbols), self.positions.tobytes()]
            thermal = self.thermal
            if isinstance(thermal, FrozenPhonons):
                parts.append(repr((thermal.configurations, thermal.sigma, thermal.seed)))
            elif isinstance(thermal, DebyeWaller):
                parts.append(repr(thermal.sigma))
            elif thermal is not None:
                parts.append(thermal.tobytes())
        return b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)

    def factors(self) -> NDArray[np.float64]:
        """C0·f_e/(Lx·Ly) [V·Å] per species at the frequencies 0 … n/2 of each axis."""
        if self._factors is None:
            ky, kx = (np.arange(n // 2 + 1) / length for n, length in zip(self.shape, self.extent, strict=True))
            g = np.hypot(ky[:, None], kx)
            scale = POTENTIAL_CONSTANT / (self.extent[0] * self.extent[1])
            each = [scattering_factor(symbol, g, parametrization=self.parametrization) for symbol in self.species]
            if isinstance(self.thermal, DebyeWaller):
                spread = per_atom(self.thermal.sigma, self.species)
                each = [f * np.exp(-2 * (np.pi * s * g) ** 2) for f, s in zip(each, spread, strict=True)]
            self._factors = scale * np.stack(each) if each else np.empty((0, *g.shape))
        return self._factors

    def _slice_of(self, z: NDArray[np.float64]) -> NDArray[np.int64]:
        edges = np.cumsum((0.0, *self.thickness))
        slice_of = np.searchsorted(edges, z - np.floor(z / edges[-1]) * edges[-1] + EDGE, side="right") - 1
        return np.asarray(slice_of % len(self.thickness), np.int64)

    def _as_thermal(self, thermal: Any) -> Any:
        if thermal is None:
            return None
        if isinstance(thermal, FrozenPhonons | DebyeWaller):
            per_atom(thermal.sigma, self.symbols)
            return thermal
        array = as_reals(thermal, "thermal")
        if array.ndim != 3 or array.shape[1:] != self.positions.shape or len(array) == 0:
            wanted = f"(configurations, {len(self.positions)}, 3)"
            raise ValueError(f"thermal: displaced positions {wanted} wanted, shape {array.shape} came")
        return array


def _digest(one: NDArray[Any]) -> bytes:
    from hashlib import blake2b

    return blake2b(np.ascontiguousarray(one).data, digest_size=16).digest()


def _as_dtype(dtype: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(dtype)
    if found not in (np.float32, np.float64):
        raise TypeError(f"dtype: float32 or float64 wanted, {found!r} came")
    return found


def _read_atoms(atoms: Any, parametrization: str) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Edges of the cell (x, y, z), positions (n, 3) and symbols."""
    try:
        cell = np.array(atoms.cell, float)
        positions, symbols = np.array(atoms.positions, float), list(atoms.get_chemical_symbols())
    except AttributeError:
        raise TypeError(f"atoms: an ase.Atoms wanted, {type(atoms).__name__} came") from None
    edges = np.diag(cell) if cell.ndim == 2 else cell
    if not np.isfinite(cell).all() or (cell.ndim == 2 and np.abs(cell - np.diag(edges)).max() > 1e-6):
        raise ValueError(
            "atoms: an orthogonal cell along x, y, z wanted, "
            f"[{', '.join('(' + ', '.join(f'{v:.4g}' for v in edge) + ')' for edge in np.atleast_2d(cell))}] Å came; "
            "crewe.sim.slab cuts one"
        )
    if (edges <= 0).any():
        raise ValueError(f"atoms: a cell with positive edges (x, y, z) wanted, {edges.tolist()} Å came")
    if not np.isfinite(positions).all():
        raise ValueError(f"atoms: the position of atom {np.argwhere(~np.isfinite(positions))[0][0]} isn't finite")
    unknown = sorted(set(symbols) - set(table(parametrization)))
    if unknown:
        raise ValueError(f"atoms: no scattering factor of {', '.join(unknown)} in {parametrization} (H to Lr)")
    _check_distances(positions, edges, symbols)
    return edges, positions, symbols


def _check_distances(positions: NDArray[np.float64], edges: NDArray[np.float64], symbols: list[str]) -> None:
    """No two atoms closer than CLOSEST. Of two such atoms one of eight shifted grids has both in one box."""
    if len(positions) < 2:
        return
    boxes = np.maximum(1, np.floor(edges / (2 * CLOSEST))).astype(np.int64)
    part = positions / edges
    for shift in np.ndindex(2, 2, 2):
        box = np.floor((part - np.floor(part)) * boxes + 0.5 * np.array(shift)).astype(np.int64) % boxes
        keys = (box[:, 0] * boxes[1] + box[:, 1]) * boxes[2] + box[:, 2]
        order = np.argsort(keys, kind="stable")
        ahead = 1
        while ahead < len(order):
            same = np.flatnonzero(keys[order[ahead:]] == keys[order[:-ahead]])
            if len(same) == 0:
                break
            i, j = order[same], order[same + ahead]
            apart = positions[i] - positions[j]
            distance = np.linalg.norm(apart - edges * np.round(apart / edges), axis=1)
            if (distance < CLOSEST).any():
                k = int(np.argmin(distance))
                raise ValueError(
                    f"atoms: {symbols[i[k]]} (number {i[k]}) and {symbols[j[k]]} (number {j[k]}) overlap, "
                    f"{distance[k]:.3g} Å apart"
                )
            ahead += 1


def _grid(extent: tuple[float, float], sampling: Any, gpts: Any) -> tuple[int, int]:
    if (sampling is None) == (gpts is None):
        raise ValueError("gpts, sampling: either gpts (pixels) or sampling [Å] wanted")
    if gpts is not None:
        shape = numbers_yx(gpts, "gpts", whole=True)
    else:
        pixel = numbers_yx(sampling, "sampling")
        ny, nx = (_pixels(length, d) for length, d in zip(extent, pixel, strict=True))
        shape = ny, nx
    if shape[0] * shape[1] > 2**30:
        raise ValueError(f"{'gpts' if gpts is not None else 'sampling'}: a grid of {shape} pixels is beyond all memory")
    warn_of_slow_grid(shape)
    return shape


def _pixels(length: float, pixel: float) -> int:
    """length/pixel where that is a whole number; else the next larger one that is fast to transform."""
    ratio = length / pixel
    if ratio > 2**30 or abs(ratio - round(ratio)) < 1e-6:
        return max(2, round(ratio))
    return _core.good_size(max(2, int(np.ceil(ratio))))


def _thicknesses(slice_thickness: Any, height: float) -> tuple[float, ...]:
    each = as_reals(slice_thickness, "slice_thickness")
    if each.ndim > 1 or each.size == 0 or not (each > 0).all():
        raise ValueError(f"slice_thickness: a positive number [Å], or one per slice, wanted, {slice_thickness!r} came")
    if each.ndim == 1:
        if abs(each.sum() - height) > 1e-6 * height:
            raise ValueError(f"slice_thickness: {each.sum():g} Å in all, the cell is {height:g} Å high")
        return tuple(each.tolist())
    count = max(1, round(height / float(each)))
    return (height / count,) * count
