"""A run that trains AIRPI's network: stored samples with fresh noise, turned and mirrored, and how well the phase of
samples that it never saw correlates with the truth.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._color import picture
from crewe.imaging.exit_waves import probe_wave
from crewe.train.airpi.samples import FILL, LENGTH, OPTICS, SIZE, scan_of
from crewe.train.airpi.store import CHUNK, open_samples, read
from crewe.train.loop import Recipe, Run

__all__ = ["AirpiRecipe", "options"]

Batch = tuple[NDArray[np.float32], ...]

DOSES = 3.0, 3e9  # electrons per pattern; the logarithm is that of the first by u^1.5: half of them below 5000
#: Of losses other than 1. Far from the probe nothing is asked of the network later; few steps are spent on what is.
WEIGHTS = {"phase_k": 0.1, "object": 3.0}
HELD_BACK = 64  # samples for the validation, the first ones
FOCUS = 3.0  # times its weight counts `object` at the end
SHOWN = (20.0, 200.0, 1e6)  # electrons per pattern of the validation: 500, 5000 e/Å² and hardly any noise at 0.2 Å


def options() -> dict[str, Any]:
    """What stands in the registry as a model's options: for `imaging.airpi`."""
    return {"size": SIZE, "length": list(LENGTH), "fill": list(FILL)}


@dataclass(frozen=True)
class AirpiRecipe(Recipe):
    """How AIRPI's network is trained: what `Recipe` has, and

    Attributes
    ----------
    samples : str
        Path of the Zarr group of `store.generate`.
    network : "light" or "full"
    focus : float
        The last part of the steps, in which `object` counts threefold.
    """

    inputs, outputs = ("patterns", "probe", "step", "pitch"), ("waves",)
    metadata = {  # noqa: RUF012
        "patterns": "(n, 9, 64, 64), any unit, rows before columns, zero frequency at 32; in the graph: divided by "
        "their mean, times zeta = min(1, 1/(50 Å⁻¹·distance)), to the power 0.1, z-score, in this order",
        "probe": "(1, 2, 64, 64), amplitude (sum of squares 1) and phase [rad], place of the probe at 32",
        "step": "(1,) [Å]",
        "pitch": "(1,) the step in pixels of the probe",
        "waves": "(n, 2, 64, 64), real and imaginary part of the wave behind the specimen",
    }

    steps: int = 4200
    batch: int = 32
    average: float = 0.998
    samples: str = "airpi-samples.zarr"
    network: str = "light"
    focus: float = 0.15

    def make(self) -> Any:
        from crewe.train.airpi.network import CHANNELS, ExitWaves

        return ExitWaves(CHANNELS[self.network])

    def begin(self, device: str, shares: int) -> Run:
        return _AirpiRun(self, device, 1)  # batch norm wants the whole batch

    def examples(self) -> tuple[Batch, Batch]:
        rng = np.random.default_rng(0)
        patterns = (rng.random((count, 9, SIZE, SIZE), np.float32) for count in (2, 3))
        probe, step = rng.random((1, 2, SIZE, SIZE), np.float32), np.full(1, 0.3, np.float32)
        first, second = ((one, probe, step, 4 * step) for one in patterns)
        return first, second


class _AirpiRun(Run):
    recipe: AirpiRecipe

    def __init__(self, recipe: AirpiRecipe, device: str, shares: int) -> None:
        super().__init__(recipe, device, shares)
        self.group, count = open_samples(Path(recipe.samples))
        if count < HELD_BACK + recipe.batch:
            raise ValueError(f"samples: at least {HELD_BACK + recipe.batch} wanted, {recipe.samples} has {count}")
        self.count = count

    def batches(self) -> Iterator[Sequence[Any]]:
        with ThreadPoolExecutor(1) as pool:
            step = self.step
            ahead = pool.submit(self._batch, step)
            while True:
                ready = ahead.result()
                step += 1
                ahead = pool.submit(self._batch, step)
                yield ready

    def _batch(self, step: int) -> Batch:
        rng = np.random.default_rng([self.recipe.seed, step])
        chunks = rng.choice(np.arange(HELD_BACK, self.count, CHUNK), -(-self.recipe.batch // CHUNK), replace=False)
        numbers = (chunks[:, None] + np.arange(CHUNK)).ravel()  # whole chunks: reading one sample costs as much
        numbers = rng.permutation(numbers)[: self.recipe.batch]
        patterns, probes, waves, *steps = load(self.group, numbers)
        doses = DOSES[0] * (DOSES[1] / DOSES[0]) ** (rng.random(len(numbers)) ** 1.5)
        patterns, probes, waves = turned(rng.integers(8, size=len(numbers)), patterns, probes, waves)
        return patterns, probes, waves, *steps, doses.astype(np.float32)

    def losses(self, *batch: Any) -> dict[str, Any]:
        import torch

        from crewe.train.airpi import losses

        patterns, probes, waves, steps, pitches, doses = batch
        chance = torch.Generator(self.device).manual_seed(self.recipe.seed * 1_000_003 + self.step)
        counts = torch.poisson(patterns * doses.reshape(-1, 1, 1, 1), generator=chance)
        network = self.network
        seen = network.seen(counts, probes, steps, pitches)
        with self.autocast():
            amplitude, phase = network.polar(seen, probes)
        truth, probe = torch.complex(waves[:, 0], waves[:, 1]), torch.polar(probes[:, 0], probes[:, 1])
        parts = losses.exit_waves(amplitude, phase, truth, probe)
        for name, weight in WEIGHTS.items():
            parts[name] = weight * parts[name]
        if self.step >= (1 - self.recipe.focus) * self.recipe.steps:
            parts["object"] = FOCUS * parts["object"]
        return parts

    def validate(self) -> tuple[float, Any]:
        """Mean correlation of the object's phase with the true one over three doses, and pictures: true, and found at
        each dose."""
        import torch

        from crewe.train.airpi.losses import correlation

        network = self.trained()
        patterns, probes, waves, *steps = load(self.group, np.arange(HELD_BACK))
        probe, truth = probes[:, 0] * np.exp(1j * probes[:, 1]), waves[:, 0] + 1j * waves[:, 1]
        weight = np.abs(probe) ** 2
        shown, found = [np.angle(truth * probe.conj())], []
        for dose in SHOWN:
            counts = np.random.default_rng(0).poisson(patterns * dose).astype(np.float32)
            with torch.no_grad():
                inputs = (torch.from_numpy(a).to(self.device) for a in (counts, probes, *steps))
                wave = network(*inputs).cpu().numpy()
            shown.append(np.angle((wave[:, 0] + 1j * wave[:, 1]) * probe.conj()))
            shares = weight / weight.sum((1, 2), keepdims=True)
            images = (torch.from_numpy(np.ascontiguousarray(a, np.float64)) for a in (shown[0], shown[-1], shares))
            found.append(float(correlation(*images).mean()))
        rows = [np.hstack([_shown(image[k], weight[k]) for image in shown]) for k in range(0, HELD_BACK, 4)]
        return float(np.mean(found)), np.vstack([np.hstack(rows[k : k + 4]) for k in range(0, len(rows), 4)])


def _shown(phase: NDArray[Any], weight: NDArray[Any]) -> NDArray[np.uint8]:
    """The middle of a patch, less its mean, the probe's outskirts grey."""
    phase = phase - (weight * phase).sum() / weight.sum()
    return picture((phase * np.sqrt(weight / weight.max()))[16:48, 16:48])


def load(group: Any, numbers: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """Patterns, probes (amplitude, phase), waves, and steps in Å and pixels of samples."""
    patterns, waves, optics = read(group, numbers)
    probe = np.stack([probe_wave(*scan_of(one)) for one in optics])
    probes = np.stack([np.abs(probe), np.angle(probe)], axis=1).astype(np.float32)
    steps, lengths = (optics[:, OPTICS.index(name)] for name in ("step", "length"))
    return patterns, probes, waves, steps.astype(np.float32), (steps * (SIZE / lengths)).astype(np.float32)


def turned(which: NDArray[np.int64], *stacks: NDArray[Any]) -> list[NDArray[Any]]:
    """Samples mirrored and transposed, each in one of eight ways; pixel size/2 stays where it is. A stack of nine is a
    neighbourhood: its order goes with them."""
    out = []
    for stack in stacks:
        made = np.empty_like(stack)
        for k, (one, way) in enumerate(zip(stack, which, strict=True)):
            image = one.reshape(3, 3, *one.shape[1:]) if len(one) == 9 else one
            for axis, bit in ((-2, 1), (-1, 2)):
                if way & bit:
                    image = np.roll(np.flip(image, axis), 1, axis)
                    image = np.flip(image, axis + 2) if len(one) == 9 else image
            if way & 4:
                image = image.swapaxes(-2, -1)
                image = image.swapaxes(0, 1) if len(one) == 9 else image
            made[k] = image.reshape(one.shape)
        out.append(made)
    return out
