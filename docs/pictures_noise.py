"""Draws the picture of noise.md: python docs/pictures_noise.py [folder]. Wants crewe[sim,plot]; seconds."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import noise, plot, specimen

PIXEL, SHAPE, ELECTRONS = 0.15, (128, 128), 20.0  # [Å], pixels, mean per pixel
SCAN: dict[str, Any] = {
    "jitter": {"sigma": (0.06, 0.12), "phi": 0.5},
    "detector": {"width": 0.23, "pedestal": 0.05},
    "fast_scan": {"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2},
}


def crystal() -> NDArray[np.float32]:
    """SrTiO₃ [001], turned, with a radial profile for each element, on a thin support."""
    atoms = specimen.place("SrTiO3", shape=SHAPE, pixel_size=PIXEL, zone=(0, 0, 1), thickness=3.9, rotation=0.3)
    profiles = {number: (height, 0.0, 0.0, 4.0, 0.5) for number, height in ((38, 1.0), (22, 0.5), (8, 0.1))}
    return specimen.render(atoms, shape=SHAPE, pixel_size=PIXEL, model=profiles) + np.float32(0.05)


def main(folder: Path) -> None:
    clean = crystal()
    chain: dict[str, Any] = {"pixel_size": PIXEL, "electrons_per_pixel": ELECTRONS, "seed": 3}
    still = chain | {"electrons_per_pixel": 1e6}  # counting doesn't show
    camera = {"mtf": {"a": 0.4, "b": 0.6, "c": 0.7}, "thermal": {"sigma": 1.0}}
    stem = noise.stem(clean, **chain, **SCAN)
    sem = noise.sem(clean, **chain, **SCAN, row_lines={"count": 8}, zingers={"count": 20})
    tem = noise.tem(clean, electrons_per_pixel=ELECTRONS, seed=3, **camera)
    images = {
        "undistorted": clean,
        "jitter": noise.stem(clean, **still, jitter=SCAN["jitter"]).image,
        f"counting, {ELECTRONS:g} e⁻ per pixel": noise.stem(clean, **chain).image,
        "counting, fast-scan smear": noise.stem(clean, **chain, fast_scan=SCAN["fast_scan"]).image,
        "stem: all of these": stem.image,
        "its lines put back (unshift)": noise.unshift(stem.image, stem.shifts),
        "sem: row lines, zingers": sem.image,
        "tem: camera": tem.image,
    }
    plot.show(images, step=PIXEL, columns=4, size=2.6).savefig(folder / "noise.png", dpi=75)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "pictures"))
