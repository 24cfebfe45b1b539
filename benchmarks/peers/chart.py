"""The figures of `python -m benchmarks.peers` as a picture and as a table: crewe, its limit and its peers, by row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["draw", "rows", "table"]


class Row(NamedTuple):
    """One task: speeds [unit] of crewe, of what bounds it (None: unknown) and of other programs, all of one run."""

    what: str
    topic: str
    unit: str
    crewe: float
    limit: float | None
    peers: dict[str, float]


#: What is done, topic, where its figures lie (beginnings of names), unit, crewe's, the limit's and the peers' names.
#: Times are turned into rates: a unit "1/s" of figures in s.
TASKS: list[tuple[str, str, tuple[str, ...], str, str, str, dict[str, str]]] = [
    (
        *("centre of mass, 256 × 256 uint16", "frames", ("8192", ""), "frames/s", "crewe: com", "limit"),
        {"LiberTEM": "libertem: com", "plain C": "C: com", "Numba": "numba: com", "NumPy": "numpy: com"},
    ),
    (
        *("the same, annulus, hot pixels", "frames", ("8192", ""), "frames/s", "crewe: fused", "limit"),
        {"plain C": "C: fused", "Numba": "numba: fused"},
    ),
    (
        *("riCOM 61 × 61, four at a time", "ricom", ("512x512", "256x256", "128x128"), "positions/s"),
        *("crewe, 4 at a time", "", {"plain C": "plain C", "Numba": "numba"}),
    ),
    (
        *("Timepix3 → COM sums", "events", ("rates",), "M events/s", "crewe, tpx3 -> centre-of-mass sums", ""),
        {"Numba": "Numba loop, tpx3 -> centre-of-mass sums", "NumPy, hits only": "NumPy, tpx3 -> hits"},
    ),
    (
        *("t3p → COM sums", "events", ("rates",), "M events/s", "crewe, t3p -> centre-of-mass sums", ""),
        {"Numba": "Numba loop, t3p -> centre-of-mass sums", "NumPy": "NumPy, t3p -> centre-of-mass sums"},
    ),
    (
        *("ptychography (SSB), live, 64 × 64 of 64²", "ssb", (), "patterns/s", "crewe live", ""),
        {"ptychography40": "ptychography40 in LiberTEM"},
    ),
    (
        *("multislice step, 512²", "sim", ("step 512",), "1/s", "step", "own pair"),
        {"FFTW, bare pair": "fftw pair", "NumPy, bare pair": "numpy pair"},
    ),
    ("4D-STEM, 64 probes, 256²", "sim", ("4D-STEM 256",), "1/s", "crewe", "", {"abTEM": "abtem"}),
    ("counting noise, 5 e⁻/pixel", "noise", ("shot", "mean 5"), "1/ns", "crewe", "", {"NumPy": "numpy"}),
    (
        *("STEM noise and distortions, 1024²", "noise", ("stem chain", "20 electrons"), "1/ms"),
        *("crewe [ms", "", {"NumPy and SciPy": "numpy and scipy [ms"}),
    ),
    (
        *("columns found, 1024²", "atoms", ("1024",), "1/ms", "crewe", ""),
        {"SciPy LoG, told the spacing": "scipy LoG", "blob_log": "skimage blob_log"},
    ),
    (
        *("overlapping columns fitted at once", "atoms_fit", ("3", "2"), "1/s", "crewe, with", ""),
        {"SciPy least_squares": "scipy least_squares"},
    ),
    (
        *("SSIM, 1024²", "metrics", ("1024",), "1/ms", "ssim, disks", ""),
        {"scikit-image, squares": "ssim, scikit-image, squares"},
    ),
    (
        *("complex-wavelet SSIM, 1024²", "metrics", ("1024",), "1/ms"),
        *("cw_ssim", "", {"NumPy": "cw_ssim, numpy"}),
    ),
    (
        *("Merlin over a socket, live riCOM", "merlin_socket", (), "frames/s"),
        *("crewe, into a session, all", "bare read loop", {}),
    ),
]


def rows(reports: dict[str, Any]) -> Iterator[Row]:
    """The tasks of which the reports hold crewe's figure."""
    for what, topic, place, unit, ours, limit, others in TASKS:
        found = _inside(reports.get(topic, {}).get("figures", {}), topic, place)
        speed = {name: _speed(found, name, unit) for name in (ours, limit, *others.values()) if name}
        mine = speed[ours]
        if mine is None:
            continue
        peers = {name: rate for name, key in others.items() if (rate := speed[key]) is not None}
        yield Row(what, topic, unit, mine, speed.get(limit), peers)


def _inside(figures: dict[str, Any], topic: str, place: tuple[str, ...]) -> dict[str, Any]:
    """The group of figures of a task; of several sizes the first that was measured."""
    if topic == "noise":
        for beginning in place:
            figures = next((figures[name] for name in figures if name.startswith(beginning)), {})
        return figures
    for beginning in place:
        for name, group in figures.items():
            if name.startswith(beginning) and isinstance(group, dict):
                return group
    return {} if place else figures


def _speed(group: dict[str, Any], beginning: str, unit: str) -> float | None:
    """A figure by the beginning of its name (the shortest of such names), as a rate."""
    names = [name for name in group if name.startswith(beginning)]
    if not names:
        return None
    value = group[min(names, key=len)]
    if isinstance(value, dict):
        value = next(iter(value.values()))
    if not isinstance(value, int | float):
        return None
    return 1 / value if unit.startswith("1/") else float(value)


def table(reports: dict[str, Any]) -> str:
    """Markdown, a line per task; times in the unit of the script, rates per CPU second."""
    lines = ["| what | crewe | limit | peers | NAME |", "|---|---|---|---|---|"]
    for row in rows(reports):
        peers = ", ".join(f"{name} {_text(rate, row.unit)}" for name, rate in row.peers.items())
        limit = "" if row.limit is None else _text(row.limit, row.unit)
        lines.append(f"| {row.what} | {_text(row.crewe, row.unit)} | {limit} | {peers} | `{row.topic}` |")
    return "\n".join(lines)


def _text(rate: float, unit: str) -> str:
    if not unit.startswith("1/"):
        return f"{float(f'{rate:.3g}'):,.0f} {unit}" if rate >= 100 else f"{rate:.3g} {unit}"
    seconds = {"1/s": 1.0, "1/ms": 1e-3, "1/ns": 1e-9}[unit] / rate
    size, name = next(
        (size, name) for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (0, "ns")) if seconds >= size
    )
    return f"{seconds / (size or 1e-9):.3g} {name}"


def draw(reports: dict[str, Any], path: Path) -> None:
    """Speeds relative to crewe's, a line per task."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = [row for row in rows(reports) if row.peers or row.limit][::-1]
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(found) + 1.2), layout="constrained")
    for y, row in enumerate(found):
        slowest = min([1.0, *(rate / row.crewe for rate in row.peers.values())])
        axes.plot([slowest, 1], [y, y], color="0.85", lw=5, solid_capstyle="round", zorder=0)
        if row.limit is not None:
            axes.plot(row.limit / row.crewe, y, "|", ms=18, mew=2, color="0.3")
        axes.plot(1, y, "o", ms=9, color="#1f77b4")
        ordered = sorted(row.peers.items(), key=lambda peer: peer[1])
        for k, (name, rate) in enumerate(ordered):
            axes.plot(rate / row.crewe, y, "o", ms=6, color="#d62728")
            above = {"xytext": (0, 6 if k % 2 == 0 else -6), "va": "bottom" if k % 2 == 0 else "top"}
            axes.annotate(name, (rate / row.crewe, y), textcoords="offset points", ha="center", fontsize=7, **above)
    axes.set_xscale("log")
    axes.set_yticks(range(len(found)), [row.what for row in found], fontsize=9)
    axes.set_ylim(-0.7, len(found) - 0.3)
    axes.set_xlabel("speed relative to crewe (blue); red: other programs, bar: what bounds it")
    axes.grid(axis="x", which="major", color="0.92")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    machine = next((report["machine"] for report in reports.values() if "machine" in report), None)
    if machine is not None:
        told = f"{machine['cpu']}, one core of {machine['cores']}, {machine['level']}, load {machine['load average']}"
        axes.set_title(f"{told}; crewe {machine['crewe']}", fontsize=8, color="0.4", loc="right")
    figure.savefig(path, dpi=90)
