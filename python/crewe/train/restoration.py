"""A run that trains a restoration network: patches of random scenes, their losses, the gain on pictures never seen."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crewe._color import picture
from crewe.models.registry import content, info
from crewe.train.loop import Recipe, Run
from crewe.train.restore import Patches, validation

__all__ = ["RestoreRecipe", "weights"]


@dataclass(frozen=True)
class RestoreRecipe(Recipe):
    """How a restoration network is trained: what `Recipe` has, and

    Attributes
    ----------
    mode : str
        As in `specimen.pairs`.
    network : "light" or "full"
    start : str
        A model of the package with a network of the same size, whose weights it begins with; "": random ones.
    batch : int
        Patches of 64×64 pixels; the last third of the steps has patches of 96×96, half as many.
    adversarial : float
        Weight of the adversarial loss; 0: no discriminator.
    """

    inputs, outputs, multiple = ("distorted",), ("restored",), 2

    mode: str = "stem-hr"
    network: str = "light"
    start: str = ""
    adversarial: float = 0.0

    def make(self) -> Any:
        from crewe.train import networks

        return networks.Restorer({"light": networks.LIGHT, "full": networks.FULL}[self.network])

    def begin(self, device: str, shares: int) -> Run:
        return _RestoreRun(self, device, shares)


class _RestoreRun(Run):
    recipe: RestoreRecipe

    def __init__(self, recipe: RestoreRecipe, device: str, shares: int) -> None:
        import torch

        from crewe.train import networks

        # The relativistic loss compares with the mean of the batch: that one stays whole.
        super().__init__(recipe, device, 1 if recipe.adversarial else shares)
        if recipe.start:
            self.network.load_state_dict(weights(recipe.start))
            self.averaged = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.judge = self.judging = None
        if recipe.adversarial:
            self.judge = networks.Discriminator().to(device)
            self.judging = torch.optim.AdamW(self.judge.parameters(), lr=recipe.rate / 4)

    def parts(self) -> dict[str, Any]:
        judges = {} if self.judge is None else {"judge": self.judge, "judging": self.judging}
        return super().parts() | judges

    def batches(self) -> Iterator[Sequence[Any]]:
        data, recipe = Patches(self.recipe.mode, seed=self.recipe.seed), self.recipe
        early = 2 * recipe.steps // 3
        if self.step < early:
            small = data.batches(self.step, count=recipe.batch, size=64)
            while self.step < early:
                yield next(small)
        yield from data.batches(self.step, count=max(recipe.batch // 2, 1), size=96)

    def losses(self, distorted: Any, undistorted: Any) -> dict[str, Any]:
        import torch

        from crewe.train import losses

        with self.autocast():
            restored = self.network(distorted)
        restored = restored.float()
        parts = losses.restoration(restored, undistorted)
        if self.judge is not None and self.judging is not None:
            shown = distorted + 0.1 * torch.randn_like(distorted) if self.step % 2 else distorted
            apart = losses.told_apart(self.judge(shown, undistorted), self.judge(shown, restored.detach()))
            self.judging.zero_grad(set_to_none=True)
            apart.backward()
            self.judging.step()
            fooled = losses.fooled(self.judge(shown, undistorted), self.judge(shown, restored))
            parts["adversarial"] = self.recipe.adversarial * fooled
        return parts

    def validate(self) -> tuple[float, Any]:
        """Mean gain in PSNR [dB] over the distorted image, and pictures."""
        import torch

        network = self.trained()
        gains, rows = [], []
        for x, y in validation(self.recipe.mode):
            with torch.no_grad():
                g = network(torch.from_numpy(x[None, None]).to(self.device)).cpu().numpy()[0, 0]
            gains.append(10 * math.log10(float(np.mean((x - y) ** 2) / np.mean((g - y) ** 2))))
            rows.append(np.hstack([picture(a) for a in (x, g, y)]))
        return float(np.mean(gains)), np.vstack([np.hstack(rows[k : k + 3]) for k in range(0, len(rows), 3)])


def weights(name: str) -> dict[str, Any]:
    """The weights of a model of the package, as tensors by name.

    Raises
    ------
    ModelError
        There is no such model, or its file is not the one that the registry means.
    ImportError
        onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("onnx is wanted: pip install 'crewe[train]'") from None
    import torch

    graph = onnx.load_from_string(content(info(name))).graph
    return {one.name: torch.from_numpy(onnx.numpy_helper.to_array(one).copy()) for one in graph.initializer}
