"""Phase images of one and the same scan by all methods: how near the truth they come over dose and step, what they show
of an atom's number, which frequencies they transfer, and how fast they are.

    python -m benchmarks.studies.phase FOLDER [--model imaging-airpi] [--data FOLDER] [--draws 3] [--only dose ...]

FOLDER takes the simulated scan (made once, a minute or two), the figures `phase-*.png`, `phase.json` and the tables
`phase.md`. `--model` is a model of the package or an .onnx file; without one AIRPI is left out. `--data` reads a scan
of known truth instead of the simulated MoS₂ bilayer (see `phase_scans.stored`). Wants crewe[sim,plot].

Cross-correlations are those of eq. 4.14 with the phase at the probe positions, a border of about 1.7 Å left out.

Source: Friedrich, Yu, Verbeeck, Van Aert, Microsc. Microanal. 29 (2023) 395; Friedrich's thesis, figs. 3.2, 3.7, 4.7,
4.9 and 4.11 and table 5.1.
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import cpu_rate, machine
from benchmarks.studies import phase_plots
from benchmarks.studies.phase_scans import Frames, Scan, atom, noise_object, simulated, stored
from crewe import imaging, live, metrics, models
from crewe.optics import wavelength

Image = NDArray[np.float64]
Method = Callable[[Scan, Frames], Image]

DOSES = (math.inf, 1e5, 2e4, 5e3, 2e3, 500.0, 200.0)  # [e⁻/Å²]
SHOWN = (math.inf, 1e5, 5e3, 500.0)
NOISY = 1e4  # doses below are the mean of several draws
EVERY = (1, 2, 3, 4)  # positions that are taken for the step
ELEMENTS = (1, 3, 6, 8, 14, 20, 26, 34, 42, 50, 58, 66, 74, 79, 92)
KERNELS = (3, 7, 15, 31, 61)
BORDER = 1.7  # [Å]


@dataclass(frozen=True)
class Disc:
    """The bright disc on the detector: its radius [pixels], and the phase [rad] of 1 detector pixel over 1 Å."""

    radius: float
    phase: float

    @classmethod
    def of(cls, scan: Scan) -> "Disc":
        pixel = scan.angle_per_pixel * 1e-3 / wavelength(scan.energy)
        return cls(scan.semiangle / scan.angle_per_pixel, 2 * math.pi * pixel)


def adf(scan: Scan, frames: Frames) -> Image:
    """Electrons beyond 1.5 times the disc: no phase."""
    inner = 1.5 * Disc.of(scan).radius
    return imaging.virtual_image(frames, inner=inner, center=scan.center).astype(np.float64)


def com(scan: Scan, frames: Frames) -> Any:
    return imaging.com(frames, center=scan.center)


def icom(scan: Scan, frames: Frames) -> Image:
    return Disc.of(scan).phase * imaging.icom(com(scan, frames), step=scan.step).astype(np.float64)


def ricom(scan: Scan, frames: Frames, kernel: int = 21) -> Image:
    image = imaging.ricom(com(scan, frames), kernel=kernel, step=scan.step)
    return Disc.of(scan).phase * image.astype(np.float64)


def idpc(scan: Scan, frames: Frames) -> Image:
    """Four quadrants that reach beyond the disc."""
    disc = Disc.of(scan)
    ky, kx = frames.shape[2:]
    y, x = np.arange(ky)[:, None] - scan.center[0], np.arange(kx) - scan.center[1]
    sector = ((np.arctan2(y, x) // (math.pi / 2)) % 4).astype(int)
    inside = np.hypot(y, x) < 1.5 * disc.radius
    parts = [imaging.virtual_image(frames, mask=((sector == n) & inside).astype(np.float32)) for n in range(4)]
    angles = math.pi / 4 + math.pi / 2 * np.arange(4)
    radius = disc.radius * (math.pi / 4) / math.sin(math.pi / 4)
    return disc.phase * imaging.idpc(np.stack(parts), angles, radius=radius, step=scan.step).astype(np.float64)


def ssb(scan: Scan, frames: Frames, wiener: float | None = None) -> Image:
    return np.angle(imaging.ssb(frames, center=scan.center, wiener=wiener, **scan.optics())).astype(np.float64)


def methods(model: Any) -> dict[str, Method]:
    found: dict[str, Method] = {
        "ADF": adf,
        "iCOM": icom,
        "riCOM 21": ricom,
        "iDPC": idpc,
        "SSB": ssb,
        "SSB, wiener=1": lambda scan, frames: ssb(scan, frames, 1.0),
    }
    if model is not None:
        found["AIRPI"] = lambda scan, frames: np.angle(
            imaging.airpi(frames, center=scan.center, model=model, **scan.optics())
        ).astype(np.float64)
    return found


def network(name: str | None) -> Any:
    """A model of the package, or of an .onnx file in the form that `crewe train airpi` writes; nothing if there is
    none."""
    if name is None:
        return models.load("imaging-airpi") if "imaging-airpi" in models.list() else None
    if not name.endswith(".onnx"):
        return models.load(name)
    known = models.info("imaging-airpi").options if "imaging-airpi" in models.list() else {}
    options = {"size": 64, "length": (10.0, 24.0), "fill": (0.1, 0.95)} | dict(known)
    words = dict.fromkeys(("training_data", "recipe", "figures", "licence"), "")
    about = models.Info(Path(name).stem, Path(name).name, "", "", (0.1, 1.0), **words, options=options)
    return models.Model(about, Path(name).read_bytes(), device="cpu", precision="f32", threads=1)


def agreement(image: Image, truth: Image, border: int) -> float:
    inside = slice(border, -border or None)
    return float(metrics.cross_correlation(*(a[inside, inside].astype(np.float32) for a in (image, truth))))


# ------------------------------------------------------------------------------------------------------------ the parts
def over_dose(scan: Scan, draws: int, using: dict[str, Method], folder: Path) -> dict[str, Any]:
    """Fig. 4.11: cross-correlation with the truth, mean and standard deviation of the draws."""
    border = round(BORDER / scan.step)
    found: dict[str, list[list[float]]] = {name: [] for name in using}
    shown: dict[float, dict[str, Image]] = {}
    for dose in DOSES:
        drawn = [scan.counts(dose, seed) for seed in range(draws if dose < NOISY else 1)]
        for name, method in using.items():
            images = [method(scan, frames) for frames in drawn]
            values = [agreement(image, scan.truth, border) for image in images]
            found[name].append([float(np.mean(values)), float(np.std(values))])
            if dose in SHOWN:
                shown.setdefault(dose, {})[name] = images[0]
    phase_plots.over_dose(DOSES, found, folder / "phase-dose.png")
    phase_plots.gallery(scan.truth, shown, scan.step, folder / "phase-images.png")
    return {"doses": [None if math.isinf(dose) else dose for dose in DOSES], "ncc": found}


def over_step(scan: Scan, draws: int, using: dict[str, Method], folder: Path) -> dict[str, Any]:
    """Fig. 4.7: the same over the step, without noise and at 5000 e⁻/Å²."""
    steps = [scan.step * n for n in EVERY]
    found: dict[str, dict[str, list[float]]] = {}
    for dose, label in ((math.inf, "no noise"), (5e3, "5000 e⁻/Å²")):
        rows: dict[str, list[float]] = {name: [] for name in using}
        for n in EVERY:
            coarse = scan.every(n)
            border = round(BORDER / coarse.step)
            drawn = [coarse.counts(dose, seed) for seed in range(1 if math.isinf(dose) else draws)]
            for name, method in using.items():
                values = [agreement(method(coarse, frames), coarse.truth, border) for frames in drawn]
                rows[name].append(float(np.mean(values)))
        found[label] = rows
    radius = 0.61 * wavelength(scan.energy) / (scan.semiangle * 1e-3)
    phase_plots.over_step(steps, radius, found, folder / "phase-step.png")
    return {"steps": steps, "airy_radius": radius, "ncc": found}


def over_number(using: dict[str, Method], folder: Path) -> dict[str, Any]:
    """Fig. 4.9: what single atoms show in their middle, without noise; exponents p of Zᵖ from carbon on."""
    heights: dict[str, list[float]] = {"truth": [], "truth, blurred": [], **{name: [] for name in using}}
    for number in ELEMENTS:
        scan = atom(number)
        images = {"truth": scan.truth, "truth, blurred": scan.blurred}
        images |= {name: method(scan, scan.frames) for name, method in using.items()}
        for name, image in images.items():
            heights[name].append(height(image))
    heavy = np.array(ELEMENTS) >= 6
    exponents = {}
    for name, values in heights.items():
        good = heavy & (np.array(values) > 0)
        x, y = np.log(np.array(ELEMENTS)[good]), np.log(np.array(values)[good])
        exponents[name] = float(np.polyfit(x, y, 1)[0]) if good.sum() > 2 else float("nan")
    phase_plots.over_number(ELEMENTS, heights, exponents, folder / "phase-number.png")
    return {"numbers": list(ELEMENTS), "heights": heights, "exponents": exponents}


def height(image: Image) -> float:
    """Of the middle over the rim."""
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    n = len(image) // 2
    return float(image[n, n] - np.median(rim))


def transfer(using: dict[str, Method], folder: Path) -> dict[str, Any]:
    """Figs. 3.2 and 3.7: the kernels of riCOM, and what each method makes of a thin object of white noise."""
    scan = noise_object()
    n = len(scan.truth)
    aperture = scan.semiangle * 1e-3 / wavelength(scan.energy)
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(n, scan.step)] * 2, indexing="ij")) / aperture
    edges = np.linspace(0.05, 2.4, 25)
    ring = np.digitize(k, edges)
    want = np.fft.fft2(scan.truth)
    rows = {}
    for name, method in using.items():
        if name == "ADF":
            continue
        got = np.fft.fft2(method(scan, scan.frames))
        both = [
            [(got * want.conj()).real[ring == i].sum(), (np.abs(want) ** 2)[ring == i].sum()]
            for i in range(1, len(edges))
        ]
        rows[name] = [float(a / b) if b > 0 else float("nan") for a, b in both]
    # An object that is one probe wide: what its intensity leaves of each frequency.
    blurred = np.fft.fft2(scan.blurred)
    rows["probe's intensity"] = [
        float((blurred * want.conj()).real[ring == i].sum() / (np.abs(want) ** 2)[ring == i].sum())
        for i in range(1, len(edges))
    ]
    kernels = {str(size): imaging.ricom_transfer(size, shape=(128, 128)).tolist() for size in KERNELS}
    middles = ((edges[1:] + edges[:-1]) / 2).tolist()
    phase_plots.transfer(middles, rows, kernels, folder / "phase-transfer.png")
    return {"frequencies": middles, "transfer": rows, "ricom_kernels": kernels}


def speed(scan: Scan, using: dict[str, Method]) -> dict[str, Any]:
    """Table 5.1: patterns per CPU second, offline, and live in blocks of a scan line."""
    frames = scan.counts(5e3, 0)
    (sy, sx), detector, disc = frames.shape[:2], frames.shape[2:], Disc.of(scan)
    found: dict[str, Any] = {"patterns": sy * sx, "detector": list(detector), "offline": {}, "live": {}}
    for name, method in using.items():
        slow = name == "AIRPI"
        part = np.ascontiguousarray(frames[: sy // 2, : sx // 2]) if slow else frames
        work = part.shape[0] * part.shape[1]
        found["offline"][name] = cpu_rate(lambda m=method, f=part: m(scan, f), work, repeats=3 if slow else 7)
    kinds = {
        "ADF": live.VirtualDetector(inner=1.5 * disc.radius),
        "iCOM": live.ICOM(),
        "riCOM 21": live.RiCOM(kernel=21),
        "SSB": live.SSB(**scan.optics()),
    }
    for name, kind in kinds.items():
        session = live.Session(scan=(sy, sx), detector=detector, images={"image": kind}, center=scan.center, threads=1)

        def run(session: live.Session = session) -> None:
            for line in frames:
                session.push(line)
            session.finish()
            session.next_scan()

        found["live"][name] = cpu_rate(run, sy * sx)
        session.close()
    return found


# --------------------------------------------------------------------------------------------------------------- tables
def tables(figures: dict[str, Any], title: str) -> str:
    lines = [f"# Phase methods, {title}", ""]
    if "dose" in figures:
        part = figures["dose"]
        lines += ["Cross-correlation with the true phase over dose [e⁻/Å²]:", ""]
        heads = ["no noise" if dose is None else f"{dose:,.0f}" for dose in part["doses"]]
        lines += _table("", heads, {name: [f"{m:.3f}" for m, _ in row] for name, row in part["ncc"].items()})
    if "step" in figures:
        part = figures["step"]
        heads = [f"{step:.2f}" for step in part["steps"]]
        for label, rows in part["ncc"].items():
            lines += [f"Over the step [Å], {label} (the probe's first zero lies at {part['airy_radius']:.2f} Å):", ""]
            lines += _table("", heads, {name: [f"{v:.3f}" for v in row] for name, row in rows.items()})
    if "number" in figures:
        part = figures["number"]
        lines += [
            "Single atoms: height in the middle [rad; ADF: fraction of the beam], and p of Zᵖ from carbon on:",
            "",
        ]
        some = [part["numbers"].index(z) for z in (6, 14, 42, 79)]
        rows = {
            name: [f"{row[i]:.3g}" for i in some] + [f"{part['exponents'][name]:.2f}"]
            for name, row in part["heights"].items()
        }
        lines += _table("", ["C", "Si", "Mo", "Au", "p"], rows)
    if "transfer" in figures:
        part = figures["transfer"]
        some = [int(np.argmin(np.abs(np.array(part["frequencies"]) - f))) for f in (0.25, 0.5, 1.0, 1.5, 1.9)]
        heads = [f"{part['frequencies'][i]:.2f} α" for i in some]
        lines += ["Transfer of a thin object's phase:", ""]
        lines += _table("", heads, {name: [f"{row[i]:.2f}" for i in some] for name, row in part["transfer"].items()})
    if "speed" in figures:
        part = figures["speed"]
        ky, kx = part["detector"]
        lines += [f"Patterns of {ky} × {kx} pixels per CPU second:", ""]
        rows = {name: [_thousands(part[how].get(name)) for how in ("offline", "live")] for name in part["offline"]}
        lines += _table("", ["offline", "live"], rows)
    return "\n".join(lines)


def _thousands(rate: float | None) -> str:
    return "" if rate is None else f"{float(f'{rate:.2g}'):,.0f}"


def _table(corner: str, heads: list[str], rows: dict[str, list[str]]) -> list[str]:
    lines = ["| " + " | ".join([corner, *heads]) + " |", "|---" + "|---:" * len(heads) + "|"]
    return [*lines, *("| " + " | ".join([name, *row]) + " |" for name, row in rows.items()), ""]


PARTS = ("dose", "step", "number", "transfer", "speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    folder = options.folder
    scan = stored(options.data) if options.data else simulated(folder)
    using = methods(network(options.model))
    figures: dict[str, Any] = {"machine": machine(), "model": options.model, "scan": scan.name}
    work: dict[str, Callable[[], Any]] = {
        "dose": lambda: over_dose(scan, options.draws, using, folder),
        "step": lambda: over_step(scan, options.draws, using, folder),
        "number": lambda: over_number(using, folder),
        "transfer": lambda: transfer(using, folder),
        "speed": lambda: speed(scan, using),
    }
    for part in options.only:
        figures[part] = work[part]()
        (folder / "phase.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    text = tables(figures, scan.name)
    (folder / "phase.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
