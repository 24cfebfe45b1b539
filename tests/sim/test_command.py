"""`crewe simulate`: structure in, files out, words for what goes wrong."""

import json

import numpy as np
import pytest

from crewe.cli import run

ase = pytest.importorskip("ase")


@pytest.fixture
def crystal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = [(0, 0, 0.25), (0.5, 0.5, 0.75), (0.5, 0.5, 0.25), (0.5, 0, 0.75), (0, 0.5, 0.75)]
    ase.Atoms("SrTiO3", scaled_positions=places, cell=[3.905] * 3, pbc=True).write("sto.cif")
    return tmp_path


SMALL = ["sto.cif", "--thickness", "8", "--size", "8,8", "--sampling", "0.1"]


def test_stem(crystal, capsys):
    assert run(["simulate", *SMALL, "--scan", "3x4", "--detector", "bf=0:10", "--detector", "adf=40:60"]) == 0
    assert sorted(p.name for p in crystal.glob("sto-*")) == ["sto-adf.npy", "sto-adf.png", "sto-bf.npy", "sto-bf.png"]
    assert np.load("sto-adf.npy").shape == (3, 4)
    words = capsys.readouterr().err
    assert "steps, about" in words
    assert "MiB" in words


@pytest.mark.parametrize("mode", ["hrtem", "cbed", "potential"])
def test_pictures(crystal, mode):
    more = ["--phonons", "2", "--sigma", "*=0.08"] if mode == "cbed" else []
    assert run(["simulate", *SMALL, "--mode", mode, "--output", "a.npy", *more]) == 0
    image = np.load("a.npy")
    assert image.shape == (120, 120)
    assert np.isfinite(image).all()
    if mode == "cbed":
        assert image.sum() == pytest.approx(1, abs=0.05)


def test_wave(crystal):
    assert run(["simulate", *SMALL, "--mode", "wave"]) == 0
    assert np.load("sto-wave.npy").dtype == np.complex64


@pytest.mark.parametrize("suffix", [".zarr", ".hspy", ".zspy", ".npy"])
def test_scan4d(crystal, suffix):
    zarr, h5py = pytest.importorskip("zarr"), pytest.importorskip("h5py")
    command = ["simulate", *SMALL, "--mode", "scan4d", "--scan", "2x3", "--max-angle", "30", "--output", f"a{suffix}"]
    assert run(command) == 0
    assert run(["simulate", *SMALL, "--mode", "scan4d", "--scan", "2x3", "--max-angle", "30", "--output", "w.npy"]) == 0
    want = np.load("w.npy")
    if suffix == ".hspy":
        with h5py.File("a.hspy") as file:
            np.testing.assert_array_equal(file["Experiments/a/data"], want)
            assert file["Experiments/a/axis-2"].attrs["units"] == "mrad"
            assert "300000" in str(file["Experiments/a/original_metadata"].attrs["energy"])
    elif suffix == ".zspy":
        np.testing.assert_array_equal(zarr.open_group("a.zspy", mode="r")["Experiments/a/data"][...], want)
    elif suffix == ".npy":
        np.testing.assert_array_equal(np.load("a.npy"), want)
    elif suffix == ".zarr":
        array = zarr.open_array("a.zarr", mode="r")
        np.testing.assert_array_equal(array[...], want)
        assert array.attrs["simulation"]["structure"] == "sto.cif"
        assert run(command) == 0, "the same again: all is there"
    assert not list(crystal.glob("*.part*"))


def test_hyperspy_reads_the_scan(crystal):
    hspy = pytest.importorskip("rsciio.hspy")
    assert run(["simulate", *SMALL, "--mode", "scan4d", "--scan", "2x3", "--output", "a.hspy"]) == 0
    (signal,) = hspy.file_reader("a.hspy")
    assert signal["data"].shape[:2] == (2, 3)
    assert [axis["navigate"] for axis in signal["axes"]] == [True, True, False, False]


def test_yaml(crystal):
    pytest.importorskip("yaml")
    options = "thickness: 8\nsampling: 0.1\nscan: 4x6\ndetector: {adf: [40, 60]}\nslice-thickness: 4\n"
    (crystal / "c.yaml").write_text(options)
    assert run(["simulate", "sto.cif", "--config", "c.yaml", "--output", "a.npy"]) == 0
    assert np.load("a.npy").shape == (4, 6)
    assert run(["simulate", "sto.cif", "--config", "c.yaml", "--scan", "2x2", "--output", "a.npy"]) == 0
    assert np.load("a.npy").shape == (2, 2)
    (crystal / "c.yaml").write_text("colour: red\n")
    assert run(["simulate", "sto.cif", "--config", "c.yaml"]) == 2
    (crystal / "c.yaml").write_text(json.dumps([1]))
    assert run(["simulate", "sto.cif", "--config", "c.yaml"]) == 2


def test_dry_run(crystal, capsys):
    assert run(["simulate", *SMALL, "--scan", "256x256", "--dry-run"]) == 0
    assert "262,144 steps" in capsys.readouterr().err
    assert run(["simulate", *SMALL, "--mode", "scan4d", "--scan", "256x256", "--dry-run"]) == 0
    assert "3,600 MiB" in capsys.readouterr().err
    assert [p.name for p in crystal.iterdir()] == ["sto.cif"]


@pytest.mark.parametrize(
    ("code", "word", "more"),
    [
        (1, "eV", ["--energy", "300"]),
        (1, "band limit", ["--detector", "haadf=60:300"]),
        (2, "thickness", ["--zone", "1,1,0"]),
        (2, "sigma", ["--phonons", "3"]),
        (2, "NAME=A:B", ["--detector", "adf"]),
        (2, "U,V,W|whole", ["--zone", "1,1"]),
        (2, "C99", ["--aberration", "C99=3"]),
        (2, "npy", ["--mode", "wave", "--output", "a.png"]),
        (2, "folder", ["--output", "nowhere/a.npy"]),
        (1, "sampling", ["--sampling", "0"]),
        (1, "either gpts", ["--gpts", "64x64"]),
        (1, "atoms", ["--size", "3000,3000", "--thickness", "3000"]),
    ],
)
def test_words_for_what_is_wrong(crystal, capsys, code, word, more):
    import re

    base = ["simulate", "sto.cif", "--sampling", "0.1"] + ([] if "--zone" in more else ["--thickness", "8"])
    assert run([*base, *more]) == code
    assert re.search(word, capsys.readouterr().err)


def test_files_that_are_not_there(crystal, capsys):
    assert run(["simulate", "none.cif"]) == 2
    (crystal / "bad.cif").write_text("nothing")
    assert run(["simulate", "bad.cif", "--thickness", "8"]) == 1
    assert run(["simulate", "bad.cif"]) == 1
    assert "bad.cif" in capsys.readouterr().err
    (crystal / "un.xyz").write_text("1\n\nXq 0 0 0\n")
    assert run(["simulate", "un.xyz"]) == 1
    assert "unknown element 'Xq'" in capsys.readouterr().err
    from ase.build import bulk

    bulk("Ti").write("ti.cif")
    assert run(["simulate", "ti.cif"]) == 2
    assert "--thickness" in capsys.readouterr().err
