"""`crewe bench`: every kernel runs, and its rate is told."""

import json

import crewe.cli.bench
from crewe import cli


def test_rates(capsys, monkeypatch):
    monkeypatch.setattr(crewe.cli.bench, "REPEATS", 1)
    assert cli.run(["bench", "--quick", "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert {"crewe", "cpu", "cores", "load"} <= set(told["machine"])
    assert len(told["rates"]) > 6
    for rate in told["rates"]:
        assert rate["one core"] or rate["all cores"]
    assert not err


def test_a_table(capsys, monkeypatch):
    monkeypatch.setattr(crewe.cli.bench, "_tasks", lambda: iter([crewe.cli.bench.Task("nothing", "calls", 1e9, id)]))
    assert cli.run(["bench", "--quick"]) == 0
    head, _, row = capsys.readouterr().out.splitlines()
    assert "instructions" in head
    assert row.startswith("nothing, calls/s ")
    assert row.endswith("G")
