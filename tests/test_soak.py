"""The long run with cameras, a viewer and cuts, for a few seconds."""

import sys

import pytest
from benchmarks.soak.__main__ import main
from benchmarks.soak.memory import growth

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def test_a_short_run(capsys):
    assert main(["--minutes", "0.05", "--cuts", "0"]) == 0
    report = capsys.readouterr().out
    assert "merlin: " in report
    assert "tpx3: " in report
    assert report.count("wrong: none") == 2
    assert " 0 failures" in report
    assert "too short to say" in report


def test_memory_that_grows_is_told_from_memory_that_does_not():
    flat = growth([(float(k), 100e6 + 1e5 * (k % 7)) for k in range(100)])
    assert flat is not None
    assert flat.within(0.01)
    slow = growth([(float(k), 100e6 + 2e4 * k) for k in range(100)])
    assert slow is not None
    assert not slow.within(0.01)
    assert "+1.8" in str(slow)
    assert growth([(0.0, 1e6)]) is None
