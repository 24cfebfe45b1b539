"""Images of atoms: the radial model of every element, and what is done to contrast."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import Seed, as_int, as_positive, as_reals, as_rng, as_shape, as_threads
from crewe._device import Array, as_device, extension, view
from crewe.specimen.elements import LAST, radii

__all__ = ["contrast", "random_model", "render"]

Image = NDArray[np.float32]
Model = Mapping[int, Sequence[float]]


def random_model(numbers: Sequence[int], *, seed: Seed) -> dict[int, tuple[float, float, float, float, float]]:
    """A radial model (h1, h2, h3, n, radius [Å]) for each of the given elements.

    Radii follow those of the atoms, bent by a random power that keeps their mean and spread over all elements;
    integrated intensities follow Z^γ, 1 <= γ <= 2, exactly.

    Parameters
    ----------
    numbers : sequence of int
        Atomic numbers, 1..103.
    seed : int or numpy.random.Generator
        The same seed gives the same model.

    Returns
    -------
    dict
        Atomic number → (h1, h2, h3, n, radius).

    Raises
    ------
    TypeError, ValueError
        What is no atomic number, or no seed.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 16 and 18-22.

    Examples
    --------
    >>> sorted(random_model([8, 38], seed=0))
    [8, 38]
    """
    if not isinstance(numbers, Sequence | np.ndarray):
        raise TypeError(f"numbers: a sequence of ints wanted, {type(numbers).__name__} came")
    numbers = [as_int(number, "numbers", 1, LAST) for number in numbers]
    rng = as_rng(seed)
    size = radii()
    bent = size ** rng.uniform(0.75, 1.25)
    slope = size.std() / bent.std()
    fitted = np.maximum(slope * bent + size.mean() - slope * bent.mean(), 0.1)
    power = rng.uniform(1, 2)
    model = {}
    for number in numbers:
        h, n, radius = rng.uniform(0.5, 1, 3), rng.uniform(4, 16), fitted[number - 1]
        whole = 2 * math.pi * radius**2 * (h[0] + h[1] + h[2] * (math.pi / 2 / n) / math.sin(math.pi / n))
        h *= (number / LAST) ** power / whole
        model[number] = (float(h[0]), float(h[1]), float(h[2]), float(n), float(radius))
    return model


def render(
    atoms: Any, *, shape: tuple[int, int], pixel_size: float, model: Model, threads: int = 0, device: str = "cpu"
) -> Image:
    """The sum of radial profiles of all atoms, seen along z.

    f(r) = h1·exp(−t²/2) + h2·exp(−t) + h3/(1 + t^2n), t = r/radius.

    Parameters
    ----------
    atoms : object
        Anything with `numbers` (m,) and `positions` (m, 3) as (x, y, z) [Å], for example ase.Atoms or `Specimen.atoms`.
        (0, 0) is the centre of the first pixel, x runs along the columns.
    shape : (int, int)
        (y, x) [pixels].
    pixel_size : float
        [Å], > 0.
    model : mapping
        Z → (h1, h2, h3, n, radius [Å]).
    threads : int
        0: all cores; the result has the same bits for every number.
    device : str
        ``"cpu"``, or a GPU: ``"cuda"``, ``"cuda:1"``, where atoms are added one by one, however many there are.

    Returns
    -------
    ndarray (y, x) float32
        Not scaled; a `crewe.cuda.Array` on a GPU.

    Raises
    ------
    ValueError
        An element without a profile, a profile, shape or pixel size out of range, places that aren't finite.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eq. 16.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> atom = SimpleNamespace(numbers=[14], positions=[[1.0, 0.5, 0.0]])
    >>> render(atom, shape=(3, 4), pixel_size=0.5, model={14: (1.0, 0.0, 0.0, 4.0, 0.3)}).round(2)
    array([[0.  , 0.06, 0.25, 0.06],
           [0.  , 0.25, 1.  , 0.25],
           [0.  , 0.06, 0.25, 0.06]], dtype=float32)
    """
    size, pixel_size = as_shape(shape), as_positive(pixel_size, "pixel_size", "Å")
    if not (hasattr(atoms, "numbers") and hasattr(atoms, "positions")):
        raise TypeError(f"atoms: something with numbers and positions wanted, {type(atoms).__name__} came")
    if not isinstance(model, Mapping):
        raise TypeError(f"model: a mapping of elements to profiles wanted, {type(model).__name__} came")
    numbers, positions = np.asarray(atoms.numbers), as_reals(atoms.positions, "atoms")
    if numbers.ndim != 1 or positions.shape != (numbers.size, 3):
        raise ValueError(f"atoms: positions (n, 3) for numbers (n,) wanted, {positions.shape}, {numbers.shape} came")
    found, kind = np.unique(numbers, return_inverse=True)
    missing = [int(z) for z in found if int(z) not in model]
    if missing:
        raise ValueError(f"model: profiles for all elements wanted, none came for Z = {missing}")
    profiles = np.array(as_reals([model[int(z)] for z in found], "model")).reshape(-1, 5)
    if (profiles[:, 3:] <= 0).any():
        raise ValueError("model: (h1, h2, h3, n, radius) with n, radius > 0 wanted")
    profiles[:, 4] /= pixel_size
    places = np.ascontiguousarray(positions[:, 1::-1]) / pixel_size
    gpu = as_device(device)
    if gpu is not None:
        there: Any = Array(size, np.float32, gpu)
        extension().specimen_render(places, kind.astype(np.uint32), profiles, view(there, "out"))
        image: Image = there
        return image
    out = np.empty(size, np.float32)
    _core.specimen_render(places, kind.astype(np.uint32), profiles, out, threads=as_threads(threads))
    return out


def contrast(rng: np.random.Generator, image: Image) -> tuple[Image, dict[str, Any]] | None:
    """Invert, bend, put a background under and limit the contrast of an image >= 0; None for one without contrast.

    Inversion, a power 0.5..1.5 and a background each with probability 0.5; then std/mean within 0.01..0.35 and a
    maximum of 1. Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10, eqs. 23-26.
    """
    top = float(image.max())
    inverted, bent, background = (bool(v) for v in rng.random(3) < 0.5)
    power, flat = float(rng.uniform(0.5, 1.5)), bool(rng.random() < 0.5)
    if not (math.isfinite(top) and top > 0) or float(image.std()) < 1e-4 * top:
        return None
    y = np.maximum(image / np.float32(top), 0)
    if inverted:
        y = 1 - y
    if bent:
        y **= np.float32(power)
    if background:
        y += _background(rng, y.shape, flat)
    mean, std = float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64))
    wanted = float(rng.uniform(0.01, 0.35))
    if std > 0.35 * mean:
        y += np.float32(std / wanted - mean)
    elif std < 0.01 * mean:
        # About the mean, as far as nothing falls below zero.
        most = mean / max(mean - float(y.min()), 1e-12)
        factor = min(wanted * mean / std, most)
        y = np.maximum(np.float32(mean) + np.float32(factor) * (y - np.float32(mean)), 0)
    y /= y.max()
    ratio = float(y.std(dtype=np.float64) / y.mean(dtype=np.float64))
    if not 0.0099 < ratio < 0.3501:
        return None
    facts: dict[str, Any] = {"inverted": inverted, "power": power if bent else None}
    facts["background"] = ("plane" if flat else "gaussian") if background else None
    return y, facts


def _background(rng: np.random.Generator, shape: tuple[int, ...], flat: bool) -> Image:
    """A plane or a wide Gaussian, half of the picture's maximum high at most."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    height = rng.uniform(0, 0.5)
    if flat:
        angle = rng.uniform(0, 2 * np.pi)
        plane = math.sin(angle) * y + math.cos(angle) * x
        plane -= plane.min()
        ground: Image = (plane * np.float32(height / max(float(plane.max()), 1e-6))).astype(np.float32)
        return ground
    width = rng.uniform(0.2, 0.6) * min(shape)
    cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
    hill: Image = (height * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))).astype(np.float32)
    return hill
