"""PSNR of every restoration model beside classical filters, on images drawn as in training, but none of those.

    python -m benchmarks.studies.restored_modes [--model tem-hr ...] [--images 10] [--seed 1000]

Images of 160×160 pixels, the same specimens and instruments at every dose [electrons per pixel]. PSNR with the truth's
range (max − min) as peak, 8 pixels of border left out. Filters have their best parameter for every dose, chosen with
the truth at hand (`filters`); "wins" counts the images on which the restored one is nearer to the truth than that
filter's. Wanted beside crewe: scipy, scikit-image.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.studies import filters
from crewe import models, specimen
from crewe.restore import restore
from crewe.train.restore import AROUND, BEFORE, degrade, scene

SIZE = 160
DOSES = {"stem": (0.3, 1, 5, 20, 100, 500), "sem": (1, 5, 20, 100, 500), "tem": (2, 10, 50, 200, 1000)}

Images = list[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", choices=specimen.MODES, help="default: all that are there")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1000)
    options = parser.parse_args()
    for name in options.model or [mode for mode in specimen.MODES if mode in models.list()]:
        network = models.load(name, threads=1)
        print(f"\n{network.info.file}, {options.images} images\n")
        print("| electrons/pixel | recorded | best filter | | network alone | restored | wins |")
        print("|---:|---:|---:|---|---:|---:|---:|")
        for dose in DOSES[name.split("-")[0]]:
            raw, truth = drawn(name, dose, count=options.images, seed=options.seed)
            print(f"| {dose:g} | {' | '.join(_row(raw, truth, network))} |", flush=True)


def drawn(mode: str, dose: float, *, count: int, seed: int) -> tuple[Images, Images]:
    """Distorted images and their truths."""
    raw, truth = [], []
    for k in range(count):
        rng = np.random.default_rng([seed, k])
        image, pixel_size = scene(rng, mode, (SIZE + 2 * AROUND, SIZE + BEFORE + AROUND))
        x, y = degrade(rng, mode.split("-")[0], image, electrons=dose, pixel_size=pixel_size)
        inner = (slice(AROUND, AROUND + SIZE), slice(BEFORE, BEFORE + SIZE))
        raw.append(np.ascontiguousarray(x[inner]))
        truth.append(np.ascontiguousarray(y[inner]))
    return raw, truth


def _row(raw: Images, truth: Images, network: models.Model) -> list[str]:
    def each(change: Callable[[Any], Any]) -> Any:
        return np.array([psnr(y, change(x)) for x, y in zip(raw, truth, strict=True)])

    def filtered(run: Callable[[Any], Any]) -> Any:
        return each(lambda x: run(x / filters.spread(x)) * filters.spread(x))

    dB, which = filters.best(filters.PLAIN, lambda run: float(filtered(run).mean()))
    name, parameter = which.split()
    classical = filtered(lambda x: filters.PLAIN[name][0](x, float(parameter)))
    restored = each(lambda x: restore(x, model=network))
    alone = each(lambda x: restore(x, model=network, refine=False))
    decibels = [float(each(lambda x: x).mean()), dB, float(alone.mean()), float(restored.mean())]
    before, best, once, after = (f"{value:.1f}" for value in decibels)
    return [before, best, which, once, after, f"{int((restored > classical).sum())}/{len(raw)}"]


def psnr(truth: Any, image: Any) -> float:
    a, b = truth[8:-8, 8:-8].astype(float), image[8:-8, 8:-8].astype(float)
    return float(10 * np.log10(np.ptp(a) ** 2 / np.mean((a - b) ** 2)))


if __name__ == "__main__":
    main()
