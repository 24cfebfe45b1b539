"""`crewe restore` and `crewe models`."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest

import crewe.io
from crewe import cli, models, restore
from crewe.cli.images import pixel_size
from crewe.models import registry
from crewe.restore import images

pytest.importorskip("onnxruntime")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with an image and a stack."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("one.npy", rng.poisson(5, (40, 50)).astype(np.uint16))
    np.save("many.npy", rng.poisson(5, (2, 3, 24, 30)).astype(np.uint16))
    return tmp_path


def test_one_image(here, capsys):
    assert cli.run(["restore", "one.npy", "--shifts", "lines.npy", "--figure", "pair.png", "--threads", "1"]) == 0
    want = restore.restore(np.load("one.npy"), threads=1)
    np.testing.assert_array_equal(np.load("one-restored.npy"), want)
    assert np.load("lines.npy").shape == (40, 2)
    assert (here / "pair.png").exists()
    assert (here / "one-restored.png").exists()
    assert "CPUExecutionProvider" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".tif", ".hspy"])
def test_other_formats(here, suffix):
    pytest.importorskip("rsciio")
    assert cli.run(["restore", "one.npy", "-o", f"a{suffix}"]) == 0
    assert cli.run(["restore", f"a{suffix}", "-o", "b.npy"]) == 0
    assert np.load("b.npy").shape == (40, 50)


@pytest.mark.parametrize("suffix", [".tif", ".hspy"])
def test_the_pixel_size_stays(here, suffix):
    pytest.importorskip("rsciio")
    crewe.io.save(f"a{suffix}", {"a": np.load("one.npy").astype(np.float32)}, metadata={"step": 0.12})
    assert cli.run(["restore", f"a{suffix}", "-o", f"b{suffix}"]) == 0
    assert pixel_size(Path(f"b{suffix}")) == pytest.approx(0.12)


def test_many_images_go_on_where_they_stopped(here, monkeypatch, capsys):
    into, count = images.restore_into, 0

    def interrupted(*arguments, **options):
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        into(*arguments, **options)

    monkeypatch.setattr(images, "restore_into", interrupted)
    assert cli.run(["restore", "many.npy", "--threads", "1"]) == 1
    assert not (here / "many-restored.npy").exists()
    assert cli.run(["restore", "many.npy", "--threads", "1"]) == 0
    told = capsys.readouterr().err
    assert "3 of 6 images are restored; the same command goes on" in told
    assert "3 of 6 images are restored already" in told
    assert count == 4 + 3, "no image was done twice"
    got, source = np.load("many-restored.npy"), np.load("many.npy")
    assert got.shape == (2, 3, 24, 30)
    np.testing.assert_array_equal(got[1, 2], restore.restore(source[1, 2], threads=1))
    assert sorted(path.name for path in here.iterdir()) == [".crewe.jsonl", "many-restored.npy", "many.npy", "one.npy"]


@pytest.mark.parametrize("step", ["os.posix_fallocate", "numpy.lib.format.open_memmap"])
def test_a_full_disk_is_told_and_leaves_nothing(here, monkeypatch, capsys, step):
    opened = np.lib.format.open_memmap

    def full(*arguments, mode="w+", **options):
        if mode == "w+":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(*arguments, mode=mode, **options)

    monkeypatch.setattr(step, full)
    assert cli.run(["restore", "many.npy", "-o", "clean.npy"]) == 1
    assert capsys.readouterr().err.endswith("crewe: many.npy: clean.npy: No space left on device\n")
    assert sorted(path.name for path in here.iterdir()) == ["many.npy", "one.npy"]


def test_another_job_begins_anew(here, monkeypatch, capsys):
    (here / ".many-restored.npy.json").write_text(json.dumps({"done": 5, "tile": 64}))
    (here / ".many-restored.npy.part").write_bytes(b"something else")
    assert cli.run(["restore", "many.npy"]) == 0
    assert "already" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing.npy"], 1, "nothing.npy"),
        (["one.npy", "--model", "nobody"], 1, "nobody"),
        (["one.npy", "--tile", "3"], 2, "tile"),
        (["one.npy", "--output", "one.npy"], 2, "overwrite"),
        (["one.npy", "--output", "one.doc"], 2, "suffix"),
        (["many.npy", "--output", "many.png"], 2, "one .npy"),
        (["many.npy", "--figure", "pair.png"], 2, "one image"),
        (["one.npy", "--shifts", "lines.txt"], 2, ".npy"),
        (["bad.npy"], 1, "NaN"),
        (["words.npy"], 1, "real numbers"),
    ],
)
def test_says_what_is_wrong(here, arguments, code, words, capsys):
    np.save("bad.npy", np.full((9, 9), np.nan, np.float32))
    np.save("words.npy", np.full((9, 9), "a"))
    assert cli.run(["restore", *arguments]) == code
    assert words in capsys.readouterr().err


def test_models_are_told(capsys):
    assert cli.run(["models"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in models.list())
    assert cli.run(["models", "stem-hr"]) == 0
    assert registry.info("stem-hr").sha256 in capsys.readouterr().out
    assert cli.run(["models", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(models.list())
    assert cli.run(["models", "nobody"]) == 1


def test_several_files(here, capsys):
    (here / "cut.npy").write_bytes(np.lib.format.magic(1, 0))
    assert cli.run(["restore", "cut.npy", "one.npy", "many.npy", "--output", "clean", "--threads", "1"]) == 1
    np.testing.assert_array_equal(np.load("clean/one-restored.npy"), restore.restore(np.load("one.npy"), threads=1))
    assert np.load("clean/many-restored.npy").shape == (2, 3, 24, 30)
    assert sorted(path.name for path in (here / "clean").iterdir()) == [
        ".crewe.jsonl",
        "many-restored.npy",
        "one-restored.npy",
        "one-restored.png",
    ]
    told = capsys.readouterr().err
    assert told.endswith("crewe: 1 of 3 failed: cut.npy\n")
    assert told.count("on CPUExecutionProvider") == 1


def test_what_several_files_refuse(here, capsys):
    (here / "a").mkdir()
    np.save("a/one.npy", np.load("one.npy"))
    for arguments, words in (
        (["one.npy", "a/one.npy"], "one.npy and a/one.npy would both be written to one-restored.npy"),
        (["one.npy", "many.npy", "-o", "x.npy"], "a folder wanted, because 2 files came"),
        (["one.npy", "many.npy", "-o", "a", "-o", "x.npy"], "a folder takes all"),
        (["one.npy", "many.npy", "--figure", "x.png"], "of one file only, 2 came"),
    ):
        assert cli.run(["restore", *arguments]) == 2
        assert words in " ".join(capsys.readouterr().err.split())
    assert sorted(path.name for path in here.iterdir()) == ["a", "many.npy", "one.npy"]
