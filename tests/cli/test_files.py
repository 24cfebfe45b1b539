"""Several files and folders in one command: what is taken, what goes where, and going on after an interruption."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from crewe import cli
from crewe.cli import atoms
from crewe.cli.files import SUFFIXES, in_folders
from crewe.cli.record import Record


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Three lattices in a folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "haadf").mkdir()
    y, x = np.mgrid[:40, :48].astype(float)
    clean = 5 + 80 * np.exp(-((y % 8 - 4) ** 2 + (x % 8 - 4) ** 2) / 4)
    rng = np.random.default_rng(0)
    for name in ("b", "a", "c ü"):
        np.save(f"haadf/{name}.npy", rng.poisson(clean).astype(np.uint16))
    return tmp_path


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def made(name):
    return [f"{name}-atoms.csv", f"{name}-atoms.png"]


ALL = [".crewe.jsonl", *made("a"), *made("b"), *made("c ü")]


def when(folder):
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).glob("*-atoms.csv")}


def test_a_folder_is_its_images(here, capsys):
    (here / "haadf/notes.txt").write_text("of the session")
    (here / "haadf/.hidden.npy").write_text("no image")
    (here / "haadf/inner").mkdir()
    assert cli.run(["atoms", "haadf", "-o", "columns"]) == 0
    assert "haadf: 3 images\n" in capsys.readouterr().err
    assert names("columns") == ALL


def test_what_a_folder_is_searched_for(tmp_path, capsys):
    for name in ("b.tif", "B.TIF", "a.png", "a.npy", "c.dm4", "c.tif", "a-restored.npy", "a-atoms.png", "c.csv"):
        (tmp_path / name).touch()
    (tmp_path / "d.zspy").mkdir()
    found = in_folders((tmp_path / "c.csv", tmp_path, tmp_path / "d.zspy"), ("-atoms.csv", "-atoms.png"))
    assert [path.name for path in found] == [
        *("c.csv", "B.TIF", "a.npy", "a-restored.npy", "b.tif", "c.dm4", "d.zspy", "d.zspy")
    ]
    assert "6 images, 2 of the same names are left out (a.png, ...)" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["atoms", "restore"])
def test_a_folder_without_images_is_said(here, capsys, command):
    (here / "empty").mkdir()
    assert cli.run([command, "haadf", "empty", "-o", "out"]) == 1
    assert capsys.readouterr().err.endswith(
        f"crewe: empty: no image in this folder; {' '.join(SUFFIXES)} are looked for.\n"
    )
    assert names(here) == ["empty", "haadf"]


def test_own_outputs_are_no_input(here, monkeypatch):
    monkeypatch.chdir(here / "haadf")
    assert cli.run(["atoms", "."]) == 0
    before = names(".")
    assert cli.run(["atoms", "."]) == 0
    assert names(".") == before


def interrupt_at(monkeypatch, number):
    """Ctrl-C while image `number` is read."""
    read, count = atoms.read_image, 0

    def interrupted(path):
        nonlocal count
        count += 1
        if count == number:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(atoms, "read_image", interrupted)


def test_the_same_command_goes_on(here, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        assert cli.run(["atoms", "haadf", "-o", "columns"]) == 1
    assert "2 of 3 files are done; the same command goes on with the others\n" in capsys.readouterr().err
    before = when("columns")
    assert cli.run(["atoms", "haadf", "-o", "columns"]) == 0
    told = capsys.readouterr().err
    assert "2 of 3 files are done already, with these options; to do one again, name it alone or delete" in told
    assert "done again" not in told
    after = when("columns")
    assert len(after) == 3
    assert before.items() < after.items()
    assert cli.run(["atoms", "haadf", "-o", "columns"]) == 0
    assert "3 of 3 files are done already" in capsys.readouterr().err
    assert when("columns") == after


def test_what_has_changed_is_done_again(here, capsys):
    command = ["atoms", "haadf", "-o", "columns"]
    assert cli.run(command) == 0
    before = when("columns")
    os.utime("haadf/b.npy", ns=(1, 1))
    (here / "columns/a-atoms.png").unlink()
    np.save("haadf/d.npy", np.load("haadf/a.npy"))
    capsys.readouterr()
    assert cli.run(command) == 0
    told = capsys.readouterr().err
    assert "1 of 4 files are done already" in told
    assert "2 are done again: the file, the options or crewe's version changed, or a part was missing" in told
    assert {name for name, time in when("columns").items() if before.get(name) != time} == {
        *("a-atoms.csv", "b-atoms.csv", "d-atoms.csv")
    }
    assert cli.run([*command, "--strain"]) == 0
    told = capsys.readouterr().err
    assert "done already" not in told
    assert "4 are done again" in told
    assert cli.run([*command, "--strain"]) == 0
    assert "4 of 4 files are done already" in capsys.readouterr().err


def test_a_file_named_alone_is_done_again(here):
    assert cli.run(["atoms", "haadf", "-o", "columns"]) == 0
    before = when("columns")
    assert cli.run(["atoms", "haadf/a.npy", "-o", "columns"]) == 0
    after = when("columns")
    assert {name for name in after if after[name] != before[name]} == {"a-atoms.csv"}


def test_failures_are_tried_again(here, capsys):
    (here / "haadf/a.npy").write_text("no image")
    for _ in range(2):
        assert cli.run(["atoms", "haadf", "-o", "columns"]) == 1
        assert capsys.readouterr().err.endswith("crewe: 1 of 3 failed: haadf/a.npy\n")


def test_one_that_is_gone_keeps_no_other_from_being_done_again(here, capsys):
    command = ["atoms", "gone.npy", "haadf/a.npy", "haadf/b.npy", "-o", "columns"]
    for options in ([], ["--strain"]):
        assert cli.run([*command, *options]) == 1
        assert capsys.readouterr().err.endswith("crewe: 1 of 3 failed: gone.npy\n")
    assert "eps_xx" in (here / "columns/b-atoms.csv").read_text(encoding="utf-8")


def test_a_record_that_was_cut_off(here, capsys):
    command = ["atoms", "haadf", "-o", "columns"]
    assert cli.run(command) == 0
    record = here / "columns/.crewe.jsonl"
    content = record.read_bytes()
    record.write_bytes(content[:-20])
    capsys.readouterr()
    assert cli.run(command) == 0
    assert "2 of 3 files are done already" in capsys.readouterr().err
    assert cli.run(command) == 0
    assert "3 of 3 files are done already" in capsys.readouterr().err
    record.write_bytes(b"\x00\xff\n[1]\n{}\n" + content)
    assert cli.run(command) == 0
    assert "3 of 3 files are done already" in capsys.readouterr().err


def test_results_may_be_moved_with_their_files(here, monkeypatch, capsys):
    assert cli.run(["atoms", "haadf", "-o", "haadf/columns"]) == 0
    (here / "haadf").rename(here / "moved")
    assert cli.run(["atoms", "moved", "-o", "moved/columns"]) == 0
    assert "3 of 3 files are done already" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["atoms", "restore", "image", "degrade"])
def test_what_was_made_of_another_file_is_not_overwritten(here, capsys, command):
    if command == "restore":
        pytest.importorskip("onnxruntime")
    (here / "other").mkdir()
    rng = np.random.default_rng(0)
    shape = (3, 4, 8, 8) if command == "image" else (24, 30)
    for folder in ("haadf", "other"):
        np.save(f"{folder}/a.npy", rng.poisson(5, shape).astype(np.uint16))
    assert cli.run([command, "haadf/a.npy"]) == 0
    before = {path.name: path.read_bytes() for path in here.glob("a-*")}
    capsys.readouterr()
    assert cli.run([command, "other/a.npy"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "was made of haadf/a.npy, not of other/a.npy: name another folder by --output." in told
    assert {path.name: path.read_bytes() for path in here.glob("a-*")} == before
    assert cli.run([command, "other/a.npy", "-o", "elsewhere"]) == 0
    assert {*before} < {*names("elsewhere")}
    assert cli.run([command, "haadf/a.npy"]) == 0, "the same file may"
    for name in before:
        (here / name).unlink()
    assert cli.run([command, "other/a.npy"]) == 0, "what is gone stands in nobody's way"


def test_another_image_of_a_scan_of_that_name_is_none_of_its(here):
    np.save("a.npy", np.ones((3, 4, 8, 8), np.uint16))
    (here / "other").mkdir()
    np.save("other/a.npy", np.ones((3, 4, 8, 8), np.uint16))
    assert cli.run(["image", "a.npy", "-i", "sum"]) == 0
    assert cli.run(["image", "other/a.npy", "-i", "com"]) == 0
    assert cli.run(["image", "other/a.npy", "-i", "com", "-i", "sum"]) == 2


def test_the_record_stays_small(here):
    for _ in range(3):
        assert cli.run(["atoms", "haadf/a.npy"]) == 0
    lines = [json.loads(line) for line in (here / ".crewe.jsonl").read_text(encoding="utf-8").splitlines() if line]
    assert len(lines) == 1
    assert lines[0]["made"] == made("a")
    assert lines[0]["of"] == "haadf/a.npy"


def test_the_last_line_holds(tmp_path):
    file, output = tmp_path / "a.npy", tmp_path / "a-atoms.csv"
    for path in (file, output):
        path.touch()
    record = Record(tmp_path)
    for options in ({"fit": True}, {"fit": False}):
        record.add([output], record.entry(file, options))
    assert not Record(tmp_path).is_done(output, record.entry(file, {"fit": True}))
    assert Record(tmp_path).is_done(output, record.entry(file, {"fit": False}))
