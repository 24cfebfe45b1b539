"""Images in files, read back by others; and files that stay whole whatever happens."""

import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from crewe.io import save

SUFFIXES = [".hspy", ".zspy", ".h5", ".emd", ".tif", ".npy", ".png"]


def some_images():
    rng = np.random.default_rng(0)
    return {
        "ricom": rng.normal(size=(20, 30)).astype(np.float32),
        "adf/1": rng.integers(0, 1000, (20, 30)).astype(np.uint16),
        "com": rng.normal(size=(20, 30, 2)).astype(np.float32),
        "sum": rng.random((7, 8)),
        "ssb": np.exp(1j * rng.random((20, 30))).astype(np.complex64),
    }


def stacked(image):
    return np.moveaxis(image, -1, 0) if image.ndim == 3 else image


METADATA = {"step": (0.2, 0.3), "kernel": 61, "done": True, "center": (1.5, np.float32(2)), "none": None,
            "source": {"name": "µ/Å", "mask": np.arange(3), "thing": object}}  # fmt: skip


@pytest.mark.parametrize(("plugin", "suffix"), [("hspy", ".hspy"), ("zspy", ".zspy"), ("emd", ".h5"), ("emd", ".emd")])
def test_hyperspy_reads_it(tmp_path, plugin, suffix):
    reader = pytest.importorskip(f"rsciio.{plugin}")
    images = some_images()
    assert save(tmp_path / f"a{suffix}", images, metadata=METADATA) == [tmp_path / f"a{suffix}"]
    signals = reader.file_reader(str(tmp_path / f"a{suffix}"))
    titles = {name.replace("/", "-") if plugin == "emd" else name: image for name, image in images.items()}
    assert {signal["metadata"]["General"]["title"] for signal in signals} == set(titles)
    for signal in signals:
        image = titles[signal["metadata"]["General"]["title"]]
        assert np.array_equal(signal["data"], stacked(image))
        assert signal["data"].dtype == image.dtype
        y, x = signal["axes"][-2:]
        assert (y["name"], x["name"], y["units"], x["units"]) == ("y", "x", "Å", "Å")
        assert (y["scale"], x["scale"]) == (pytest.approx(0.2), pytest.approx(0.3))
        if plugin != "emd":
            assert [axis["navigate"] for axis in signal["axes"]] == [True] * (image.ndim - 2) + [False] * 2
            original = signal["original_metadata"]
            assert (original["kernel"], original["done"], original["center"]) == (61, True, "[1.5, 2.0]")
            assert original["source"]["name"] == "µ/Å"
            assert original["source"]["mask"] == "[0, 1, 2]"
            assert "none" not in original


def test_tiff(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    reader = pytest.importorskip("rsciio.tiff")
    images = some_images()
    paths = save(tmp_path / "a.tif", images, metadata=METADATA)
    assert [path.name for path in paths] == ["a-ricom.tif", "a-adf_1.tif", "a-com.tif", "a-sum.tif", "a-ssb.tif"]
    for path, image in zip(paths, images.values(), strict=True):
        assert np.array_equal(tifffile.imread(path), stacked(image))
    axes = reader.file_reader(str(paths[0]))[0]["axes"]
    assert [(axis["scale"], axis["units"]) for axis in axes] == [
        (pytest.approx(2e-5, rel=1e-6), "µm"),
        (pytest.approx(3e-5, rel=1e-6), "µm"),
    ]
    with tifffile.TiffFile(paths[0]) as file:
        assert '"kernel": 61' in file.imagej_metadata["Info"]


def test_npy_and_png(tmp_path):
    pictures = pytest.importorskip("matplotlib.image")
    images = some_images()
    for path, image in zip(save(tmp_path / "a.npy", images), images.values(), strict=True):
        assert np.array_equal(np.load(path), image)
    for path, image in zip(save(tmp_path / "a.png", images, metadata=METADATA), images.values(), strict=True):
        shape = pictures.imread(path).shape
        assert shape == ((20, 30, 3) if image.ndim == 3 else image.shape)
    assert save(tmp_path / "one.png", {"any name": images["sum"]}) == [tmp_path / "one.png"]


@pytest.mark.parametrize(
    ("name", "images", "message"),
    [
        ("a.nonsense", some_images(), r"\.hspy.*'a\.nonsense' came"),
        ("a", some_images(), "format"),
        ("a.npy", {}, "dict"),
        ("a.npy", np.zeros((3, 4)), "ndarray came"),
        ("a.npy", {"a": np.zeros(3)}, r"'a'.*\(3,\) came"),
        ("a.npy", {"a": np.zeros((3, 4, 3))}, r"\(3, 4, 3\) came"),
        ("a.npy", {"a": np.zeros((0, 4))}, "pixel"),
        ("a.npy", {"a": np.array([["b"]])}, "numbers"),
        ("a.npy", {3: np.zeros((3, 4))}, "names"),
        ("a.npy", {"a/b": np.zeros((3, 4)), "a:b": np.zeros((3, 4))}, "differ"),
    ],
)
def test_wrong_arguments(tmp_path, name, images, message):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / name, images)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_such_folder(tmp_path, suffix):
    path = tmp_path / "missing" / f"a{suffix}"
    with pytest.raises(FileNotFoundError, match="missing"):
        save(path, {"a": np.zeros((3, 4), np.float32)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix):
    """In a process of its own, which may not write more than 100 kB into a file."""
    limit, modules = 100_000, {".hspy": "h5py", ".h5": "h5py", ".emd": "h5py", ".tif": "tifffile", ".zspy": "zarr"}
    package = f"import {modules[suffix]}" if suffix in modules else ""
    path = tmp_path / f"a{suffix}"
    save(path, {"a": np.ones((3, 4), np.float32)})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    script = f"""
        import resource
        import numpy as np
        {package}
        from crewe.io import save
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        noise = np.random.default_rng(0).random((400, 400)).astype(np.float32)
        try:
            save({str(path)!r}, {{"a": noise}})
        except OSError as error:
            print(error)
        """
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=120
    )
    assert str(path) in done.stdout
    assert "large" in done.stdout
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_ctrl_c_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    save(path, {"a": np.ones((3, 4))})

    def interrupted(self, data):
        with self.open("wb") as file:
            file.write(data[:50])
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(path, {"a": np.zeros((5, 6))})
    assert [file.name for file in tmp_path.iterdir()] == ["a.npy"]
    assert np.load(path).shape == (3, 4)


@pytest.mark.parametrize(
    ("suffix", "package"), [(".hspy", "h5py"), (".zspy", "zarr"), (".h5", "h5py"), (".tif", "tifffile")]
)
def test_packages_that_are_not_there(tmp_path, monkeypatch, suffix, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"\{suffix} files are written with {package}.*crewe\[io\]"):
        save(tmp_path / f"a{suffix}", {"a": np.zeros((3, 4), np.float32)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".hspy", ".h5"])
def test_metadata_of_any_kind(tmp_path, suffix):
    """What other programs' files tell of themselves comes in all types."""
    pytest.importorskip({".tif": "tifffile", ".hspy": "h5py", ".h5": "h5py"}.get(suffix, "numpy"))
    odd = {"id": np.bytes_(b"IMGBLO"), "unit": b"\xb5m", "when": np.datetime64("2026-01-02"), "gain": np.float32(0.5)}
    metadata = {"source": odd | {"list": [1, b"x", np.int8(2)], "nothing": None}, "done": np.bool_(True)}
    (path,) = save(tmp_path / f"a{suffix}", {"ricom": np.ones((3, 4), np.float32)}, metadata=metadata)
    content = path.read_bytes().replace(b"\0", b"")  # ImageJ's notes have two bytes per letter
    assert b"IMGBLO" in content
    assert b"2026-01-02" in content
