"""How the rows of all modules are measured.

A module `rows_<name>.py` has `rows()` → list of (name, unit, amount of work of a run, setup() → run, bar). `run()` may
return before the device is done. The bar is None, a rate that is wanted, or (another row, of this module or one before;
the factor of its rate that is wanted, or None). What a setup can't import leaves its row out.
"""

import importlib
import statistics
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from crewe._device import extension

__all__ = ["MODULES", "line", "measured", "measured_row", "seconds_of"]

MODULES = sorted(path.stem.removeprefix("rows_") for path in Path(__file__).parent.glob("rows_*.py"))
SHORTEST = 0.05  # [s] of a timing: long against waiting for the device
REPEATS = 7


def seconds_of(run: Callable[[], Any]) -> float:
    """Median time of a run by the host's clock, from idle to idle."""

    def timed(calls: int) -> float:
        extension().finish(0)
        begin = time.perf_counter()
        for _ in range(calls):
            run()
        extension().finish(0)
        return (time.perf_counter() - begin) / calls

    timed(1)  # warms up
    calls = max(1, round(SHORTEST / timed(1)))
    return statistics.median(timed(calls) for _ in range(REPEATS))


def measured_row(row: Any, rates: dict[str, float]) -> dict[str, Any]:
    """One row's rate, and its share of the bar."""
    name, unit, amount, setup, bar = row
    seconds = seconds_of(setup())
    rates[name] = amount / seconds
    found = {"name": name, "unit": unit, "seconds": seconds, "rate": rates[name]}
    if isinstance(bar, tuple):
        if bar[0] in rates:
            found |= {"of": bar[0], "share": rates[name] / rates[bar[0]], "bar": bar[1]}
    elif bar is not None:
        found |= {"of": f"{bar:.4g}", "share": rates[name] / bar, "bar": 1.0}
    return found


def measured(modules: Iterable[str], budget: float) -> Iterator[dict[str, Any]]:
    """The rows of these modules, as they are measured; after `budget` seconds the rest is named only."""
    rates: dict[str, float] = {}
    begin = time.perf_counter()
    for module in modules:
        for row in importlib.import_module(f"benchmarks.cuda.rows_{module}").rows():
            if time.perf_counter() - begin > budget:
                yield {"name": row[0], "left_out": "no time left"}
                continue
            try:
                yield measured_row(row, rates)
            except ImportError as error:
                yield {"name": row[0], "left_out": str(error)}
            except Exception:  # the other rows are still worth measuring
                yield {"name": row[0], "error": traceback.format_exc()}


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    if "rate" not in row:
        return f"{row['name']:<56} {row.get('error') or row['left_out']}"
    text = f"{row['name']:<56} {row['rate']:10.4g} {row['unit']}"
    if "share" not in row:
        return text
    wanted = "" if row["bar"] is None else f" (wanted: {row['bar']:g})"
    return f"{text}   {row['share']:.2f} of {row['of']}{wanted}"
