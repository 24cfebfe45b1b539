"""`crewe compare`."""

import csv
import io

import numpy as np
import pytest

import crewe.cli.compare
from crewe import metrics
from crewe.cli import run
from metrics.common import crystal, noisy


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a = crystal()
    np.save("a.npy", a)
    for k, electrons in enumerate((50, 5)):
        np.save(f"b{k}.npy", noisy(a, electrons))
    return tmp_path


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_table_on_stdout(folder, capsys):
    pytest.importorskip("cv2")
    assert run(["compare", "a.npy", "a.npy", "b0.npy", "b1.npy"]) == 0
    rows = table(capsys.readouterr().out)
    assert [row.pop("image") for row in rows] == ["a.npy", "b0.npy", "b1.npy"]
    assert list(rows[0]) == ["mse", "ssim", "cw_ssim", "sift"]
    assert set(map(float, rows[0].values())) == {0}
    a, b = np.load("a.npy"), np.load("b1.npy")
    for name, value in rows[2].items():
        assert float(value) == pytest.approx(getattr(metrics, name)(a, b), rel=1e-5)


def test_table_and_maps_in_files(folder, capsys):
    options = ["--metric", "ssim", "-m", "mse", "-m", "psnr", "--output", "table.csv", "--maps", "maps"]
    assert run(["compare", "a.npy", "b0.npy", "a.npy", *options]) == 0
    assert capsys.readouterr().out == ""
    rows = table((folder / "table.csv").read_text())
    assert rows[1]["psnr"] == "inf"
    assert sorted(p.name for p in (folder / "maps").iterdir()) == [
        *("a-mse.npy", "a-ssim.npy", "b0-mse.npy", "b0-ssim.npy"),
    ]
    assert np.load("maps/b0-ssim.npy").mean() == pytest.approx(float(rows[0]["ssim"]), abs=1e-5)
    assert np.load("maps/b0-mse.npy").shape == (4, 4)
    assert not list(folder.glob(".*"))


def test_an_image_that_cannot_be_compared_does_not_stop_the_others(folder, capsys):
    np.save("small.npy", np.ones((5, 5), np.float32))
    assert run(["compare", "a.npy", "small.npy", "not-there.npy", "b0.npy", "-m", "mse"]) == 1
    out, err = capsys.readouterr()
    assert [row["image"] for row in table(out)] == ["b0.npy"]
    assert "small.npy: shape (128, 128) wanted" in err
    assert "not-there.npy: No such file" in err


def test_a_number_that_cannot_be_had_leaves_the_others(folder, capsys):
    b = np.load("b0.npy")
    b[3, 5] = -2
    np.save("below.npy", b)
    assert run(["compare", "a.npy", "below.npy", "-m", "mse", "-m", "ssim", "--maps", "m"]) == 1
    out, err = capsys.readouterr()
    (row,) = table(out)
    assert row["mse"] == ""
    assert float(row["ssim"]) == pytest.approx(metrics.ssim(np.load("a.npy"), b), rel=1e-5)
    assert "below.npy: no mse: pixels >= 0 wanted, -2.0 came at [3, 5]" in err
    assert [path.name for path in (folder / "m").iterdir()] == ["below-ssim.npy"]
    assert run(["compare", "below.npy", "a.npy", "-m", "mse", "-m", "psnr"]) == 1
    out, err = capsys.readouterr()
    assert table(out)[0]["psnr"]
    assert "a.npy: no mse: reference: pixels >= 0 wanted" in err


@pytest.mark.parametrize("arguments", [["a.npy", "nan.npy"], ["nan.npy", "a.npy"]])
def test_an_image_with_nan_is_refused_once(folder, capsys, arguments):
    np.save("nan.npy", np.full((128, 128), np.nan, np.float32))
    assert run(["compare", *arguments]) == 1
    err = capsys.readouterr().err
    assert err.count("nan.npy: finite pixels wanted") == 1


def test_interrupted(folder, capsys, monkeypatch):
    read = crewe.cli.compare.read_image

    def one(path):
        if path.name == "b1.npy":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr("crewe.cli.compare.read_image", one)
    assert run(["compare", "a.npy", "b0.npy", "b1.npy", "-m", "mse", "-o", "table.csv"]) == 1
    assert [row["image"] for row in table((folder / "table.csv").read_text())] == ["b0.npy"]
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["a.npy"], 2, "IMAGE"),
        (["a.npy", "b0.npy", "-m", "psychic"], 2, "psychic"),
        (["a.npy", "b0.npy", "-o", "table.txt"], 2, ".csv wanted"),
        (["a.npy", "b0.npy", "-o", "nowhere/table.csv"], 2, "no folder"),
        (["a.npy", "b0.npy", "--maps", "m", "--suffix", ".jpg"], 2, ".jpg"),
        (["a.npy", "b0.npy", "--cell", "3", "-m", "mse"], 2, "two numbers"),
        (["not-there.npy", "b0.npy"], 1, "not-there.npy: No such file"),
        (["a.npy", "b0.npy", "-m", "mse", "--maps", "m", "--cell", "900,3"], 1, "cell: 1 to 128 x 128 pixels wanted"),
    ],
)
def test_wrong_commands(folder, capsys, arguments, code, words):
    assert run(["compare", *arguments]) == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_maps_that_would_overwrite_each_other_are_refused(folder, capsys):
    (folder / "other").mkdir()
    np.save("other/b0.npy", np.load("b0.npy"))
    assert run(["compare", "a.npy", "b0.npy", "other/b0.npy", "--maps", "maps"]) == 2
    assert "would both be written to maps/b0" in " ".join(capsys.readouterr().err.split())
    assert not (folder / "maps").exists()
