"""Phases while the scan runs: those of `crewe.imaging.ssb`, however the patterns come."""

import numpy as np
import pytest

from crewe.imaging import ssb
from crewe.live import ICOM, SSB, Session
from crewe.optics import Aberrations
from live.common import PLACE, events_of

pytestmark = pytest.mark.usefixtures("place")

SCAN, DETECTOR, CENTER = (20, 17), (24, 26), (11.2, 12.9)
OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.3, "angle_per_pixel": 2.5}
LENS = Aberrations(C10=60.0, C12=20.0, phi12=0.3)


def counts(seed=0, scan=SCAN):
    return np.random.default_rng(seed).poisson(6, (*scan, *DETECTOR)).astype(np.uint16)


def session(kind=None, scan=SCAN, **options):
    images = {"ssb": kind or SSB(**OPTICS)}
    return Session(scan=scan, detector=DETECTOR, images=images, **({"center": CENTER} | PLACE | options))


def phase(frames, **options):
    return np.angle(ssb(frames, **({"center": CENTER} | OPTICS | options)))


def assert_same(got, want):
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * np.ptp(want))


@pytest.mark.parametrize("sizes", [(1,), (17,), (5, 30, 2), (340,)])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_of_any_size(sizes, threads):
    frames = counts().reshape(-1, *DETECTOR)
    with session(threads=threads, rotation=0.3, transpose=True) as live:
        first = turn = 0
        while first < len(frames):
            live.push(frames[first : first + sizes[turn % len(sizes)]])
            first, turn = first + sizes[turn % len(sizes)], turn + 1
    assert_same(live["ssb"], phase(counts(), rotation=0.3, transpose=True))


@pytest.mark.parametrize("options", [{"aberrations": LENS}, {"wiener": 1.0}, {"aberrations": LENS, "wiener": 0.1}])
def test_lens_and_filter(options):
    with session(SSB(**OPTICS, **options)) as live:
        live.push(counts().reshape(-1, *DETECTOR))
    assert_same(live["ssb"], phase(counts(), **options))


@pytest.mark.parametrize("order", ["serpentine", "columns", "shuffled"])
def test_any_order(order):
    frames, places = counts().reshape(-1, *DETECTOR), np.arange(340)
    if order == "serpentine":
        places = places.reshape(SCAN)
        places[1::2] = places[1::2, ::-1]
    elif order == "columns":
        places = places.reshape(SCAN).T
    else:
        places = np.random.default_rng(1).permutation(places)
    places = places.ravel()
    with session(order="serpentine" if order == "serpentine" else places) as live:
        live.push(frames[places])
    assert_same(live["ssb"], phase(counts()))


def test_a_part_of_the_scan_is_that_part_of_the_image():
    frames = counts().reshape(-1, *DETECTOR)
    with session(threads=1) as live:
        live.push(frames[:200])
        zeros = np.zeros_like(frames)
        zeros[:200] = frames[:200]
        want = phase(zeros.reshape(counts().shape)) * 200 / 340  # of the mean of all positions
        assert_same(np.array(live["ssb"]), want)
        live.push(frames[200:])
        assert_same(np.array(live["ssb"]), phase(counts()))


def test_the_first_frame_of_a_position_counts():
    frames = counts().reshape(-1, *DETECTOR)
    with session() as live:
        live.push(frames)
        live.push(counts(3).reshape(-1, *DETECTOR)[:100], first=0)
    assert_same(live["ssb"], phase(counts()))


def test_one_scan_after_the_other():
    with session() as live:
        for seed in range(3):
            live.push(counts(seed).reshape(-1, *DETECTOR)[: 340 if seed != 1 else 57])
            if seed != 1:
                assert_same(np.array(live["ssb"]), phase(counts(seed)))
            if seed < 2:
                live.next_scan()
                assert not live["ssb"].any()


@pytest.mark.parametrize("seed", [None, 0])
def test_events(seed):
    frames = counts()
    with session() as live:
        for part in zip(*(np.array_split(column, 5) for column in events_of(frames, seed)), strict=True):
            live.push_events(*part)
    assert_same(live["ssb"], phase(frames))


def test_dead_pixels_dark_and_gain():
    frames = counts()
    rng = np.random.default_rng(2)
    dark, gain = rng.random(DETECTOR).astype(np.float32), 1 + rng.random(DETECTOR).astype(np.float32) / 5
    with session(dark=dark, gain=gain) as live:
        live.push(frames.reshape(-1, *DETECTOR))
    assert_same(live["ssb"], phase(((frames - dark) * gain).astype(np.float32)))
    dead = np.zeros(DETECTOR, bool)
    dead[9:12, 14] = True
    hot = np.where(dead, 60000, frames).astype(np.uint16)
    with session(dead_pixels=dead) as live:
        live.push(hot.reshape(-1, *DETECTOR))
    assert np.corrcoef(live["ssb"].ravel(), phase(frames).ravel())[0, 1] > 0.97


def test_changes_take_effect_with_the_next_scan():
    frames = counts().reshape(-1, *DETECTOR)
    with session() as live:
        live.push(frames[:100])
        live.configure(ssb=SSB(**OPTICS, wiener=1.0), rotation=0.5, center=(11.0, 12.0))
        live.push(frames[100:])
        assert_same(np.array(live["ssb"]), phase(counts()))
        live.next_scan()
        live.push(frames)
        assert_same(np.array(live["ssb"]), phase(counts(), wiener=1.0, rotation=0.5, center=(11.0, 12.0)))
        for bad in ({"center": (500.0, 3.0)}, {"ssb": SSB(**(OPTICS | {"semiangle": 0.01}))}):
            with pytest.raises(ValueError, match="disc"):
                live.configure(**bad)
        live.configure(ssb=ICOM())
        assert np.array(live["ssb"]).any()
        live.configure(ssb=SSB(**OPTICS))
        assert not live["ssb"].any()
        live.next_scan()
        live.push(frames)
        assert_same(np.array(live["ssb"]), phase(counts(), rotation=0.5, center=(11.0, 12.0)))


def test_the_centre_of_the_scan_before():
    frames = counts()
    frames[:, :, :4] = 0  # the mean centre of mass lies lower than the array's centre
    with session(center="auto") as live:
        live.push(frames.reshape(-1, *DETECTOR))
        assert_same(np.array(live["ssb"]), phase(frames, center=None))
        for rotation in (0.0, 0.5):  # turned while the scan runs, or not
            live.configure(rotation=rotation)
            live.next_scan()
            live.push(frames.reshape(-1, *DETECTOR))
            found = live.center
            assert found[0] > 12.5
            assert_same(np.array(live["ssb"]), phase(frames, center=found, rotation=rotation))


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"energy": 300.0}, ValueError), ({"semiangle": 0.0}, ValueError), ({"step": np.nan}, ValueError),
        ({"angle_per_pixel": -2.0}, ValueError), ({"wiener": 0.0}, ValueError), ({"aberrations": 3.0}, TypeError),
    ],
)  # fmt: skip
def test_bad_kinds(bad, error):
    with pytest.raises(error):
        SSB(**(OPTICS | bad))
    with pytest.raises(ValueError, match="disc"):
        session(SSB(**(OPTICS | {"angle_per_pixel": 5000.0})))
