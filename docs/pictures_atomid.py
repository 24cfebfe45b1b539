"""Draws the picture of atomid.md: python docs/pictures_atomid.py [folder]. Wants crewe[plot,onnx]; seconds."""

import sys
from pathlib import Path

import numpy as np

from crewe import atoms
from crewe.train.atoms.scenes import draw

#: Seeds and spacings [pixels] of scenes: a crystal under contamination, the edge of another, two elements.
SCENES = ((5, 22.0), (9, 9.0), (8, 9.0))


def main(folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(SCENES), 3, figsize=(9, 3 * len(SCENES)), layout="constrained")
    for row, (seed, spacing) in zip(axes, SCENES, strict=True):
        scene = draw(np.random.default_rng(seed), size=200, spacing=spacing)
        found = atoms.propose(scene.image)
        low, high = np.percentile(scene.image, [1, 99.8])
        for axis in (row[0], row[2]):
            axis.imshow(scene.image, cmap="gray", vmin=low, vmax=high)
        row[1].imshow(found.confidence, cmap="magma", vmin=0, vmax=1)
        row[2].plot(*found.columns().T[::-1], "o", mfc="none", mec="#40e0d0", ms=5)
        for axis in row:
            axis.set_axis_off()
    for axis, title in zip(axes[0], ("image", "confidence", "columns"), strict=True):
        axis.set_title(title)
    figure.savefig(folder / "atomid.png", dpi=70)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
