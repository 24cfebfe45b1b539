"""The bar stays silent for what is quick or isn't watched, and tells rates in readable numbers."""

import re

from crewe import _progress
from crewe._progress import Bar


def test_nothing_is_shown_where_nobody_looks(capfd, monkeypatch):
    monkeypatch.setattr(_progress, "PATIENCE", -1.0)
    with Bar("reading", total=10, unit="frames") as bar:
        bar.add(4)
        bar.add(6)
    assert bar.done == 10
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_the_bar_has_rate_and_time_left(capfd, monkeypatch):
    monkeypatch.setattr(_progress, "PATIENCE", -1.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Bar("reading", total=10, unit="frames") as bar:
        bar.set(10)
    out, err = capfd.readouterr()
    assert not out
    assert re.search(r"reading.*100%.*frames/s.*\d:\d\d:\d\d", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err))


def test_rates_are_readable(monkeypatch):
    now = iter([0.0, 0.0, 10.0, 10.0, 10.0, 10.0])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(now))
    with Bar("x", total=None, unit="events") as bar:
        told = []
        for done in (50, 123_456, 7_000_000, 52_300_000_000):
            bar.done = done
            told.append(bar.rate())
    assert told == ["5 events/s", "12.3 k events/s", "700 k events/s", "5.23 G events/s"]
