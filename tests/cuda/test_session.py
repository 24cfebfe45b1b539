"""Sessions that sum on a GPU; that their images have the bits of the CPU is seen in tests/live."""

import numpy as np
import pytest

import crewe
from crewe import cuda
from crewe.live import SSB, RiCOM, Session, Sum, VirtualDetector
from live.common import CENTER, assert_bits, batch, flat, images, patterns


def session(frames, **options):
    options = {"images": images(), "center": CENTER, "threads": 1, "device": "cuda", **options}
    return Session(scan=frames.shape[:2], detector=frames.shape[2:], **options)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_scans_of_many_chunks(emulator, monkeypatch, dtype):
    """A chunk is a part of what is free: with little memory a push takes many of them."""
    monkeypatch.setenv("CREWE_EMULATOR_MEMORY", str(1 << 17))
    frames = patterns(dtype=dtype)
    with session(frames) as run:
        for _ in range(3):
            run.next_scan()
            run.push(flat(frames)[:50])
            run.push(flat(frames)[50:])
    assert_bits(run, batch(frames))
    if dtype == "f4":
        bad = flat(frames).copy()
        bad[97, 3, 4] = np.nan
        with session(frames) as run:
            with pytest.raises(ValueError, match="frame 97 of the block"):
                run.push(bad)
            assert run.done == 0
            assert not run["ricom"].any()


def test_page_locked_and_strided_frames(gpu):
    frames = patterns()
    locked = cuda.pinned(flat(frames).shape, frames.dtype)
    locked[:] = flat(frames)
    wide = np.zeros((99, 36, 48), np.uint16)
    wide[:, ::2, ::3] = flat(frames)
    for data in (locked, wide[:, ::2, ::3], np.asfortranarray(flat(frames))):
        with session(frames) as run:
            run.push(data, release=None)
            run.flush()
        assert_bits(run, batch(frames))


def test_an_error_of_the_gpu_keeps_what_was_done(emulator, monkeypatch):
    frames = patterns()
    with session(frames, images={"ricom": RiCOM(7), "all": VirtualDetector(), "sum": Sum()}) as run:
        run.push(flat(frames)[:40])
        before = {name: run[name].copy() for name in run}
        monkeypatch.setenv("CREWE_EMULATOR_FAIL", "1")
        with pytest.raises(crewe.DeviceError, match="CREWE_EMULATOR_FAIL"):
            run.push(flat(frames)[40:60])
        run.push(flat(frames)[60:70], first=60, release=None)
        with pytest.raises(crewe.DeviceError, match="CREWE_EMULATOR_FAIL"):
            run.flush()
        assert run.done == 40
        for name, image in before.items():
            np.testing.assert_array_equal(run[name], image)
        monkeypatch.delenv("CREWE_EMULATOR_FAIL")
        run.push(flat(frames)[40:], first=40)
    assert run.done == 99
    np.testing.assert_array_equal(run["all"], batch(frames)["all"])


def test_single_sideband_ptychography(gpu):
    frames = patterns((12, 10), (16, 16))
    kind = SSB(energy=300e3, semiangle=20.0, step=0.3, angle_per_pixel=4.5)
    found = {}
    for device in ("cpu", "cuda"):
        with session(frames, images={"ssb": kind}, center=(7.5, 7.5), device=device) as run:
            for at in range(0, 120, 7):
                run.push(flat(frames)[at : at + 7])
        found[device] = run["ssb"].copy()
    np.testing.assert_allclose(found["cuda"], found["cpu"], atol=1e-5 * np.abs(found["cpu"]).max())


def test_wrong_devices(gpu):
    for wrong, error in (("gpu", ValueError), ("cuda:99", crewe.DeviceError)):
        with pytest.raises(error, match="device"):
            session(patterns(), device=wrong)
