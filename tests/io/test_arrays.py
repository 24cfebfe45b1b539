"""Arrays in files, and the door that tells formats apart."""

import gc
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import crewe.io
from crewe import FormatError
from crewe.io.arrays import ArraySource


def frames_of(source):
    return np.concatenate([frames for _, frames in source])


def patterns(*shape, dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 250, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", ">u4", "<f4", ">f4"])
@pytest.mark.parametrize("shape", [(3, 4, 5, 6), (7, 5, 6), (5, 6)])
def test_npy(tmp_path, dtype, shape):
    images = patterns(*shape, dtype=dtype)
    np.save(tmp_path / "a.data", images)
    (tmp_path / "a.data.npy").rename(tmp_path / "a.data")  # by content, not by name
    with crewe.io.open(tmp_path / "a.data") as source:
        n = int(np.prod(shape[:-2]))
        assert source.scan == (shape[:2] if len(shape) == 4 else (1, n))
        assert (source.detector, source.dtype, len(source)) == ((5, 6), images.dtype.newbyteorder("="), n)
        assert np.array_equal(frames_of(source), images.reshape(n, 5, 6))
        assert np.array_equal(source[-1], images.reshape(n, 5, 6)[-1])
        assert all(isinstance(frames.base, np.memmap) for _, frames in source.raw_blocks()), "mapped, not read"
        for wrong in (n, -n - 1):
            with pytest.raises(IndexError):
                source[wrong]


def test_npy_that_is_none(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((2, 3, 4, 5)))
    with pytest.raises(TypeError, match=r"a\.npy.*float64 came"):
        crewe.io.open(path)
    np.save(path, np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match=r"\(3,\) came"):
        crewe.io.open(path)
    np.save(path, patterns(4, 8, 8))
    for wrong in (b"(", b"0", b"\0"):  # in place of the brace that begins the header
        damaged = tmp_path / "damaged.npy"
        damaged.write_bytes(path.read_bytes().replace(b"{", wrong, 1))
        with pytest.raises(crewe.FormatError, match=r"damaged\.npy: no whole \.npy"):
            crewe.io.open(damaged)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FormatError, match="at byte 300"):
        crewe.io.open(path)
    np.save(path, np.array([{}], object))
    with pytest.raises(FormatError, match="objects"):
        crewe.io.open(path)


def test_options_of_frames(tmp_path):
    np.save(tmp_path / "a.npy", patterns(12, 4, 4))
    source = crewe.io.open(tmp_path / "a.npy", scan=(3, 4), skip=2, flyback=1)
    assert (source.scan, source.skip, source.flyback, len(source)) == ((3, 4), 2, 1, 12)
    with pytest.raises(TypeError, match=r"NumPy: options out of scan, skip, flyback wanted, 'dwell' came"):
        crewe.io.open(tmp_path / "a.npy", dwell=1)
    with pytest.raises(ValueError, match="one NumPy file"):
        crewe.io.open([tmp_path / "a.npy"] * 2)


@pytest.mark.parametrize("cut", ["rows", "columns", "positions", "all"])
def test_strided_memory_is_not_copied(cut, monkeypatch):
    monkeypatch.setattr("crewe.io.arrays.BLOCK_BYTES", 200)
    images = patterns(6, 8, 5, 7)
    view = {"rows": images[:, :, ::2], "columns": images[..., ::2], "positions": images[:, ::2], "all": images}[cut]
    source = ArraySource(view)
    assert np.array_equal(frames_of(source), view.reshape(-1, *view.shape[2:]))
    assert all(np.shares_memory(frames, images) for _, frames in source.raw_blocks())
    assert [first for first, _ in source] == np.cumsum([0, *(len(frames) for _, frames in source)])[:-1].tolist()


def empad(path, n):
    raw = np.arange(n * 130 * 128, dtype="<f4").reshape(n, 130, 128)
    path.write_bytes(raw.tobytes())
    return raw[:, :128]


def test_empad(tmp_path):
    path = tmp_path / "scan_x3_y2.raw"
    images = empad(path, 6)
    source = crewe.io.open(path)
    assert (source.scan, source.detector, source.dtype) == ((2, 3), (128, 128), np.float32)
    assert np.array_equal(frames_of(source), images)
    assert crewe.io.open(path, scan=(3, 2)).scan == (3, 2)
    other = tmp_path / "series.raw"
    empad(other, 6)
    assert crewe.io.open(other).scan == (1, 6)
    (tmp_path / "broken.xml").write_text("<root")
    (tmp_path / "another.xml").write_text(
        '<root><raw_file filename="else.raw"/><pix_x>6</pix_x><pix_y>1</pix_y></root>'
    )
    (tmp_path / "about.xml").write_text(
        '<root><raw_file filename="C:/data/series.raw"/><pix_x>2</pix_x><pix_y>3</pix_y></root>'
    )
    assert crewe.io.open(other).scan == (3, 2)


def test_unknown_files(tmp_path):
    path = tmp_path / "a.nonsense"
    path.write_bytes(b"who knows")
    with pytest.raises(FormatError, match=r"a\.nonsense"):
        crewe.io.open(path)
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="empty"):
        crewe.io.open(path)
    with pytest.raises(FileNotFoundError):
        crewe.io.open(tmp_path / "nothing.mib")


def test_rosettasciio_reads_what_we_save(tmp_path):
    pytest.importorskip("rsciio")
    image = np.random.default_rng(1).random((5, 6)).astype(np.float32)
    for suffix in (".hspy", ".zspy", ".emd", ".tif"):
        crewe.io.save(tmp_path / f"a{suffix}", {"one": image})
        source = crewe.io.open(tmp_path / f"a{suffix}")
        assert (source.scan, source.detector, source.dtype) == ((1, 1), (5, 6), np.float32)
        assert np.array_equal(source[0], image)
        assert np.array_equal(frames_of(source), image[np.newaxis])
        del source
        with warnings.catch_warnings(action="ignore"):
            gc.collect()  # RosettaSciIO leaves the file of a .tif open


def test_rosettasciio_in_blocks(tmp_path):
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("rsciio")
    images = patterns(5, 4, 6, 7, dtype=np.int32)
    path = tmp_path / "a.emd"
    with h5py.File(path, "w") as file:
        file.attrs.update({"version_major": 0, "version_minor": 2})
        group = file.create_group("data/cube")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", data=images, chunks=(2, 4, 6, 7))
        for k in range(4):
            group.create_dataset(f"dim{k}", data=np.arange(images.shape[k])).attrs.update({"name": str(k), "units": ""})
    with pytest.raises(TypeError, match=r"int32 came; dtype='float32' casts"):
        crewe.io.open(path)
    source = crewe.io.open(path, dtype="uint16", flyback=1)
    assert (source.scan, source.detector, source.dtype, source.flyback) == ((5, 4), (6, 7), np.uint16, 1)
    assert [first for first, _ in source] == [0, 8, 16]
    assert np.array_equal(frames_of(source), images.reshape(20, 6, 7))
    assert np.array_equal(source[7], images[1, 3])
    broken = tmp_path / "b.emd"
    broken.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FormatError, match="RosettaSciIO can't read it"):
        crewe.io.open(broken)


def test_rosettasciio_finds_no_frames(tmp_path):
    pytest.importorskip("rsciio")
    crewe.io.save(tmp_path / "a.hspy", {"ssb": np.ones((5, 6), np.complex64)})
    with pytest.raises(ValueError, match=r"numbers \(sy, sx, ky, kx\).*complex64 \(5, 6\) came"):
        crewe.io.open(tmp_path / "a.hspy")


def test_rosettasciio_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "a.dm4").write_bytes(b"something")
    monkeypatch.setitem(sys.modules, "rsciio", None)
    with pytest.raises(ImportError, match=r"crewe\[io\]"):
        crewe.io.open(tmp_path / "a.dm4")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's own account wanted")
def test_a_read_file_takes_no_memory(tmp_path):
    """Pages of a mapped file that was gone through are let go: a long scan takes no more memory than a short one."""

    def mapped():
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile"))
        return int(line.split()[1])

    with open(tmp_path / "a.npy", "wb") as file:
        np.save(file, np.zeros((600, 256, 256), np.uint16))
    source = crewe.io.open(tmp_path / "a.npy")
    before = mapped()
    assert sum(int(frames[0, 0, 0]) + len(frames) for _, frames in source) == 600
    assert mapped() - before < 50_000, "kB of 79 MB that were read"
