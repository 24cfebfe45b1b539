"""Figures of the study of phases."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = NDArray[np.float64]

COLOURS = {
    "ADF": "0.6",
    "iCOM": "tab:blue",
    "riCOM 21": "tab:cyan",
    "iDPC": "tab:purple",
    "SSB": "tab:orange",
    "SSB, wiener=1": "tab:red",
    "AIRPI": "k",
    "truth": "tab:green",
    "truth, blurred": "tab:olive",
    "probe's intensity": "tab:olive",
}


def _axes(width: float, columns: int = 1) -> "tuple[Figure, Any]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.4), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def over_dose(doses: Sequence[float], found: Mapping[str, list[list[float]]], path: Path) -> None:
    """An infinite dose stands at the right, ten times beyond the largest."""
    figure, (axes,) = _axes(5.0)
    places = [10 * max(d for d in doses if math.isfinite(d)) if math.isinf(dose) else dose for dose in doses]
    for name, row in found.items():
        mean, spread = np.array(row).T
        axes.errorbar(places, mean, spread, label=name, color=COLOURS[name], marker="o", ms=3, lw=1, capsize=2)
    axes.set_xscale("log")
    ticks = [10.0**n for n in range(math.ceil(math.log10(min(places))), round(math.log10(max(places))))]
    axes.set_xticks([*ticks, max(places)], [f"$10^{round(math.log10(t))}$" for t in ticks] + ["no noise"])
    axes.set_xlabel("dose [e⁻/Å²]")
    axes.set_ylabel("correlation with the true phase")
    axes.set_ylim(0, 1)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def gallery(truth: Image, shown: Mapping[float, Mapping[str, Image]], step: float, path: Path) -> None:
    """A row for each dose, the truth first."""
    images: dict[str, Image] = {}
    for dose, row in shown.items():
        label = "no noise" if math.isinf(dose) else f"{dose:,.0f} e⁻/Å²"
        images[f"truth ({label})"] = truth
        images |= {f"{name}, {label}": image for name, image in row.items()}
    columns = len(images) // len(shown)
    figure = plot.show(images, step=step, columns=columns, size=1.9)
    for axes in figure.axes:
        axes.set_title(axes.get_title(), fontsize=7)
    figure.savefig(path, dpi=90)


def over_step(
    steps: Sequence[float], radius: float, found: Mapping[str, Mapping[str, list[float]]], path: Path
) -> None:
    figure, both = _axes(8.0, len(found))
    for axes, (label, rows) in zip(both, found.items(), strict=True):
        for name, values in rows.items():
            axes.plot(steps, values, label=name, color=COLOURS[name], marker="o", ms=3, lw=1)
        axes.axvline(radius, color="0.7", lw=0.8, ls=":")
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("step [Å] (dotted: first zero of the probe)")
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    both[0].set_ylabel("correlation with the true phase")
    both[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def over_number(
    numbers: Sequence[int], heights: Mapping[str, list[float]], exponents: Mapping[str, float], path: Path
) -> None:
    """Each as a part of its height for the heaviest atom: ADF and phases in one picture."""
    figure, (axes,) = _axes(5.0)
    for name, values in heights.items():
        axes.loglog(
            numbers,
            np.array(values) / values[-1],
            label=f"{name}: $Z^{{{exponents[name]:.2f}}}$",
            color=COLOURS[name],
            marker="o",
            ms=3,
            lw=1,
        )
    axes.set_xlabel("atomic number Z")
    axes.set_ylabel(f"height of the atom / that of Z = {numbers[-1]}")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def transfer(
    frequencies: Sequence[float],
    rows: Mapping[str, list[float]],
    kernels: Mapping[str, list[float]],
    path: Path,
) -> None:
    figure, (left, right) = _axes(8.0, 2)
    for size, weights in kernels.items():
        cycles = np.arange(len(weights)) / 128
        left.plot(cycles[1:], np.array(weights)[1:], label=f"{size}", lw=1)
    left.set_xscale("log")
    left.set_xlabel("frequency [cycles/position]")
    left.set_ylabel("weight of riCOM's kernel")
    left.legend(title="kernel", fontsize=8)
    for name, values in rows.items():
        style = "--" if name == "probe's intensity" else "-"
        right.plot(frequencies, values, style, label=name, color=COLOURS[name], lw=1.2)
    right.axvline(2, color="0.7", lw=0.8, ls=":")
    right.set_xlabel("frequency [semiangles]")
    right.set_ylabel("transfer of a thin object's phase")
    right.set_ylim(-0.1, 1.6)
    right.legend(fontsize=8, ncols=2, loc="upper left")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
