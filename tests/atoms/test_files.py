"""StatSTEM's files in, tables and HDF5 out."""

import csv

import numpy as np
import pytest

from crewe.atoms import Columns, fit, load_statstem, save_columns
from crewe.errors import FormatError

FIELDS = {
    "input": {"obs": np.arange(12.0).reshape(3, 4), "dx": 0.2, "coordinates": np.array([[0.4, 0.2, 1], [0.8, 0.6, 1]])},
    "output": {
        "coordinates": np.array([[0.42, 0.2], [0.8, 0.58]]),
        "rho": np.array([[0.3], [0.3]]),
        "eta": np.array([[5.0], [6.0]]),
        "zeta": 1.5,
        "lsq": 0.25,
    },
    "atomcounting": {"coordinates": np.array([[0.8, 0.58]]), "Counts": np.array([[7]], np.uint8)},
}


def check(file):
    assert file.image.tolist() == FIELDS["input"]["obs"].tolist()
    assert file.pixel_size == 0.2
    assert np.allclose(file.start, [[0, 1], [2, 3]])
    assert np.allclose(file.columns.positions, [[0, 1.1], [1.9, 3]])
    assert np.allclose(file.columns.scs, 2 * np.pi * np.array([5, 6]) * 0.09)
    assert (file.columns.background, file.columns.residual, file.columns.width) == (1.5, 0.25, "shared")
    assert file.columns.background_free
    assert (file.counted.tolist(), file.counts.tolist()) == ([1], [7])


def test_version_5(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(tmp_path / "fit.mat", FIELDS)
    check(load_statstem(tmp_path / "fit.mat"))


def test_version_7(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "fit.mat", "w", userblock_size=512) as file:
        for group, fields in FIELDS.items():
            for name, value in fields.items():
                file[f"{group}/{name}"] = np.atleast_2d(value).T
    with (tmp_path / "fit.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    check(load_statstem(tmp_path / "fit.mat"))


def test_image_alone(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(tmp_path / "image.mat", {"input": {"obs": np.ones((3, 4)), "dx": 0.1, "coordinates": []}})
    file = load_statstem(tmp_path / "image.mat")
    assert file.start.shape == (0, 2)
    assert file.columns is None
    assert file.counts is None


def test_other_files(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    scipy_io.savemat(tmp_path / "other.mat", {"something": np.ones(3)})
    (tmp_path / "text.mat").write_text("no matrix")
    (tmp_path / "cut.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(128) + b"\x0e\x00\x00\x00")
    for name in ("other", "text", "cut"):
        with pytest.raises(FormatError, match=f"{name}.mat"):
            load_statstem(tmp_path / f"{name}.mat")
    with pytest.raises(FileNotFoundError):
        load_statstem(tmp_path / "nowhere.mat")


@pytest.fixture
def fitted():
    truth = Columns([[8.2, 7.9], [8.5, 14.1]], [100.0, 60.0], 2.5, 5.0)
    rng = np.random.default_rng(0)
    return fit(truth.image((18, 22)) + rng.normal(0, 1, (18, 22)), [[8, 8], [8, 14]], pixel_size=0.1)


def test_table(fitted, tmp_path):
    save_columns(tmp_path / "columns.csv", fitted, pixel_size=0.1, counts=[5, 3])
    with (tmp_path / "columns.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["y [Å]"]) for row in rows] == pytest.approx(0.1 * fitted.positions[:, 0])
    assert [float(row["SCS [Å²]"]) for row in rows] == pytest.approx(fitted.scs)
    assert [float(row["sd x [pixel]"]) for row in rows] == pytest.approx(np.sqrt(fitted.covariance[:, 1, 1]))
    assert [row["atoms"] for row in rows] == ["5", "3"]


def test_hdf5(fitted, tmp_path):
    h5py = pytest.importorskip("h5py")
    save_columns(tmp_path / "columns.h5", fitted, pixel_size=0.1)
    with h5py.File(tmp_path / "columns.h5") as file:
        assert np.array_equal(file["columns/height"], fitted.heights)
        assert np.array_equal(file["covariance"], fitted.covariance)
        assert file.attrs["background"] == fitted.background
        assert file.attrs["width"] == "shared"


def test_wrong_names_and_counts(fitted, tmp_path):
    with pytest.raises(ValueError, match="path"):
        save_columns(tmp_path / "columns.txt", fitted)
    with pytest.raises(ValueError, match="counts"):
        save_columns(tmp_path / "columns.csv", fitted, counts=[1, 2, 3])
