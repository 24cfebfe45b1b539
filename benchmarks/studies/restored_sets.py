"""PSNR of restored images beside classical filters, on data sets of simulated scans.

    python -m benchmarks.studies.restored_sets SET.npz ... [--model stem-hr]

A set holds gt, the truth as fraction of the incident electrons, (y, x) or (n, y, x); x, the recorded electrons per
pixel, (dose, realisation, y, x) or (n, dose, y, x); px, the pixel size [Å], () or (n,); dose [e⁻/Å²]. Of realisations
the first is taken. PSNR with the truth's maximum as peak, 8 pixels of border left out, no fit of any kind. Filters have
their best parameter for every set and dose, chosen with the truth at hand (`filters`). Wanted beside crewe: scipy,
scikit-image; bm3d where it is there.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.studies import filters
from benchmarks.studies.restoration import psnr
from crewe import models
from crewe.restore import restore

Images = list[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET.npz")
    parser.add_argument("--model", default="stem-hr")
    options = parser.parse_args()
    network = models.load(options.model, threads=1)
    gains = []
    for path in options.sets:
        with np.load(path) as data:
            doses = [float(dose) for dose in data["dose"]]
            several = data["gt"].ndim == 3
            truths, sizes = np.atleast_3d(data["gt"].T).T, np.atleast_1d(data["px"])
            scans = data["x"] if several else data["x"][None, :, 0]
        print(f"\n| {path.stem}, e⁻/Å² | {' | '.join(f'{dose:,.0f}' for dose in doses)} |")
        print("|---|" + "---:|" * len(doses))
        columns = []
        for k, dose in enumerate(doses):
            raw = [scan[k].astype(np.float32) for scan in scans]
            truth = [y * np.float32(dose * size**2) for y, size in zip(truths, sizes, strict=True)]
            columns.append(_column(raw, truth, network))
        for name in columns[0]:
            print(f"| {name} | {' | '.join(column[name] for column in columns)} |", flush=True)
        gains += [float(column["restored"]) - float(column["best filter"]) for column in columns]
    print(f"\nrestored − best filter: {np.mean(gains):.2f} dB on the mean, {min(gains):.2f} at least")


def _column(raw: Images, truth: Images, network: models.Model) -> dict[str, str]:
    def score(change: Callable[[Any], Any]) -> float:
        return float(np.mean([psnr(y, change(x)) for x, y in zip(raw, truth, strict=True)]))

    def plain(run: Callable[[Any], Any]) -> float:
        return score(lambda x: run(x / filters.spread(x)) * filters.spread(x))

    def counted(run: Callable[[Any], Any]) -> float:
        return score(lambda x: filters.counts(run(filters.anscombe(x))))

    dB, name = max(filters.best(filters.PLAIN, plain), filters.best(filters.COUNTED, counted))
    return {
        "recorded": f"{score(lambda x: x):.1f}",
        "best filter": f"{dB:.1f}",
        "which": name,
        "network alone": f"{score(lambda x: restore(x, model=network, refine=False)):.1f}",
        "restored": f"{score(lambda x: restore(x, model=network)):.1f}",
    }


if __name__ == "__main__":
    main()
