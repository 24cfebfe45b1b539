"""Training of the restoration network: steps, checkpoints, validation. torch is imported when asked for.

A run is a folder: `checkpoint.pt` (networks, optimisers, averaged weights, step), `log.csv` (a line per report),
`validation.png` (the same pairs every time: distorted, restored, undistorted). A run that was stopped goes on where its
checkpoint is, with the same data.
"""

import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crewe._color import picture
from crewe._png import png
from crewe.train.restore import Patches, validation

__all__ = ["Recipe", "Report", "train"]

REPORT = 50  # steps between reports


@dataclass(frozen=True)
class Recipe:
    """How a restoration network is trained.

    Attributes
    ----------
    mode : str
        As in `specimen.pairs`.
    network : "light" or "full"
    steps : int
        Where the learning rate has come down to a hundredth, along a cosine; may be changed on resuming.
    batch : int
        Patches of 64×64 pixels; the last third of the steps has patches of 96×96, half as many.
    rate : float
        Highest learning rate of AdamW, after 200 steps.
    adversarial : float
        Weight of the adversarial loss; 0: no discriminator.
    average : float
        Decay of the exponential moving average of the weights, per step.
    precision : "bf16" or "f32"
        Of the convolutions; sums, losses and weights are float32.
    seed : int
    """

    mode: str = "stem-hr"
    network: str = "light"
    steps: int = 15_000
    batch: int = 16
    rate: float = 1e-3
    adversarial: float = 0.0
    average: float = 0.999
    precision: str = "bf16"
    seed: int = 0


@dataclass(frozen=True)
class Report:
    """Where a run is: `step`, the mean losses since the last report, and the gain over the distorted image [dB]."""

    step: int
    losses: dict[str, float]
    gain: float | None


def train(
    folder: Path,
    recipe: Recipe,
    *,
    device: str = "cpu",
    threads: int = 0,
    every: float = 120.0,
    tell: Callable[[Report], None] = lambda report: None,
) -> Path:
    """Train until `recipe.steps`, and leave a checkpoint at least every `every` seconds.

    Parameters
    ----------
    folder : Path
        Of the run; one with a checkpoint is taken up where it was left. Of the recipe only `steps`, `average` and
        `precision` may differ then.
    recipe : Recipe
    device : "cpu" or "cuda"
    threads : int
        Each takes a share of the batch, through the same weights: torch's own threads wait for each other at every
        layer, which costs ten times the time on a machine that others use too. 0: all cores.
    every : float
        [s]
    tell : callable
        Called with a `Report` every `REPORT` steps.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    ImportError
        torch is not installed.
    ValueError
        The folder holds a run of another recipe.
    """
    try:
        import torch
    except ImportError:
        raise ImportError("crewe.train wants torch: pip install 'crewe[train]'") from None
    if device == "cpu":
        torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(recipe, device, 1 if device == "cuda" else threads or os.cpu_count() or 1)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    data = Patches(recipe.mode, seed=recipe.seed)
    saved, sums = time.monotonic(), dict[str, float]()
    batches, size = None, 0
    while run.step < recipe.steps:
        count, wanted = _sizes(recipe, run.step)
        if batches is None or wanted != size:
            batches, size = data.batches(run.step, count=count, size=wanted), wanted
        for name, value in run.advance(*next(batches)).items():
            sums[name] = sums.get(name, 0.0) + value
        if run.step % REPORT == 0 or run.step == recipe.steps:
            late = time.monotonic() - saved > every or run.step == recipe.steps
            gain = None
            if late:
                run.save(checkpoint)
                gain, sheet = run.validate()
                (folder / "validation.png").write_bytes(png(sheet))
                saved = time.monotonic()
            report = Report(run.step, {name: value / REPORT for name, value in sums.items()}, gain)
            _note(folder / "log.csv", report)
            tell(report)
            sums = {}
    return checkpoint


def _sizes(recipe: Recipe, step: int) -> tuple[int, int]:
    return (recipe.batch, 64) if step < 2 * recipe.steps // 3 else (max(recipe.batch // 2, 1), 96)


def _note(path: Path, report: Report) -> None:
    if not path.exists():
        path.write_text(f"step,{','.join(report.losses)},gain\n", encoding="utf-8")
    gain = "" if report.gain is None else f"{report.gain:.3f}"
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{report.step},{','.join(f'{v:.5f}' for v in report.losses.values())},{gain}\n")


class _Run:
    def __init__(self, recipe: Recipe, device: str, shares: int) -> None:
        import torch

        from crewe.train import networks

        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        # The relativistic loss compares with the mean of the batch: that one stays whole.
        self.shares = 1 if recipe.adversarial else shares
        self.pool = ThreadPoolExecutor(self.shares)
        size = {"light": networks.LIGHT, "full": networks.FULL}[recipe.network]
        self.network = networks.Restorer(size).to(device, memory_format=torch.channels_last)
        self.averaged = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=recipe.rate, weight_decay=1e-4)
        self.judge = self.judging = None
        if recipe.adversarial:
            self.judge = networks.Discriminator().to(device)
            self.judging = torch.optim.AdamW(self.judge.parameters(), lr=recipe.rate / 4)

    def advance(self, distorted: Any, undistorted: Any) -> dict[str, float]:
        """One step; the losses."""
        import torch

        recipe = self.recipe
        warm = min(1.0, (self.step + 1) / 200)
        rate = recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * min(self.step / recipe.steps, 1))) / 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        parts = min(self.shares, len(distorted))
        shares = zip(*(np.array_split(a, parts) for a in (distorted, undistorted)), strict=True)
        done = list(self.pool.map(lambda pair: self._gradients(*pair), shares))
        weights = [count / len(distorted) for count, _, _ in done]
        for parameter, *gradients in zip(self.network.parameters(), *(g for _, g, _ in done), strict=True):
            parameter.grad = torch.stack([w * g for w, g in zip(weights, gradients, strict=True)]).sum(0)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.averaged[name].lerp_(value, 1 - decay)
        return {name: sum(w * p[name] for w, (_, _, p) in zip(weights, done, strict=True)) for name in done[0][2]}

    def _gradients(self, distorted: Any, undistorted: Any) -> tuple[int, Any, dict[str, float]]:
        """Of a share of the batch: how many images, the gradients of the generator, the losses."""
        import torch

        from crewe.train import losses

        recipe = self.recipe
        x, y = (
            torch.from_numpy(a).to(self.device, memory_format=torch.channels_last) for a in (distorted, undistorted)
        )
        with torch.autocast(self.device, torch.bfloat16, enabled=recipe.precision == "bf16"):
            restored = self.network(x)
        restored = restored.float()
        parts = losses.restoration(restored, y)
        if self.judge is not None and self.judging is not None:
            shown = x + 0.1 * torch.randn_like(x) if self.step % 2 else x
            apart = losses.told_apart(self.judge(shown, y), self.judge(shown, restored.detach()))
            self.judging.zero_grad(set_to_none=True)
            apart.backward()
            self.judging.step()
            parts["adversarial"] = recipe.adversarial * losses.fooled(self.judge(shown, y), self.judge(shown, restored))
        total = torch.stack(list(parts.values())).sum()
        gradients = torch.autograd.grad(total, list(self.network.parameters()))
        told = {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in parts.items()}}
        return len(x), gradients, told

    def validate(self) -> tuple[float, Any]:
        """Mean gain in PSNR [dB] of the averaged weights, and pictures."""
        import torch

        from crewe.train import networks

        network = networks.Restorer(self.network.size).to(self.device)
        network.load_state_dict(self.averaged)
        gains, rows = [], []
        for x, y in validation(self.recipe.mode):
            with torch.no_grad():
                g = network(torch.from_numpy(x[None, None]).to(self.device)).cpu().numpy()[0, 0]
            gains.append(10 * math.log10(float(np.mean((x - y) ** 2) / np.mean((g - y) ** 2))))
            rows.append(np.hstack([picture(a) for a in (x, g, y)]))
        return float(np.mean(gains)), np.vstack([np.hstack(rows[k : k + 3]) for k in range(0, len(rows), 3)])

    def save(self, path: Path) -> None:
        import torch

        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
        }
        if self.judge is not None and self.judging is not None:
            state |= {"judge": self.judge.state_dict(), "judging": self.judging.state_dict()}
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)  # a kill leaves the old one or the new one

    def load(self, path: Path) -> None:
        import torch

        state = torch.load(path, map_location=self.device, weights_only=True)
        mine = self.recipe
        changed = replace(Recipe(**state["recipe"]), steps=mine.steps, average=mine.average, precision=mine.precision)
        if changed != mine:
            raise ValueError(f"{path}: a run of {state['recipe']}, {asdict(mine)} wanted")
        self.network.load_state_dict(state["network"])
        self.averaged = state["averaged"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        if self.judge is not None and self.judging is not None:
            self.judge.load_state_dict(state["judge"])
            self.judging.load_state_dict(state["judging"])
