"""Training of a network: steps, checkpoints, validation. torch is imported when asked for.

A run is a folder: `checkpoint.pt` (network, optimiser, averaged weights, step), `log.csv` (a line per report),
`validation.png` (the same pictures every time). A run that was stopped goes on where its checkpoint is, with the same
data. What a run learns from, and by which losses, its recipe says (`train.restoration`, `train.atoms.run`,
`train.airpi.run`).
"""

import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crewe._array import cores
from crewe._png import png

__all__ = ["Recipe", "Report", "Run", "train"]

REPORT = 50  # steps from one report to the next


@dataclass(frozen=True)
class Recipe(ABC):
    """How a network is trained; a kind of network adds what it wants.

    Attributes
    ----------
    steps : int
        Where the learning rate has come down to a hundredth, along a cosine; may be changed on resuming.
    batch : int
        Pictures per step.
    rate : float
        Highest learning rate of AdamW, after 200 steps.
    average : float
        Decay of the exponential moving average of the weights, per step.
    precision : "bf16" or "f32"
        Of the convolutions; sums, losses and weights are float32.
    seed : int
    """

    #: Names of the network's inputs and outputs, channels of a picture, and what its sizes are multiples of.
    inputs: ClassVar[tuple[str, ...]]
    channels: ClassVar[int] = 1
    outputs: ClassVar[tuple[str, ...]]
    multiple: ClassVar[int] = 1
    #: What else the ONNX file says of itself.
    metadata: ClassVar[Mapping[str, str]] = {}

    steps: int = 30_000
    batch: int = 16
    rate: float = 1.5e-3
    average: float = 0.999
    precision: str = "bf16"
    seed: int = 0

    @abstractmethod
    def make(self) -> Any:
        """The network, untrained."""

    def examples(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Inputs float32 that the graph is made from, and others to check it with; the axes in which their sizes differ
        are free. By default pictures."""
        image = np.random.default_rng(0).standard_normal((1, self.channels, 144, 48), dtype=np.float32)
        return (np.zeros((2, self.channels, 64, 96), np.float32),), (image,)

    @abstractmethod
    def begin(self, device: str, shares: int) -> "Run":
        """A run at step 0; `shares` of a batch are worked on at a time."""


@dataclass(frozen=True)
class Report:
    """Where a run is: `step`, the mean losses since the last report, and the `figure` of the validation, if it was."""

    step: int
    losses: dict[str, float]
    figure: float | None


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
    run = recipe.begin(device, 1 if device == "cuda" else cores(threads))
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        run.load(checkpoint)
    saved, sums = time.monotonic(), dict[str, float]()
    for batch in run.batches():
        for name, value in run.advance(batch).items():
            sums[name] = sums.get(name, 0.0) + value
        if run.step % REPORT == 0 or run.step == recipe.steps:
            figure = None
            if time.monotonic() - saved > every or run.step == recipe.steps:
                run.save(checkpoint)
                figure, sheet = run.validate()
                (folder / "validation.png").write_bytes(png(sheet))
                saved = time.monotonic()
            report = Report(run.step, {name: value / REPORT for name, value in sums.items()}, figure)
            _note(folder / "log.csv", report)
            tell(report)
            sums = {}
        if run.step >= recipe.steps:
            break
    return checkpoint


def _note(path: Path, report: Report) -> None:
    if not path.exists():
        path.write_text(f"step,{','.join(report.losses)},figure\n", encoding="utf-8")
    figure = "" if report.figure is None else f"{report.figure:.3f}"
    with path.open("a", encoding="utf-8") as log:
        log.write(f"{report.step},{','.join(f'{v:.5f}' for v in report.losses.values())},{figure}\n")


class Run(ABC):
    """A network in training: `recipe`, `device`, `step`, `network`, and the mean of its weights, `averaged`."""

    def __init__(self, recipe: Recipe, device: str, shares: int) -> None:
        import torch

        torch.manual_seed(recipe.seed)
        self.recipe, self.device, self.step = recipe, device, 0
        self.shares, self.pool = shares, ThreadPoolExecutor(shares)
        self.network = recipe.make().to(device, memory_format=torch.channels_last)
        self.averaged = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=recipe.rate, weight_decay=1e-4)

    @abstractmethod
    def batches(self) -> Iterator[Sequence[Any]]:
        """The batches from this step on, each as float32 arrays whose first axis is that of the pictures."""

    @abstractmethod
    def losses(self, *batch: Any) -> dict[str, Any]:
        """What is made small is their sum; of the network in training, `batch` as tensors."""

    @abstractmethod
    def validate(self) -> tuple[float, Any]:
        """A figure of what the averaged weights are worth, and pictures, uint8."""

    def parts(self) -> dict[str, Any]:
        """What a checkpoint has beside the network, by name: whatever has `state_dict` and `load_state_dict`."""
        return {"optimiser": self.optimiser}

    def trained(self) -> Any:
        """A network with the averaged weights, as it is at work."""
        network = self.recipe.make()
        network.load_state_dict(self.averaged)
        return network.to(self.device).eval()

    def autocast(self) -> Any:
        """Within it convolutions have the recipe's precision."""
        import torch

        return torch.autocast(self.device, torch.bfloat16, enabled=self.recipe.precision == "bf16")

    def advance(self, batch: Sequence[Any]) -> dict[str, float]:
        """One step; the losses."""
        import torch

        recipe = self.recipe
        warm = min(1.0, (self.step + 1) / 200)
        rate = recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * min(self.step / recipe.steps, 1))) / 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        count = min(self.shares, len(batch[0]))
        shares = zip(*(np.array_split(a, count) for a in batch), strict=True)
        done = list(self.pool.map(self._gradients, shares))
        weights = [n / len(batch[0]) for n, _, _ in done]
        for parameter, *gradients in zip(self.network.parameters(), *(g for _, g, _ in done), strict=True):
            parameter.grad = torch.stack([w * g for w, g in zip(weights, gradients, strict=True)]).sum(0)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                mean = self.averaged[name]
                mean += (1 - decay) * (value - mean) if value.is_floating_point() else value - mean
        return {name: sum(w * p[name] for w, (_, _, p) in zip(weights, done, strict=True)) for name in done[0][2]}

    def _gradients(self, batch: Sequence[Any]) -> tuple[int, Any, dict[str, float]]:
        """Of a share of the batch: how many pictures, the gradients, the losses."""
        import torch

        tensors = (torch.from_numpy(a).to(self.device) for a in batch)
        losses = self.losses(*(t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t for t in tensors))
        total = torch.stack(list(losses.values())).sum()
        gradients = torch.autograd.grad(total, list(self.network.parameters()))
        told = {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in losses.items()}}
        return len(batch[0]), gradients, told

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        import torch

        state = {"recipe": asdict(self.recipe), "step": self.step}
        state |= {"network": self.network.state_dict(), "averaged": self.averaged}
        state |= {name: part.state_dict() for name, part in self.parts().items()}
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)  # a kill leaves the old one or the new one

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        import torch

        state = torch.load(path, map_location=self.device, weights_only=True)
        mine = self.recipe
        free = {"steps": mine.steps, "average": mine.average, "precision": mine.precision}
        if state["recipe"] | free != asdict(mine):
            raise ValueError(f"{path}: a run of {state['recipe']}, {asdict(mine)} wanted")
        self.network.load_state_dict(state["network"])
        self.averaged, self.step = state["averaged"], state["step"]
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
