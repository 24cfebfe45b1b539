"""4D-STEM: a diffraction pattern per position, in memory or block by block into Zarr."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe._progress import Bar
from crewe.optics import Aberrations, wavelength
from crewe.sim._distribute import pattern_blocks
from crewe.sim._propagate import MEMORY
from crewe.sim._scan import Pattern, Probes, scan_positions
from crewe.sim.potential import Potential

__all__ = ["scan4d"]

CHUNK = 4 * 2**20  # bytes of a chunk of the store
BLOCK = 64 * 2**20  # bytes of a block, where transmission functions must be made again for each, or for a GPU


def scan4d(
    potential: Potential,
    *,
    energy: float,
    semiangle: float,
    positions: ArrayLike | None = None,
    scan: tuple[int, int] | None = None,
    aberrations: Aberrations | None = None,
    max_angle: float | None = None,
    bin: int = 1,
    soft: bool = True,
    tilt: tuple[float, float] = (0.0, 0.0),
    threads: int = 0,
    device: str = "cpu",
    memory: int = MEMORY,
    store: str | Path | None = None,
    client: Any = None,
    progress: bool = False,
) -> Any:
    """Diffraction patterns at all positions of a scan, averaged over configurations of moving atoms.

    Parameters
    ----------
    potential, energy, semiangle, aberrations, soft, tilt, threads, device, memory
        As for `cbed`.
    positions, scan
        As for `stem`.
    max_angle : float, optional
        Keep the pixels up to this angle along each axis [mrad].
    bin : int
        Add up so many pixels along each axis.
    store : path, optional
        Zarr array to be written, block by block. Blocks that it has already, from a run with the same arguments, are
        kept: a run that was stopped goes on where it was.
    client : dask.distributed.Client, optional
        Spreads blocks of positions; the result doesn't depend on the number of workers.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    ndarray or zarr.Array
        (sy, sx, ky, kx) float32 (float64 for a float64 potential), fraction of the incident beam per pixel, the zero
        frequency at (n//2, n//2); the opened Zarr array with `store`.

    Raises
    ------
    TypeError, ValueError
        Wrong arguments, named; a store that holds something else.
    ImportError
        `store` without zarr: pip install 'crewe[io]'.
    DeviceError
        A device that can't be used.

    Notes
    -----
    Memory: `memory` for transmission functions and waves, and one block of patterns beside the store.

    Examples
    --------
    >>> vacuum = Potential.from_array(np.zeros((1, 64, 64), np.float32), sampling=0.1, slice_thickness=2.0)
    >>> scan4d(vacuum, energy=200e3, semiangle=20.0, scan=(2, 3), max_angle=30.0).shape
    (2, 3, 15, 15)
    """
    probes = Probes.of(
        potential,
        energy=energy,
        semiangle=semiangle,
        aberrations=aberrations,
        soft=soft,
        tilt=tilt,
        threads=threads,
        memory=memory,
        device=device,
    )
    places, _ = scan_positions(potential, positions, scan)
    pattern = Pattern.of(potential, energy, max_angle, bin)
    flat = places.reshape(-1, 2)
    dtype = np.dtype(np.float64 if potential.dtype == np.float64 else np.float32)
    each = pattern.shape[0] * pattern.shape[1] * dtype.itemsize
    with Bar("scan4d", total=len(flat), unit="probes", show=progress) as bar:
        if store is not None:
            return _into_store(Path(store), probes, places, pattern, dtype, each, client, bar)
        out = np.empty((len(flat), *pattern.shape), dtype)
        size = len(flat) if client is None and not progress else max(1, BLOCK // each)
        blocks = [(start, flat[start : start + size]) for start in range(0, len(flat), size)]
        for start, patterns in pattern_blocks(client, probes, blocks, pattern):
            out[start : start + patterns.shape[1]] = patterns[0]
            bar.add(patterns.shape[1])
    return out.reshape(*places.shape[:-1], *pattern.shape)


def _into_store(
    path: Path,
    probes: Probes,
    places: NDArray[np.float64],
    pattern: Pattern,
    dtype: np.dtype[Any],
    each: int,
    client: Any,
    bar: Bar,
) -> Any:
    """Blocks are runs of chunks along the last axis of the scan; which are there stands in the array's attributes."""
    scan = places.shape[:-1] or (1,)
    run = max(1, min(scan[-1], CHUNK // each))
    array, finished = _open(path, probes, places, pattern, dtype, run)
    lines = places.reshape(-1, scan[-1], 2)
    chunks = [(line, start) for line in range(len(lines)) for start in range(0, lines.shape[1], run)]
    remade = probes.capacity() < len(probes.potential) * probes.configurations
    group = max(1, BLOCK // (each * run)) if remade or probes.device is not None else 1
    starts = [first for first in range(0, len(chunks), group) if not finished.issuperset(_group(chunks, first, group))]
    bar.add(sum(min(run, lines.shape[1] - chunks[c][1]) for c in finished))

    def blocks() -> Iterator[tuple[int, NDArray[np.float64]]]:
        for first in starts:
            parts = [lines[line, start : start + run] for line, start in chunks[first : first + group]]
            yield first, np.concatenate(parts)

    written = time.monotonic()
    try:
        for first, patterns in pattern_blocks(client, probes, list(blocks()), pattern):
            at = 0
            for number in _group(chunks, first, group):
                line, start = chunks[number]
                count = min(run, lines.shape[1] - start)
                part = patterns[0, at : at + count]
                if places.ndim == 1:
                    array[...] = part[0]
                else:
                    array[(*np.unravel_index(line, scan[:-1]), slice(start, start + count))] = part
                finished.add(number)
                at += count
            bar.add(at)
            if time.monotonic() - written > 1:
                array.attrs["finished"] = sorted(finished)
                written = time.monotonic()
    finally:
        array.attrs["finished"] = sorted(finished)
    return array


def _group(chunks: list[tuple[int, int]], first: int, group: int) -> range:
    return range(first, min(first + group, len(chunks)))


def _open(
    path: Path, probes: Probes, places: NDArray[np.float64], pattern: Pattern, dtype: np.dtype[Any], run: int
) -> tuple[Any, set[int]]:
    """The array at `path`, new or begun with the same arguments, and the numbers of its finished chunks."""
    try:
        import zarr
    except ImportError:
        raise ImportError("store: zarr is missing; pip install 'crewe[io]'") from None
    shape = (*places.shape[:-1], *pattern.shape)
    metadata = _metadata(probes, places, pattern)
    if path.exists():
        try:
            array = zarr.open_array(str(path), mode="r+")
        except Exception as error:
            raise ValueError(f"store: {path} exists and isn't a Zarr array ({error})") from None
        if array.shape != shape or array.attrs.get("digest") != metadata["digest"]:
            raise ValueError(f"store: {path} holds another scan; remove it or choose another path")
        finished: Any = array.attrs.get("finished", [])
        return array, {int(number) for number in finished}
    chunk = (*(1,) * (len(shape) - 3), run, *pattern.shape) if places.ndim > 1 else pattern.shape
    array = zarr.create_array(store=str(path), shape=shape, chunks=chunk, dtype=dtype, attributes=metadata)
    return array, set()


def _metadata(probes: Probes, places: NDArray[np.float64], pattern: Pattern) -> dict[str, Any]:
    potential = probes.potential
    bins = [max(1, int(np.count_nonzero(table == table[0]))) for table in (pattern.row, pattern.column)]
    step = [b * wavelength(probes.energy) / length * 1e3 for b, length in zip(bins, potential.extent, strict=True)]
    settings = {
        "energy_eV": probes.energy,
        "semiangle_mrad": probes.semiangle,
        "aberrations": {name: value for name, value in asdict(probes.aberrations).items() if value != 0},
        "soft": probes.soft,
        "tilt_mrad": [angle * 1e3 for angle in probes.tilt],
        "potential": repr(potential),
        "pixel_mrad": step,
    }
    key = blake2b(digest_size=16)
    key.update(json.dumps(settings, sort_keys=True).encode())
    key.update(np.ascontiguousarray(places).tobytes())
    key.update(pattern.row.tobytes() + pattern.column.tobytes())
    key.update(potential.fingerprint())
    return {"crewe": settings, "axes": ["y", "x", "ky", "kx"][-2 - (places.ndim - 1) :], "digest": key.hexdigest()}
