"""Do the difference metrics do what their paper says? Ederer, Löffler, Ultramicroscopy 240 (2022) 113578.

python -m benchmarks.studies.hrtem_metrics [--quick] [--output FOLDER]      wants crewe[sim,metrics,plot]

Simulates Nb₃Sn and ZrO₂, adds noise, writes the tables (hrtem_metrics.md) and draws the figures: what is done to an
image (as Fig. 2), noise against dose (as Fig. 3), sizes of precipitates (as Figs. 4(g) and 5).
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.studies import precipitates
from benchmarks.studies.claims import DOSES, METRICS, THREE, Case, Claim, check
from benchmarks.studies.images import NB3SN, ZRO2

#: Reference, other material, cells in depth; the constants of the metrics were chosen on the first.
CASES = ((NB3SN, ZRO2, 40), (NB3SN, ZRO2, 25), (ZRO2, NB3SN, 36))
COLOURS = {"mse": "tab:blue", "ssim": "tab:green", "cw": "tab:orange", "sift": "tab:red"}


def claims_table(cases: list[Case], claims: list[list[Claim]]) -> str:
    """One row for a statement, one column for a case."""
    rows = [["", "statement", *(case.name for case in cases)], ["--"] * (2 + len(cases))]
    for together in zip(*claims, strict=True):
        first = together[0]
        verdicts = [f"{'yes' if c.holds else '**no**'}: {c.measured}" for c in together]
        rows.append([str(first.number), first.statement, *verdicts])
    rows.append(["", "hold", *(f"{sum(c.holds for c in found)} of {len(found)}" for found in claims)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def sizes_table(name: str, found: dict[str, Any]) -> str:
    """Diameters found, by dose."""
    head = [f"{name}, e/nm²", "background", *(f"{d:.2f}" for d in found["true"]), "false cells"]
    rows = [head, ["--"] * len(head)]
    for i, dose in enumerate(found["doses"]):
        pairs = zip(found["general"][i], found["fitted"][i], strict=True)
        both = [f"{general:.2f} / {fitted:.2f}" for general, fitted in pairs]
        rows.append([f"{dose:g}", f"{found['background'][i]:.3f}", *both, f"{found['false'][i]:g}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def draw_changes(case: Case, path: Path) -> None:
    """The images, and what the four metrics say of them."""
    from matplotlib import pyplot

    shown = {name: image for name, image in case.still.items() if name not in ("identical", "black")}
    figure, axes = pyplot.subplots(2, 1 + len(shown), figsize=(2.1 * (1 + len(shown)), 4.6), layout="constrained")
    for axis, (name, image) in zip(axes[0], {"reference": case.reference, **shown}.items(), strict=True):
        axis.imshow(image, cmap="gray")
        axis.set_title(name, fontsize=9)
        axis.set_axis_off()
    axes[1, 0].set_axis_off()
    for axis, name in zip(axes[1, 1:], shown, strict=True):
        axis.bar(range(4), [case.scores[name][m] for m in METRICS], color=[COLOURS[m] for m in METRICS])
        axis.set_xticks(range(4), ["MSE", "SSIM", "CW", "SIFT"], fontsize=7)
        axis.set_ylim(0, 1)
    figure.suptitle(case.name)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def draw_doses(cases: list[Case], path: Path) -> None:
    """Differences against dose: the same material without and with weak normal noise, and the other material."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(cases), figsize=(5 * len(cases), 4), layout="constrained", squeeze=False)
    for axis, case in zip(axes[0], cases, strict=True):
        for name in THREE:
            for scores, style, what in (
                (case.plain, "-", "shot noise"),
                (case.weak, ":", "and σ = 0.05 e"),
                (case.strange, "--", case.material),
            ):
                values = [scores[dose][name] for dose in DOSES]
                axis.semilogx(DOSES, values, style, color=COLOURS[name], label=f"{name} {what}")
        axis.set(title=case.name, xlabel="dose [e/nm²]", ylabel="difference", ylim=(0, 1))
    axes[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def draw_sizes(results: dict[str, dict[str, Any]], path: Path) -> None:
    """The map of a precipitate; diameters found against true ones, for both thresholds."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(results), 4, figsize=(16, 4 * len(results)), layout="constrained", squeeze=False)
    for row, (name, found) in zip(axes, results.items(), strict=True):
        row[0].imshow(found["image"], cmap="gray")
        row[0].set_title(f"{name}: sphere of {precipitates.ASKED} cells")
        row[0].set_axis_off()
        figure.colorbar(row[1].imshow(found["map"], vmin=0), ax=row[1])
        row[1].set_title("SIFT by unit cell, no noise")
        for axis, kind in ((row[2], "general"), (row[3], "fitted")):
            axis.plot(found["true"], found["true"], "k-", lw=0.8)
            for i, dose in enumerate(found["doses"]):
                axis.plot(found["true"], found[kind][i], "o-", ms=3, label=f"{dose:g} e/nm²")
            axis.set(title=f"{kind} threshold", xlabel="true diameter [cells]", ylabel="found [cells]", ylim=(0, 20))
        row[2].legend(fontsize=7)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer draws, doses and precipitates: about a minute")
    parser.add_argument("--output", type=Path, default=Path("hrtem_metrics"), help="folder of the results")
    options = parser.parse_args()
    import matplotlib

    matplotlib.use("Agg")
    options.output.mkdir(parents=True, exist_ok=True)
    begin = time.process_time()
    cases = [Case(*case, draws=2 if options.quick else 8) for case in CASES]
    claims = [check(case) for case in cases]
    parts = [claims_table(cases, claims)]
    draw_doses(cases, options.output / "doses.png")
    for k, case in enumerate(cases):
        draw_changes(case, options.output / f"changes-{k}.png")
    print(parts[0], flush=True)

    doses = (np.inf, 1e4, 1e3) if options.quick else precipitates.DOSES
    results = {}
    for matrix, other, depth in CASES[:1] if options.quick else (CASES[0], CASES[2]):
        name = f"{other.name} in {matrix.name}, {matrix.side * depth / 10:.1f} nm"
        results[name] = precipitates.measure(matrix, other, depth, doses=doses, draws=1)
        parts.append(sizes_table(name, results[name]))
        print("\n" + parts[-1], flush=True)
    draw_sizes(results, options.output / "sizes.png")
    (options.output / "hrtem_metrics.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"\n{time.process_time() - begin:.0f} CPU seconds; figures in {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
