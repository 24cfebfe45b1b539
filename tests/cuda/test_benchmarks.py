"""`python -m benchmarks.cuda` works for whoever has a GPU: its modules load, and its frame measures."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "benchmarks" / "cuda").glob("rows_*.py"))


@pytest.fixture
def benchmarks(monkeypatch):
    """The folder of the repository, which is no part of the package."""
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    return lambda name: importlib.import_module(f"benchmarks.cuda.{name}")


@pytest.mark.parametrize("module", MODULES)
def test_rows_are_named_once_and_their_bars_are_rows(benchmarks, module):
    rows = benchmarks(module).rows()
    names = [name for name, *_ in rows]
    assert len(set(names)) == len(names) > 0
    for _, unit, amount, setup, bar in rows:
        assert unit.endswith("/s")
        assert amount > 0
        assert callable(setup)
        limits = names + [name for name, *_ in benchmarks("rows_imaging").rows()]  # that is measured first
        assert bar is None or (bar[0] in limits if isinstance(bar, tuple) else bar > 0)


@pytest.mark.parametrize("module", ["rows_imaging", "rows_noise"])
def test_rows_run(gpu, benchmarks, monkeypatch, module):
    measure = benchmarks("measure")
    monkeypatch.setattr(measure, "SHORTEST", 0.0)
    monkeypatch.setattr(measure, "REPEATS", 1)
    rates = {}
    for row in benchmarks(module).rows(small=True):
        found = measure.measured_row(row, rates)
        assert found["rate"] > 0
        assert row[0] in measure.line(found)
