"""Draws the picture of restore.md: python docs/pictures_restore.py [folder]. Wants crewe[onnx,plot]; seconds."""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crewe import noise, plot
from crewe.restore import restore

PIXEL = 0.12  # [Å]
DOSES = (500.0, 5000.0, 50_000.0)  # [e⁻/Å²]


def particle(n: int = 256) -> NDArray[np.float32]:
    """A Pt sphere of 5 cells [100] on carbon, as the fraction of incident electrons."""
    a, width = 3.924, 0.42
    y, x = np.ogrid[:n, :n]
    image = np.full((n, n), 0.008)
    for j in range(-6, 7):
        for i in range(-6, 7):
            height = (2.5 * a) ** 2 - (j**2 + i**2) * a**2 / 4
            if height > 0:
                cy, cx = ((n - 1) / 2 + k * a / 2 / PIXEL for k in (j, i))
                section = 0.0166 * round(2 * height**0.5 / a)
                spot = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) * PIXEL**2 / (2 * width**2))
                image += section / (2 * np.pi * width**2) * spot
    return image.astype(np.float32)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "pictures")
    truth = particle()
    recorded, restored = {}, {}
    for dose in DOSES:
        raw = noise.stem(
            truth,
            pixel_size=1.0,
            electrons_per_pixel=dose * PIXEL**2 * float(truth.mean()),
            seed=1,
            jitter={"sigma": (0.25, 0.5), "phi": 0.5},
            detector={"width": 0.23, "pedestal": 0.05},
            fast_scan={"alpha": 2.5, "beta": 0.8, "gamma": 9.0, "theta": 1.2},
        ).image
        recorded[f"recorded, {dose:,.0f} e⁻/Å²"] = raw
        restored[f"restored, {dose:,.0f} e⁻/Å²"] = restore(raw)
    images = recorded | {"undistorted": truth} | restored
    plot.show(images, step=PIXEL, columns=4, size=2.6).savefig(folder / "restored.png", dpi=75)


if __name__ == "__main__":
    main()
