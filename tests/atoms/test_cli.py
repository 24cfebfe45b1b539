import numpy as np
import pytest

import crewe.io
from crewe.cli import run
from crewe.cli.images import pixel_size


@pytest.fixture
def image(tmp_path, monkeypatch):
    """A lattice of 10 × 12 columns, 11 px apart, in lattice.npy of the current folder."""
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:110, :132].astype(float)
    clean = 5 + 80 * np.exp(-((y % 11 - 5) ** 2 + (x % 11 - 5) ** 2) / (2 * 2.2**2))
    data = np.random.default_rng(0).poisson(clean).astype(np.uint16)
    np.save("lattice.npy", data)
    return data.astype(np.float32)


def test_without_options(image, tmp_path, capsys):
    assert run(["atoms", "lattice.npy"]) == 0
    assert "120 columns, 10.9" in capsys.readouterr().err
    lines = (tmp_path / "lattice-atoms.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "y [pixel],x [pixel]"
    points = np.loadtxt(lines[1:], delimiter=",")
    assert points.shape == (120, 2)
    assert np.abs(np.sort(points[:, 0])[0] - 5) < 0.5
    assert (tmp_path / "lattice-atoms.png").read_bytes().startswith(b"\x89PNG")


def test_several_images(image, tmp_path, capsys):
    (tmp_path / "a").mkdir()
    np.save("a/cut.npy", image[:66])
    (tmp_path / "broken.npy").write_text("no image")
    assert run(["atoms", "a/cut.npy", "broken.npy", "lattice.npy", "--output", "columns"]) == 1
    for name, count in (("cut", 72), ("lattice", 120)):
        assert len((tmp_path / f"columns/{name}-atoms.csv").read_text(encoding="utf-8").splitlines()) == count + 1
        assert (tmp_path / f"columns/{name}-atoms.png").exists()
    assert capsys.readouterr().err.endswith("crewe: 1 of 3 failed: broken.npy\n")
    np.save("cut.npy", image)
    assert run(["atoms", "cut.npy", "a/cut.npy"]) == 2
    assert "both be written to cut-atoms.csv" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "cut-atoms.csv").exists()


def test_all_of_it(image, capsys):
    outputs = ["-o", "all.csv", "-o", "all.h5", "-o", "all.hspy", "-o", "-"]
    options = ["--fit", "--count", "--strain", "--pixel-size", "0.2", "--threshold", "0.3"]
    assert run(["atoms", "lattice.npy", *options, *outputs]) == 0
    with open("all.csv", encoding="utf-8") as file:
        text = file.read()
    assert capsys.readouterr().out == text
    header, *lines = text.splitlines()
    assert {"width [Å]", "SCS [Å²]", "atoms", "eps_yy", "omega [rad]"} < set(header.split(","))
    width = np.loadtxt(lines, delimiter=",")[:, header.split(",").index("width [Å]")]
    assert width == pytest.approx(2.2 * 0.2, rel=0.03)
    h5py = pytest.importorskip("h5py")
    with h5py.File("all.h5") as file:
        assert file["columns/y [pixel]"].shape == (120,)
    rsciio = pytest.importorskip("rsciio.hspy")
    (signal,) = rsciio.file_reader("all.hspy")
    assert (signal["data"] == image).all()
    marker = signal["metadata"]["Markers"]["columns"]
    assert marker["class"] == "Points"
    assert [(axis["scale"], axis["units"]) for axis in signal["axes"]] == [(0.2, "Å"), (0.2, "Å")]
    assert marker["kwargs"]["offsets"].shape == (120, 2)
    assert marker["kwargs"]["offsets"][:, 0].max() > 120 * 0.2  # x first, [Å]


@pytest.mark.parametrize("suffix", [".hspy", ".tif"])
def test_the_file_tells_the_size_of_a_pixel(image, tmp_path, capsys, suffix):
    pytest.importorskip("rsciio")
    crewe.io.save(f"lattice{suffix}", {"lattice": image}, metadata={"step": 0.2})
    assert run(["atoms", f"lattice{suffix}", "--fit", "-o", "-"]) == 0
    out, err = capsys.readouterr()
    assert "pixel size 0.2 Å" in err
    assert run(["atoms", "lattice.npy", "--fit", "--pixel-size", "0.2", "-o", "-"]) == 0
    assert np.loadtxt(out.splitlines()[1:], delimiter=",") == pytest.approx(
        np.loadtxt(capsys.readouterr().out.splitlines()[1:], delimiter=",")
    )
    assert run(["atoms", f"lattice{suffix}", "--fit", "--pixel-size", "0.4", "-o", "-"]) == 0
    assert "pixel size" not in capsys.readouterr().err, "the option overrides"


def test_the_size_of_a_pixel_stays_with_the_marked_image(image, tmp_path):
    pytest.importorskip("rsciio")
    crewe.io.save("lattice.tif", {"lattice": image}, metadata={"step": 0.2})
    assert run(["atoms", "lattice.tif", "-o", "marked.hspy"]) == 0
    assert pixel_size(tmp_path / "marked.hspy") == pytest.approx(0.2)


@pytest.mark.parametrize("step", [None, (0.2, 0.3)])
def test_a_size_that_the_file_does_not_tell_is_asked_for(image, tmp_path, capsys, step):
    pytest.importorskip("rsciio")
    crewe.io.save("lattice.hspy", {"lattice": image}, metadata={} if step is None else {"step": step})
    assert run(["atoms", "lattice.hspy", "--count"]) == 2
    assert "--pixel-size" in capsys.readouterr().err


def test_an_image_without_columns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("flat.npy", np.ones((40, 30)))
    options = ["--fit", "--count", "--pixel-size", "0.2", "--strain", "-o", "flat.csv", "--figure", "flat.png"]
    assert run(["atoms", "flat.npy", *options]) == 0
    assert "0 columns" in capsys.readouterr().err
    with open("flat.csv", encoding="utf-8") as file:
        assert file.read() == "y [pixel],x [pixel]\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing.npy"], 1, "missing.npy"),
        (["lattice.npy", "-o", "columns.txt"], 2, "a suffix of .csv"),
        (["lattice.npy", "--figure", "columns.jpg"], 2, "a suffix of .png"),
        (["lattice.npy", "-o", "nowhere/columns.csv"], 2, "no folder"),
        (["lattice.npy", "--model", "nobody"], 2, "nobody"),
        (["lattice.npy", "--fit"], 2, "--pixel-size"),
        (["lattice.npy", "--threshold", "-1"], 2, "threshold"),
        (["stack.npy"], 1, "one image"),
    ],
)
def test_what_goes_wrong_is_said_in_words(image, capsys, arguments, code, words):
    np.save("stack.npy", np.ones((2, 30, 30)))
    assert run(["atoms", *arguments]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
