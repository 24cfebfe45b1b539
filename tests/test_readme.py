"""What the README shows is run, not believed."""

import re
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

import crewe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def scan(shape=(12, 16)):
    """A disc that wanders over a Merlin chip."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[:256, :256]
    cy, cx = (rng.normal(127.5, 2, shape)[..., None, None] for _ in range(2))
    return ((y - cy) ** 2 + (x - cx) ** 2 < 30**2).astype(np.uint16)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = scan()
    with open("scan.mib", "wb") as file:  # opened by content, not by name
        np.save(file, frames)
    return frames


def test_a_recorded_scan(recorded):
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    com = crewe.imaging.com(recorded)
    com -= com.mean((0, 1))
    np.testing.assert_allclose(np.load("scan-ricom.npy"), crewe.imaging.ricom(com), atol=1e-3)
    assert np.array_equal(np.load("scan-adf.npy"), crewe.imaging.virtual_image(recorded, inner=40))


def test_a_running_scan(recorded):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    player = threading.Thread(
        target=crewe.io.replay, args=(crewe.io.open("scan.mib"), f"merlin://127.0.0.1:{port}"), daemon=True
    )
    player.start()
    names = {}
    exec(compile(blocks("python")[1].replace("6342", str(port)), "README.md", "exec"), names)
    player.join(30)
    com = crewe.imaging.com(recorded)
    com = crewe.imaging.rotate(com - com.mean((0, 1)), 0.2)
    np.testing.assert_allclose(names["session"]["com"], com, atol=1e-3)
    np.testing.assert_allclose(names["picture"], crewe.imaging.ricom(com), atol=1e-2)


def test_atoms_in_an_image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:200, :200]
    places = [(12 + 16.0 * i, 12 + 16.0 * j) for i in range(12) for j in range(12)]
    image = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * 3.0**2)) for a, b in places)
    np.save("haadf.npy", image.astype(np.float32))
    names = {}
    exec(compile(blocks("python")[2], "README.md", "exec"), names)
    assert crewe.atoms.score(names["columns"].positions, places, tolerance=1e-3).f1 == 1
    np.testing.assert_allclose(names["columns"].scs, 2 * np.pi * (3 * 0.15) ** 2, rtol=1e-3)
    assert np.nanmax(np.abs(names["around"].eps_xx)) < 1e-4


def test_the_pages_are_there():
    for name in re.findall(r"\]\((docs/[^)]+)\)", README):
        assert (ROOT / name).is_file(), name


def test_the_c_program_is_the_one_that_is_built():
    """`tests/embed` links it against an installed crewe, and runs it."""
    assert blocks("c") == [(ROOT / "tests" / "embed" / "c" / "readme.c").read_text(encoding="utf-8")]


def test_the_picture_is_there_and_small():
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert 0 < (ROOT / name).stat().st_size < 300_000


def test_the_test_command_is_found_by_the_checks():
    words = re.search(r"<!-- test command -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert words is not None
    assert words.group(1).splitlines()[-1].endswith("pytest")
