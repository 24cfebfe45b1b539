"""A run that trains AtomID-net: what it learns from, its losses, how good it is on pictures that it never saw.

    L = 100·⟨w·(map − target)²⟩ + 0.3·(near + any)
    near, any = ⟨½·((ln s − ln ŝ)/σ)² + ln σ⟩     of the pictures with a map, and of those of any scale

⟨⟩ is the mean over pixels and pictures. The published loss is λ/2·(sum over pixels) + ½·(s − ŝ)² with λ = 0.1; ln s
with an error of its own lets 7 and 80 pixels count alike, and tells at work which of several looks at an image to
believe. Source: Yan, MPhil thesis (PolyU), eq. 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from crewe import _core
from crewe._color import picture
from crewe.atoms import score
from crewe.train.atoms.batches import SPACING, Batch, batch, batches
from crewe.train.loop import Recipe, Run

__all__ = ["AtomRecipe"]


@dataclass(frozen=True)
class AtomRecipe(Recipe):
    """How AtomID-net is trained: `base` channels, `depth` halvings, `batch` pictures of size×size pixels and half as
    many of any scale; the rest as in `Recipe`."""

    inputs, channels, outputs, multiple = ("views",), 3, ("map", "spacing"), 16

    steps: int = 3800
    rate: float = 3e-3
    average: float = 0.998
    base: int = 8
    depth: int = 4
    size: int = 128

    def make(self) -> Any:
        from crewe.train.atoms.network import AtomID

        return AtomID(self.base, self.depth)

    def begin(self, device: str, shares: int) -> Run:
        return _AtomRun(self, device, 1)  # batch norm wants the whole batch


class _AtomRun(Run):
    recipe: AtomRecipe

    def batches(self) -> Iterator[Batch]:
        recipe, early = self.recipe, 2 * self.recipe.steps // 3
        if self.step < early:
            small = batches(recipe.seed, self.step, count=recipe.batch, size=recipe.size)
            while self.step < early:
                yield next(small)
        yield from batches(recipe.seed, self.step, count=max(recipe.batch // 2, 2), size=3 * recipe.size // 2)

    def losses(self, *batch: Any) -> dict[str, Any]:
        images, maps, weights, spacings, others, other_spacings = batch
        with self.autocast():
            found, near = self.network(images)
            _, anywhere = self.network.encode(others)
        error = 100 * (weights * (found.float() - maps) ** 2).mean()
        return {"map": error, "near": 0.3 * _doubt(near, spacings), "any": 0.3 * _doubt(anywhere, other_spacings)}

    def validate(self) -> tuple[float, Any]:
        """Mean F1 of columns at a confidence of 0.3, and pictures: image, map, target."""
        import torch

        network = self.trained()
        known = batch(0, 0, count=24, size=128, stream=1)
        with torch.no_grad():
            maps = network(torch.from_numpy(known.images).to(self.device))[0].cpu().numpy()
        scores, rows = [], []
        for image, found, target in zip(known.images[:, 0], maps[:, 0], known.maps[:, 0], strict=True):
            points, truth = (
                _core.atoms_peaks(a, reach=1, lower=low)[:, :2] for a, low in ((found, 0.3), (target, 0.6))
            )
            if len(truth):
                scores.append(score(points, truth, tolerance=0.3 * SPACING).f1)
            rows.append(np.hstack([picture(a) for a in (image, found, target)]))
        return float(np.mean(scores)), np.vstack([np.hstack(rows[k : k + 3]) for k in range(0, len(rows), 3)])


def _doubt(told: Any, spacings: Any) -> Any:
    """The negative logarithm of a normal distribution's density, less a constant."""
    spread = told[:, 1].float().clamp(-4, 2)
    apart = (told[:, 0].float() - spacings) * (-spread).exp()
    return (0.5 * apart.clamp(-20, 20) ** 2 + spread).mean()
