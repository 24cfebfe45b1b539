"""Random settings of the chains, from the published ranges and probabilities."""

import math
from typing import Any

import numpy as np

from crewe._array import Seed, as_choice, as_seed, as_shape

__all__ = ["random_settings"]


def random_settings(kind: str, *, seed: Seed, shape: tuple[int, int] = (512, 512)) -> dict[str, Any]:
    """Arguments of a chain as they are drawn for training.

    Doses are half from the published law (0.5 + 749.5·t, t exponential of scale 0.5, t <= 1) and half log-uniform from
    0.05 to 750 electrons per pixel: the law alone gives less than 5 electrons to 1.4 % of the images. Jitter has the
    published probability (0.9; x, y, both: 0.25, 0.25, 0.5) and ranges; the ranges of stages on which the paper is
    silent are ours.

    Parameters
    ----------
    kind : "stem", "sem" or "tem"
    seed : int or numpy.random.Generator
    shape : (int, int)
        Of the image (y, x) [pixels]: what the numbers of black pixels and zingers grow with.

    Returns
    -------
    dict
        Keyword arguments of the chain, without `seed`, `sensor` and `pixel_size`; the jitter's sigma is in Å.

    Raises
    ------
    ValueError
        An unknown kind.

    References
    ----------
    Lobato, Friedrich, Van Aert, npj Comput. Mater. 10 (2024) 10.

    Examples
    --------
    >>> sorted(random_settings("sem", seed=1))[:4]
    ['bits', 'clip', 'detector', 'electrons_per_pixel']
    """
    as_choice(kind, "kind", ("stem", "sem", "tem"))
    rng = np.random.default_rng(as_seed(seed))
    pixels = math.prod(as_shape(shape))
    settings: dict[str, Any] = {"electrons_per_pixel": _dose(rng)}
    settings.update(_camera(rng) if kind == "tem" else _scan(rng))
    if kind != "sem":
        steps = 20 if kind == "tem" else 0
        count = min(50, max(1, int(rng.poisson(1e-4 * pixels))))
        settings["black"] = _sometimes(rng, 0.1, {"count": count, "steps": steps, "level": (0.0, 0.4)})
    spots = {"count": max(1, int(rng.poisson(2e-5 * pixels))), "steps": 12 if kind == "tem" else 0, "gain": (3.0, 30.0)}
    settings["zingers"] = _sometimes(rng, 0.1, spots)
    settings["clip"] = _sometimes(rng, 0.1, {"quantile": float(rng.uniform(0.97, 1))})
    bits = int(rng.choice([8, 10, 12, 14, 16]))
    settings["bits"] = _sometimes(rng, 0.9, bits)
    return settings


def _sometimes(rng: np.random.Generator, probability: float, value: Any) -> Any:
    return value if rng.random() < probability else None


def _dose(rng: np.random.Generator) -> float:
    t = -0.5 * math.log1p(-rng.random() * -math.expm1(-2))
    spread = 0.05 * (750 / 0.05) ** rng.random()
    return float(0.5 + 749.5 * t if rng.random() < 0.5 else spread)


def _scan(rng: np.random.Generator) -> dict[str, Any]:
    which = rng.random()
    on = (which >= 0.25, which < 0.25 or which >= 0.5)  # x alone, y alone, both
    sigma = tuple(float(v) if k else 0.0 for v, k in zip(rng.uniform(0.0025, 0.8, 2), on, strict=True))
    phi = tuple(float(v) if k else 0.0 for v, k in zip(rng.uniform(0, 0.7, 2), on, strict=True))
    smear = {
        "alpha": float(rng.uniform(0.3, 8)),
        "beta": float(rng.uniform(0.3, 2)),
        "gamma": float(rng.uniform(5, 25)),
        "theta": float(rng.uniform(0.6, math.pi / 2)),
    }
    return {
        "jitter": _sometimes(rng, 0.9, {"sigma": sigma, "phi": phi}),
        "detector": {"width": float(rng.uniform(0.1, 0.5)), "pedestal": float(rng.uniform(0, 0.15))},
        "fast_scan": _sometimes(rng, 0.6, smear),
        "row_lines": _sometimes(
            rng, 0.1, {"count": int(rng.integers(1, 7)), "length": (0.02, 0.5), "factor": (0.5, 1.5)}
        ),
    }


def _camera(rng: np.random.Generator) -> dict[str, Any]:
    while True:  # about half of all a > 1 give a curve that is positive and decreasing
        a, b, c = float(rng.uniform(0.3, 1.3)), float(rng.uniform(0.15, 0.9)), float(rng.uniform(0.15, 0.9))
        if a <= 1 or b * math.sqrt((a - 1) / a) <= c <= b:
            break
    mean = float(rng.uniform(0, 5))
    dark = {"mean": mean, "std": mean * float(rng.uniform(0.1, 0.5)), "hot": float(rng.uniform(0, 1e-3))}
    return {
        "mtf": {"a": a, "b": b, "c": c},
        "fixed_pattern": _sometimes(rng, 0.8, {"sigma": float(rng.uniform(0.002, 0.02))}),
        "dark_current": _sometimes(rng, 0.8, dark),
        "thermal": {"sigma": float(rng.uniform(0, 3))},
        "flicker": _sometimes(rng, 0.3, {"sigma": float(rng.uniform(0, 2))}),
        "reset": _sometimes(rng, 0.3, {"sigma": float(rng.uniform(0, 2))}),
    }
