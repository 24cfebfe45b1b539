"""Samples in a Zarr group, made once and read often; making them goes on where it was stopped.

`patterns` (n, 9, 64, 64) float16: √(fraction of the beam), 3 digits over 8 orders of magnitude; `waves` (n, 2, 64, 64)
float16: real and imaginary part; `optics` (n, k) float64: columns as `samples.OPTICS`. A chunk has 16 samples; the
attribute `finished` counts the chunks that are there.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._array import cores
from crewe.train.airpi.samples import CONFIGURATIONS, OPTICS, SIZE, Sample, sample

__all__ = ["CHUNK", "generate", "open_samples", "read"]

CHUNK = 16
VERSION = 1  # rises when the same seed gives other samples


def generate(
    path: Path,
    count: int,
    *,
    seed: int = 0,
    configurations: int = CONFIGURATIONS,
    threads: int = 0,
    device: str = "cpu",
    tell: Callable[[int], None] = lambda done: None,
) -> Any:
    """Write the samples 0 ... count − 1 of a seed, those that aren't there yet.

    Parameters
    ----------
    path : Path
        Of the Zarr group.
    count : int
        Of samples, rounded up to whole chunks of 16; may be larger than the time before.
    seed : int
    configurations : int
        Of moving atoms.
    threads : int
        Samples made at a time; 0: all cores. The samples are the same for every number.
    device : str
        "cpu", "cuda" or "cuda:1".
    tell : callable
        Called with the number of samples that are there.

    Returns
    -------
    zarr.Group

    Raises
    ------
    ImportError
        zarr or ase is not installed.
    ValueError
        There are samples of another seed, or something else, at `path`.
    """
    wanted = {"version": VERSION, "seed": seed, "configurations": configurations}
    group = _open(path, wanted)
    chunks = -(-count // CHUNK)
    for name, shape, dtype in _ARRAYS:
        if name not in group:
            group.create_array(name, shape=(0, *shape), chunks=(CHUNK, *shape), dtype=dtype)
        if group[name].shape[0] < chunks * CHUNK:
            group[name].resize((chunks * CHUNK, *shape))
    pool = ThreadPoolExecutor(cores(threads))
    try:
        for chunk in range(int(group.attrs["finished"]), chunks):
            numbers = range(chunk * CHUNK, (chunk + 1) * CHUNK)
            made = list(pool.map(lambda k: sample(seed, k, configurations=configurations, device=device), numbers))
            _write(group, chunk, made)
            group.attrs["finished"] = chunk + 1
            tell((chunk + 1) * CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)
    return group


def open_samples(path: Path) -> tuple[Any, int]:
    """The group at `path`, and how many samples are in it."""
    if not Path(path).exists():
        raise ValueError(f"{path}: samples wanted, there is nothing; `crewe train airpi-data` makes them")
    group = _open(path, None)
    return group, int(group.attrs["finished"]) * CHUNK


_ARRAYS: tuple[tuple[str, tuple[int, ...], str], ...] = (
    ("patterns", (9, SIZE, SIZE), "float16"),
    ("waves", (2, SIZE, SIZE), "float16"),
    ("optics", (len(OPTICS),), "float64"),
)


def _open(path: Path, wanted: dict[str, int] | None) -> Any:
    try:
        import zarr
    except ImportError:
        raise ImportError("samples are kept by zarr: pip install 'crewe[io]'") from None
    if not Path(path).exists():
        return zarr.create_group(str(path), attributes={**(wanted or {}), "finished": 0})
    try:
        group = zarr.open_group(str(path), mode="r+" if wanted else "r")
        found = {name: group.attrs[name] for name in ("version", "seed", "configurations")}
    except Exception as error:
        raise ValueError(f"{path}: no Zarr group of samples ({error})") from None
    if found["version"] != VERSION or (wanted and found != wanted):
        raise ValueError(f"{path}: samples with {wanted or {'version': VERSION}} wanted, those there have {found}")
    return group


def _write(group: Any, chunk: int, made: list[Sample]) -> None:
    where = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
    waves = np.stack([one.wave for one in made])
    group["patterns"][where] = np.sqrt(np.stack([one.patterns for one in made])).astype(np.float16)
    group["waves"][where] = np.stack([waves.real, waves.imag], axis=1).astype(np.float16)
    group["optics"][where] = np.stack([one.optics for one in made])


def read(group: Any, numbers: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32], Any]:
    """Patterns, waves and optics of some samples, float32 and float64."""
    amplitudes = group["patterns"].oindex[numbers].astype(np.float32)
    return amplitudes**2, group["waves"].oindex[numbers].astype(np.float32), group["optics"].oindex[numbers]
