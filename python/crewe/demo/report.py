"""Pictures, arrays and words about what the demo saw."""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crewe
from crewe import _core
from crewe._color import picture
from crewe._png import png
from crewe.demo.model import Model
from crewe.demo.streams import Stream, rate

__all__ = ["write_report"]

ZOOM = 4  # screen pixels per probe position
GAP = 8  # screen pixels between the pictures of the overview
WORDS = {
    "ricom": "riCOM, kernel half a unit cell",
    "icom": "iCOM",
    "adf": "annular dark field, from 50 mrad",
    "bf": "bright field, inner half of the disc",
    "com": "centre of mass, hue = direction",
    "field": "projected electric field",
    "sum": "sum of all patterns, logarithmic",
}


def write_report(folder: Path, model: Model, dose: float, streams: list[Stream], complete: bool) -> None:
    """Everything that there is, into the folder; report.md tells what is what."""
    truth = model.truth()
    _write(folder / "truth.png", truth)
    lines = [
        "# crewe demo",
        "",
        f"SrTiO₃ [001], {model.cells} × {model.cells} unit cells, {model.layers} thick, {model.energy / 1e3:g} keV, "
        f"{model.semiangle:g} mrad: {model.scan[0]} × {model.scan[1]} probe positions {model.step:.3f} Å apart, "
        f"{model.pixels} × {model.pixels} detector pixels, {dose:g} electrons per position. Multislice with "
        f"{model.configurations} configurations of moving atoms (`crewe.sim`); the same electrons were sent as Merlin "
        "frames and as Timepix3 events over a loopback socket, sender and receiver in one process.",
        "",
    ]
    if not complete:
        lines += ["**Interrupted**: what was there is saved.", ""]
    lines += [
        f"crewe {crewe.__version__}, instruction set {_core.isa()}, {os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}.",
        "",
        "| stream | positions | received | rate |",
        "|---|---|---|---|",
    ]
    for stream in streams:
        told = f"{stream.done} of {model.scan[0] * model.scan[1]}"
        lines.append(f"| {stream.name} | {told} | {stream.count:,} {stream.unit} | {rate(stream)} |")
    lines += [
        "",
        "## Images",
        "",
        "Correlation with the phase of the projected potential, or its gradient; 1 is perfect.",
        "",
    ]
    lines += ["| image | " + " | ".join(stream.name for stream in streams) + " |", "|---" * (1 + len(streams)) + "|"]
    known = _known(model, truth)
    for name, words in WORDS.items():
        cells = [_cell(folder, stream, name, known.get(name)) for stream in streams]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "![the phase of the projected potential](truth.png) The phase of the projected potential, seen with the probe.",
        "",
    ]
    lines += _while_scanning(folder, streams)
    if len(streams) == 2 and all(stream.done == model.scan[0] * model.scan[1] for stream in streams):
        lines += [
            "Largest difference of the images of both streams, relative to the largest value: " + _differ(*streams)
        ]
    if streams and streams[0].images:
        (folder / "overview.png").write_bytes(png(_overview(streams[0], truth)))
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write(path: Path, image: NDArray[Any], *, logarithmic: bool = False) -> None:
    np.save(path.with_suffix(".npy"), image)
    path.write_bytes(png(_enlarged(picture(np.log1p(image) if logarithmic else image))))


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1) if max(pixels.shape[:2]) <= 192 else pixels


def _known(model: Model, truth: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """What images should look like, up to scale."""
    k = np.fft.fftfreq(len(truth))
    spectrum = np.fft.fft2(truth)
    gradient = np.stack([np.fft.ifft2(2j * np.pi * q * spectrum).real for q in (k[:, None], k)], -1)
    return {"ricom": truth, "icom": truth, "adf": truth, "bf": -truth, "com": gradient, "field": -gradient}


def _cell(folder: Path, stream: Stream, name: str, known: NDArray[np.float64] | None) -> str:
    """A picture of one image, and how it compares."""
    if name not in stream.images:
        return ""
    image = stream.images[name]
    file = f"{stream.name}-{name}.png"
    _write(folder / file, image, logarithmic=name == "sum")
    if known is None or not image.any():
        return f"![{name}]({file})"
    return f"![{name}]({file}) {np.corrcoef(image.ravel(), known.ravel())[0, 1]:.3f}"


def _while_scanning(folder: Path, streams: list[Stream]) -> list[str]:
    """What the images looked like on the way."""
    lines = []
    for stream in streams:
        for name, image in stream.half.items():
            file = f"{stream.name}-{name}-while-scanning.png"
            _write(folder / file, image)
            lines.append(f"![{name}, half of the scan]({file})")
    return ["## While scanning", "", "With half of the positions there:", "", " ".join(lines), ""] if lines else []


def _differ(one: Stream, other: Stream) -> str:
    parts = []
    for name, image in one.images.items():
        largest = np.abs(image - other.images[name]).max() / max(float(np.abs(image).max()), 1e-30)
        parts.append(f"{name} {largest:.1e}")
    return ", ".join(parts) + "."


def _overview(stream: Stream, truth: NDArray[Any]) -> NDArray[np.uint8]:
    """truth, icom, ricom, ricom of half the scan / adf, bf, com, field: one picture."""
    images = stream.images
    half = stream.half.get("ricom", images["ricom"])
    tiles = [truth, images["icom"], images["ricom"], half, images["adf"], images["bf"], images["com"], images["field"]]
    pixels = [_enlarged(picture(np.asarray(tile))) for tile in tiles]
    colours = [tile if tile.ndim == 3 else np.repeat(tile[..., None], 3, axis=-1) for tile in pixels]
    height, width = colours[0].shape[:2]
    out = np.full((2 * height + GAP, 4 * width + 3 * GAP, 3), 255, np.uint8)
    for index, tile in enumerate(colours):
        top, left = (index // 4) * (height + GAP), (index % 4) * (width + GAP)
        out[top : top + height, left : left + width] = tile
    return out
