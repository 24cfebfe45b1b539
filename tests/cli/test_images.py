"""Files that are no images, or not the ones that are wanted: each says so in one line that names it."""

import gc
from pathlib import Path

import numpy as np
import pytest

from crewe import cli
from crewe.cli import images
from crewe.cli.images import read_image, read_images

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("rsciio")


def grey(kind=np.uint16, shape=(20, 30)):
    return np.random.default_rng(0).integers(0, 100, shape).astype(kind)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".hspy", ".dm4", ".png", ".ser", ".emd", ".mrc"])
@pytest.mark.parametrize("content", [None, b"", b"words, no numbers at all\n" * 99])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_no_image(here, capsys, suffix, content):
    if content is not None:
        (here / f"a b{suffix}").write_bytes(content)
    assert cli.run(["atoms", f"a b{suffix}", "-o", "-"]) == 1
    gc.collect()  # files that readers of RosettaSciIO leave open
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"crewe: a b{suffix}: ")
    assert err.count("\n") == 1
    assert "fault of crewe" not in err
    if content is None:
        assert "No such file" in err


def test_cut_off(here, capsys):
    from crewe import io

    np.save("a.npy", grey())
    tifffile.imwrite("a.tif", grey())
    tifffile.imwrite("b.tif", grey(), compression="zlib")
    io.save("a.hspy", {"a": grey()})
    io.save("a.png", {"a": grey()})
    for path in [*here.iterdir()]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert cli.run(["atoms", path.name, "-o", "-"]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1), err
        assert err.startswith(f"crewe: {path.name}: ")


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (grey(np.uint8, (20, 30, 3)), "save it in grey"),
        (grey(np.uint8, (20, 30, 4)), "save it in grey"),
        (grey(shape=(20,)), "images (..., y, x)"),
        (grey(shape=(0, 30)), "images (..., y, x)"),
        (grey(complex), "real numbers"),
        (np.full((20, 30), "a"), "real numbers"),
    ],
)
def test_other_arrays(here, array, told):
    np.save("a.npy", array)
    with pytest.raises(ValueError, match=r"^a\.npy: ") as error:
        read_images(Path("a.npy"))
    assert told in str(error.value)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_all_kinds_of_numbers(here, kind):
    tifffile.imwrite("a.tif", grey(kind))
    tifffile.imwrite("b.tif", grey(kind), compression="zlib")
    for name in ("a.tif", "b.tif"):
        np.testing.assert_array_equal(read_image(here / name), grey(np.float32))


def test_colours_of_a_tiff(here, capsys):
    tifffile.imwrite("a.tif", grey(np.uint8, (20, 30, 3)))
    assert cli.run(["atoms", "a.tif"]) == 1
    assert "a grey image wanted" in capsys.readouterr().err


def test_a_compression_that_wants_a_package(here, monkeypatch):
    def imread(_):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    tifffile.imwrite("a.tif", grey(), compression="zlib")
    monkeypatch.setattr(tifffile, "imread", imread)
    with pytest.raises(ImportError, match=r"a.tif.*pip install imagecodecs"):
        read_images(here / "a.tif")


def test_one_reader_of_a_suffix_may_fail(here, monkeypatch):
    """.mrc files are MRC's and MRCZ's, of which one wants another package."""

    class Reader:
        def __init__(self, name):
            self.name = name

        def file_reader(self, _, *, lazy=False):
            if self.name == "one" or lazy:
                raise ImportError("No module named 'one'")
            return [{"data": [[1.0, 2.0]]}]

    import rsciio

    plugins = [{"name": name, "api": name, "file_extensions": ["mrc"]} for name in ("one", "two")]
    monkeypatch.setattr(rsciio, "IO_PLUGINS", plugins)
    monkeypatch.setattr(images.importlib, "import_module", Reader)
    (here / "a.mrc").write_text("any")
    np.testing.assert_array_equal(read_images(here / "a.mrc"), [[1.0, 2.0]])


def test_what_the_function_refuses_names_the_file(here, capsys):
    np.save("a.npy", np.full((20, 30), np.nan))
    assert cli.run(["atoms", "a.npy"]) == 1
    assert capsys.readouterr().err.startswith("crewe: a.npy: image: finite numbers wanted")
