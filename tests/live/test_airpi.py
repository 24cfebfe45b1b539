"""AIRPI while the scan runs: the image of `crewe.imaging.airpi`, made in another thread, whatever the scan does."""

import re
import subprocess
import sys
import textwrap
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import crewe
from crewe import cuda
from crewe.imaging import airpi
from crewe.live import AIRPI, CenterOfMass, RiCOM, Session, VirtualDetector
from live.common import events_of

SCAN, DETECTOR, CENTER = (9, 7), (64, 64), (32.0, 32.0)
OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.2, "angle_per_pixel": 1.4266}
ORDER = np.arange(1.0, 10.0) / 45


class Known:
    """In the place of a network: the probe times exp(i·φ), φ a number that tells the nine patterns apart."""

    info = SimpleNamespace(options={"size": 64, "length": [10.0, 24.0], "fill": [0.1, 0.95]})
    provider = "none"

    def __init__(self, *, gate=None, fails_at=None):
        self.calls, self.gate, self.fails_at = 0, gate, fails_at

    def run(self, patterns, probes, *_):
        self.calls += 1
        if self.gate is not None and not self.gate.wait(20):
            raise TimeoutError
        if self.calls == self.fails_at:
            raise RuntimeError("out of order")
        total = patterns.astype(np.float64).sum((2, 3))
        phi = probes[:, 1] + (total @ ORDER / np.maximum(total.mean(axis=1), 1e-9) - 1)[:, None, None]
        return np.ascontiguousarray(np.stack([probes[:, 0] * np.cos(phi), probes[:, 0] * np.sin(phi)], 1), np.float32)


def counts(seed=0, scan=SCAN, detector=DETECTOR):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: detector[0], : detector[1]]
    disc = np.hypot(y - detector[0] / 2, x - detector[1] / 2) < 0.22 * min(detector)
    return rng.poisson(disc * rng.uniform(0.5, 4, (*scan, 1, 1))).astype(np.uint8)


def flat(frames):
    return frames.reshape(-1, *frames.shape[2:])


def session(model=None, ahead=64, optics=OPTICS, **options):
    images = {"airpi": AIRPI(**optics, model=model or Known(), ahead=ahead)}
    return Session(**{"scan": SCAN, "detector": DETECTOR, "images": images, "center": CENTER} | options)


def batch(frames, optics=OPTICS, **options):
    return np.angle(airpi(frames, **{"center": CENTER, "model": Known()} | optics | options))


def assert_same(got, want):
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-5)


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "too late"
        time.sleep(0.005)


@pytest.mark.parametrize("sizes", [(1,), (7,), (5, 30, 2), (63,)])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_of_any_size(sizes, threads):
    frames, first, turn = flat(counts()), 0, 0
    with session(threads=threads, rotation=0.3, transpose=True) as live:
        while first < len(frames):
            live.push(frames[first : first + sizes[turn % len(sizes)]])
            first, turn = first + sizes[turn % len(sizes)], turn + 1
    assert live["airpi"].dtype == np.float32
    assert_same(live["airpi"], batch(counts(), rotation=0.3, transpose=True))
    assert live.errors == {}


@pytest.mark.parametrize("order", ["serpentine", "columns", "shuffled"])
def test_any_order(order):
    places = np.arange(63)
    if order == "serpentine":
        places = places.reshape(SCAN)
        places[1::2] = places[1::2, ::-1]
    elif order == "columns":
        places = places.reshape(SCAN).T
    else:
        places = np.random.default_rng(1).permutation(places)
    places = places.ravel()
    with session(order="serpentine" if order == "serpentine" else places) as live:
        live.push(flat(counts())[places])
    assert_same(live["airpi"], batch(counts()))


def test_blocks_out_of_order():
    frames = flat(counts())
    with session() as live:
        for first in (40, 50, 0, 10, 20, 30, 60):
            live.push(frames[first : first + 10], first=first)
    assert_same(live["airpi"], batch(counts()))


@pytest.mark.parametrize(
    ("detector", "angle", "center"),
    [((256, 256), 0.3566, (127.5, 128.2)), ((120, 90), 0.9, (60.0, 44.0)), ((512, 512), 0.3, (250.0, 260.0))],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_detectors_of_any_size(detector, angle, center, dtype):
    """Their pixels are joined as they come."""
    optics, frames = {**OPTICS, "angle_per_pixel": angle}, counts(1, (4, 5), detector).astype(dtype)
    with session(scan=(4, 5), detector=detector, center=center, optics=optics, rotation=0.7) as live:
        live.push(flat(frames))
    assert_same(live["airpi"], batch(frames, optics, center=center, rotation=0.7))


def test_the_image_while_the_scan_runs():
    frames, whole = flat(counts()), batch(counts())
    with session() as live:
        assert not live["airpi"].any()
        live.push(frames[:35])
        wait_until(lambda: live["airpi"][3].any())
        reach = 4  # of patches [positions]
        part = np.array(live["airpi"])
        assert part[: 4 - reach + 1].any()
        assert not part[4 + reach :].any()
        changed = {name for name, _, _ in _updates_until_closed(live, lambda: live.push(frames[35:]))}
    assert changed == {"airpi"}
    assert_same(live["airpi"], whole)


def _updates_until_closed(live, then):
    closer = threading.Thread(target=lambda: (then(), live.close()))
    closer.start()
    found = list(live.updates(hz=100))
    closer.join()
    return found


@pytest.mark.parametrize("pushed", [3, 7, 25, 28, 61])
def test_a_scan_that_is_cut(pushed):
    """What is missing counts as empty; a scan that goes on after `finish` is whole in the end."""
    frames = flat(counts())
    part = frames.copy()
    part[pushed:] = 0
    with session() as live:
        live.push(frames[:pushed])
        live.finish()
        assert_same(np.array(live["airpi"]), batch(part.reshape(counts().shape)))
        live.finish()
        assert_same(np.array(live["airpi"]), batch(part.reshape(counts().shape)))
        live.push(frames[pushed:])
    assert_same(live["airpi"], batch(counts()))


def test_nothing_pushed():
    with session() as live:
        pass
    assert not live["airpi"].any()


def test_the_first_frame_of_a_position_counts():
    with session() as live:
        live.push(flat(counts()))
        live.push(flat(counts(3))[:30], first=0)
    assert_same(live["airpi"], batch(counts()))


def test_one_scan_after_the_other():
    with session() as live:
        for seed in range(4):
            live.push(flat(counts(seed))[: 63 if seed != 1 else 30])
            if seed != 1:  # the second is left as it is
                live.finish()
                assert_same(np.array(live["airpi"]), batch(counts(seed)))
            if seed < 3:
                live.next_scan()
                assert not live["airpi"].any()


def test_center_and_kind_of_the_next_scan():
    frames, coarse = counts(), {**OPTICS, "step": 0.4}
    with session(center="auto") as live:
        live.push(flat(frames))
        live.finish()
        assert_same(np.array(live["airpi"]), batch(frames, center=(31.5, 31.5)))
        found = live.center
        live.configure(airpi=AIRPI(**coarse, model=Known()), rotation=0.2)
        live.next_scan()
        live.push(flat(frames))
    assert_same(live["airpi"], batch(frames, coarse, rotation=0.2, center=found))


def test_to_and_from_other_kinds():
    frames, kind = counts(), AIRPI(**OPTICS, model=Known())
    with Session(scan=SCAN, detector=DETECTOR, images={"a": VirtualDetector()}, center=CENTER) as live:
        live.push(flat(frames))
        live.configure(a=kind)
        assert not live["a"].any()
        live.next_scan()
        live.push(flat(frames))
        live.finish()
        assert_same(np.array(live["a"]), batch(frames))
        live.configure(a=VirtualDetector())
        live.next_scan()
        live.push(flat(frames))
    np.testing.assert_array_equal(live["a"], frames.sum((2, 3)))


@pytest.mark.parametrize("seed", [None, 0])
def test_events(seed):
    frames = counts()
    with session() as live:
        for part in zip(*(np.array_split(column, 40) for column in events_of(frames, seed)), strict=True):
            live.push_events(*part)
    assert_same(live["airpi"], batch(frames))


def test_electrons_that_come_too_late():
    frames = counts()
    position, pixel = np.nonzero(frames.reshape(63, -1))
    live = session()
    for part in np.array_split(np.arange(len(position)), 40):
        live.push_events(position[part], pixel[part] // 64, pixel[part] % 64)
    live.push_events(np.array([1, 2]), np.array([32, 32]), np.array([32, 33]))
    with pytest.warns(RuntimeWarning, match="2 frames or electrons"):
        live.close()
    assert "came after" in str(live.errors["airpi"])
    assert_same(live["airpi"], batch((frames > 0).astype(np.uint8)))


def test_dead_pixels_dark_and_gain():
    frames, rng = counts(), np.random.default_rng(2)
    dark, gain = rng.random(DETECTOR).astype(np.float32), 1 + rng.random(DETECTOR).astype(np.float32) / 5
    with session(dark=dark, gain=gain) as live:
        live.push(flat(frames))
    assert_same(live["airpi"], batch(((frames - dark) * gain).astype(np.float32)))
    dead = np.zeros(DETECTOR, bool)
    dead[30:33, 28] = True
    with session(dead_pixels=dead) as live:
        live.push(flat(frames))
    assert_same(live["airpi"], batch(np.where(dead, 0, frames).astype(np.uint8)))


def test_who_pushes_does_not_wait_for_the_network():
    gate, frames = threading.Event(), flat(counts())
    with session(Known(gate=gate)) as live:
        live.push(frames)  # returns, though the network stands still
        assert live.done == 63
        assert live.behind >= 6
        gate.set()
    assert live.behind == 0
    assert_same(live["airpi"], batch(counts()))


def test_a_network_that_is_too_slow_holds_the_push_and_says_so():
    gate, frames = threading.Event(), counts()

    def push_lines():
        for line in frames:
            live.push(line)

    with session(Known(gate=gate), ahead=2) as live:
        threading.Timer(0.3, gate.set).start()
        with pytest.warns(RuntimeWarning, match="slower than the scan"):
            push_lines()
        assert gate.is_set(), "the push came back before there was room"
    assert_same(live["airpi"], batch(counts()))


def test_or_is_busy():
    gate, frames = threading.Event(), flat(counts())
    with session(Known(gate=gate), ahead=2, on_full="busy") as live:
        live.push(frames[:42])
        with pytest.raises(crewe.BusyError, match="wait for the network"):
            live.push(frames[42:])
        assert live.done == 42
        gate.set()
        wait_until(lambda: live.behind < 2)
        live.push(frames[42:])
    assert_same(live["airpi"], batch(counts()))


def test_a_network_that_fails_leaves_the_rest_alone():
    frames = counts()
    images = {"airpi": AIRPI(**OPTICS, model=Known(fails_at=3)), "sum": VirtualDetector(), "ricom": RiCOM(5)}
    with Session(scan=SCAN, detector=DETECTOR, images=images, center=CENTER) as live:
        live.push(flat(frames)[:42])
        wait_until(lambda: live.errors)
        assert str(live.errors["airpi"]) == "out of order"
        with pytest.warns(RuntimeWarning, match="'airpi': .* RuntimeError: out of order"):
            live.push(flat(frames)[42:])
        live.finish()
        np.testing.assert_array_equal(live["sum"], frames.sum((2, 3)))
        assert live["airpi"][:2].any()
        assert not live["airpi"][8].any()
        live.next_scan()
        assert live.errors == {}
        live.push(flat(frames))
    assert_same(live["airpi"], batch(frames))


@pytest.mark.filterwarnings("ignore:'airpi'")
def test_errors_at_the_very_end_are_told_too():
    with session(Known(fails_at=4)) as live:
        live.push(flat(counts())[:25])
    assert str(live.errors["airpi"]) == "out of order"


def test_ctrl_c_does_not_wait_for_the_network():
    gate, frames = threading.Event(), flat(counts())
    threading.Timer(1.0, gate.set).start()  # a batch in hand is waited for
    live = session(Known(gate=gate))

    def interrupted():
        with live:
            live.push(frames)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert live.closed
    assert live.behind == 0
    assert not live["airpi"].any()


def test_cancel():
    gate, frames = threading.Event(), flat(counts())
    with session(Known(gate=gate)) as live:
        live.push(frames)
        live.cancel()
        gate.set()
        live.finish()
        assert not live["airpi"].any()
        live.next_scan()
        live.push(frames)
    assert_same(live["airpi"], batch(counts()))


def test_a_session_that_is_forgotten_ends_its_thread():
    live = session()
    live.push(flat(counts()))
    thread = live._followers._all["airpi"]._thread
    del live
    wait_until(lambda: not thread.is_alive())


def test_a_source_by_run(tmp_path):
    np.save(tmp_path / "scan.npy", counts())
    images = {"airpi": AIRPI(**OPTICS, model=Known()), "com": CenterOfMass()}
    live = crewe.live.run(crewe.io.open(tmp_path / "scan.npy"), images, center=CENTER)
    assert_same(live["airpi"], batch(counts()))


def test_borrowed_blocks():
    frames, released = flat(counts()), []
    with session() as live:
        for first in range(0, 63, 9):
            live.push(frames[first : first + 9], release=lambda first=first: released.append(first))
    assert released == list(range(0, 63, 9))
    assert_same(live["airpi"], batch(counts()))


def test_wrong_options():
    for name in OPTICS:
        with pytest.raises(ValueError, match=name):
            AIRPI(**{**OPTICS, name: -1.0})
    with pytest.raises(ValueError, match="ahead"):
        AIRPI(**OPTICS, ahead=0)
    with pytest.raises(TypeError, match="ahead"):
        AIRPI(**OPTICS, ahead=1.5)
    with pytest.raises(crewe.ModelError, match="no such model"):
        session("no such model")
    with pytest.raises(ValueError, match="device"):
        session(device="quantum")
    if not cuda.available():
        with pytest.raises(crewe.DeviceError, match="device 'cuda'"):
            Session(scan=SCAN, detector=DETECTOR, images={"sum": VirtualDetector()}, device="cuda")
    with session() as live, pytest.raises(crewe.ModelError):
        live.configure(airpi=AIRPI(**OPTICS, model="no such model"))


MEMORY = """
import re
import numpy as np
from types import SimpleNamespace
from crewe import live

def peak():  # of resident memory [MiB]
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024

class Still:
    info = SimpleNamespace(options={"size": 64, "length": [10.0, 24.0], "fill": [0.1, 0.95]})
    provider = "none"

    def run(self, patterns, probes, *_):
        return np.repeat(probes, len(patterns), axis=0)

kind = live.AIRPI(energy=300e3, semiangle=20.0, step=0.2, angle_per_pixel=1.4266, model=Still(), ahead=4)
line = np.random.default_rng(0).poisson(1, (128, 64, 64)).astype(np.uint8)
with live.Session(scan=(128, 128), detector=(64, 64), images={"airpi": kind}, center=(32.0, 32.0)) as session:
    start = peak()
    for scan in range(2):
        for _ in range(128):
            session.push(line)
        session.finish()
        print(peak() - start)
        session.next_scan()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read the Linux way")
def test_memory_is_that_of_some_lines():
    """The patterns of a line take 2 MiB, those of the scan 256."""
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(MEMORY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    first, second = map(float, re.findall(r"[\d.]+", done.stdout))
    assert first < 64
    assert second < first + 8
