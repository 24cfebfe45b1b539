"""The table and the picture of `python -m benchmarks.peers`, from figures in the form that its scripts write."""

import pytest
from benchmarks.peers import chart

REPORTS = {
    "frames": {
        "machine": {"cpu": "abacus", "cores": 2, "level": "v3", "load average": 0.5, "crewe": "0.1.0"},
        "figures": {
            "8192 frames, from memory": {
                "crewe: com": {"frames/CPU-s": 200_000, "of the limit": 0.95},
                "limit": {"frames/CPU-s": 210_000},
                "numpy: com": {"frames/CPU-s": 20_000},
                "libertem": "left out: No module named 'libertem'",
            }
        },
    },
    "sim": {"figures": {"step 512": {"step": 0.6e-3, "own pair": 0.5e-3, "numpy pair": 6e-3}}},
    "noise": {"figures": {"shot noise [ns/pixel]": {"mean 0.1": {"crewe": 9}, "mean 5": {"crewe": 5, "numpy": 50}}}},
    "metrics": {"left out": "ModuleNotFoundError: No module named 'skimage'"},
}


def test_rows_are_speeds():
    found = {row.what: row for row in chart.rows(REPORTS)}
    assert len(found) == 3
    step = found["multislice step, 512²"]
    assert step.crewe == pytest.approx(1 / 0.6e-3)
    assert step.limit == pytest.approx(2000)
    assert step.peers == {"NumPy, bare pair": pytest.approx(1 / 6e-3)}


def test_the_table_tells_times_as_times():
    lines = chart.table(REPORTS).splitlines()
    assert lines[2] == (
        "| centre of mass, 256 × 256 uint16 | 200,000 frames/s | 210,000 frames/s | NumPy 20,000 frames/s | `frames` |"
    )
    assert lines[3].startswith("| multislice step, 512² | 600 µs | 500 µs | NumPy, bare pair 6 ms |")
    assert "5 ns" in lines[4]


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    chart.draw(REPORTS, tmp_path / "peers.png")
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")
