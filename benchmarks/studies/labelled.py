"""How well columns and single atoms are found in recorded images that people have labelled.

    python -m benchmarks.studies.labelled IMAGE=LABELS.csv ... [--tolerance 3]

LABELS.csv names the atoms of IMAGE (.tif, .png, .npy, or what RosettaSciIO reads) in columns X and Y [pixels, 0 in the
middle of the first one]. F1 of `crewe.atoms.find` without any parameter, by the network and by the filter, of every
image and on the mean. No such image is learned from.
"""

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np

from crewe import atoms
from crewe.cli.images import read_image

MODELS: tuple[Any, ...] = ("atomid", "log")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", metavar="IMAGE=LABELS.csv")
    parser.add_argument("--tolerance", type=float, default=3.0, help="largest distance of a match [pixels]; default: 3")
    options = parser.parse_args()
    print(f"| image | atoms | {' | '.join(MODELS)} |")
    print("|---|---:|" + "---:|" * len(MODELS))
    rows = []
    for pair in options.pairs:
        name, labels = map(Path, pair.rsplit("=", 1))
        image, truth = read_image(name), labelled(labels)
        rows.append([atoms.score(atoms.find(image, model=m), truth, tolerance=options.tolerance).f1 for m in MODELS])
        print(_row(name.name, len(truth), rows[-1]), flush=True)
    print(_row(f"mean of {len(rows)}", "", np.mean(rows, axis=0)))


def labelled(path: Path) -> Any:
    """Positions (n, 2) as (y, x)."""
    with path.open(newline="", encoding="utf-8") as file:
        return np.array([(float(row["Y"]), float(row["X"])) for row in csv.DictReader(file)])


def _row(name: str, count: object, values: Any) -> str:
    return f"| {name} | {count} | {' | '.join(f'{value:.3f}' for value in values)} |"


if __name__ == "__main__":
    main()
