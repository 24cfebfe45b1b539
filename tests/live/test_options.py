"""Scan shapes, corrected patterns, annular centre of mass."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from crewe.live import CenterOfMass, RiCOM, VirtualDetector
from live.common import CENTER, DETECTOR, SCAN, assert_bits, batch, flat, patterns, session_for
from reference import live as reference


def push_cut(session, data, seed=0):
    """In blocks of any length."""
    cuts = np.unique(np.r_[0, np.random.default_rng(seed).integers(0, len(data), 6), len(data)])
    for a, b in itertools.pairwise(cuts):
        session.push(data[a:b])


@given(flyback=st.integers(0, 4), skip=st.integers(0, 5), serpentine=st.booleans(), seed=st.integers(0, 9))
def test_rows_with_flyback_and_skipped_frames(flyback, skip, serpentine, seed):
    frames = patterns(seed=seed)
    rng = np.random.default_rng(seed)
    rows = []
    for i, row in enumerate(frames):
        rows += [row[::-1] if serpentine and i % 2 else row, rng.integers(0, 50, (flyback, *DETECTOR))]
    data = np.concatenate([rng.integers(0, 50, (skip, *DETECTOR)), *rows]).astype(np.uint16)
    order = "serpentine" if serpentine else "raster"
    with session_for(frames, flyback=flyback, skip=skip, order=order) as session:
        push_cut(session, data, seed)
        assert session.done == 99
        with pytest.raises(ValueError, match=f"{len(data)} frames"):
            session.push(data[:1])
        session.push(data[skip : skip + 5], first=skip)
    assert_bits(session, batch(frames))
    with session_for(frames, flyback=flyback, skip=skip, order=order) as session:
        session.push(data[: len(data) - flyback])
        assert session.done == 99, "the last flyback need not come"
    assert_bits(session, batch(frames))


@given(seed=st.integers(0, 2**32 - 1))
def test_any_list_of_positions(seed):
    rng = np.random.default_rng(seed)
    frames = patterns(seed=1)
    order = rng.permutation(99) if seed % 2 else np.arange(99)[:: -1 if seed % 4 else 1]
    holes = np.insert(order, rng.integers(0, 99, 8), -1)
    data = np.where((holes < 0)[:, None, None], 7, flat(frames)[holes]).astype(np.uint16)
    with session_for(frames, order=holes, skip=2) as session:
        push_cut(session, np.concatenate([data[:2], data]), seed)
        assert session.done == 99
    assert_bits(session, batch(frames))


def test_a_list_may_leave_positions_out_or_name_them_twice():
    frames = patterns(seed=2)
    with session_for(frames, order=[5, 6, 7, 5, 98, 0]) as session:
        session.push(flat(frames)[[1, 6, 7, 5, 98, 0]])
    seen = np.zeros_like(flat(frames))
    seen[[5, 6, 7, 98, 0]] = flat(frames)[[5, 6, 7, 98, 0]]
    assert session.done == 5
    names = ("com", "ricom", "band", "ring", "field", "icom")
    assert_bits(session, batch(seen.reshape(frames.shape)), names=names)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_dead_pixels_dark_and_gain(dtype):
    rng = np.random.default_rng(3)
    frames = patterns(dtype=dtype, seed=3)
    dead = rng.random(DETECTOR) < 0.1
    dark, gain = rng.uniform(0, 0.2, DETECTOR), rng.uniform(0.5, 2, DETECTOR)
    dark, gain = dark.astype(np.float32), gain.astype(np.float32)
    hot = frames.copy()
    hot[..., dead] = 200
    if dtype == "f4":
        hot[0, 3][dead] = np.nan  # a dead pixel may say anything
    model = reference.Session(SCAN, DETECTOR, dark=dark.astype(np.float64), gain=gain.astype(np.float64), dead=dead)
    for i, frame in enumerate(flat(frames)):
        model.push(i, frame)
    with session_for(frames, dead_pixels=dead, dark=dark, gain=gain) as session:
        push_cut(session, flat(hot))
    com = model.com(CENTER)
    assert np.abs(session["com"] - com).max() < 1e-4
    assert np.abs(session["ricom"] - reference.integrate(com, 7)).max() < 1e-4
    assert np.allclose(session["ring"], model.detector_image(3.0, 7.5, CENTER), rtol=1e-5, atol=1e-5)
    assert np.allclose(session["sum"], model.patterns.sum((0, 1)), rtol=1e-5, atol=1e-4)


def test_dead_pixels_alone_are_exact():
    frames = patterns(seed=4)
    dead = np.zeros(DETECTOR, bool)
    dead[3, 4] = dead[9, :] = True
    hot = frames.copy()
    hot[..., dead] = 60000
    clean = np.where(dead, 0, frames).astype(np.uint16)
    with session_for(frames, dead_pixels=dead) as session:
        push_cut(session, flat(hot))
    assert_bits(session, batch(clean))


def test_annular_and_masked_center_of_mass():
    frames = patterns(seed=5)
    ring = imaging_ring(2.0, 6.0)
    with session_for(frames, com_radii=(2.0, 6.0)) as session:
        session.push(flat(frames))
    assert np.array_equal(session["com"], imaging.com(frames, center=CENTER, mask=ring))
    mask = np.random.default_rng(6).uniform(0, 1, DETECTOR).astype(np.float32)
    with session_for(frames, com_mask=mask) as session:
        session.push(flat(frames))
    assert np.array_equal(session["com"], imaging.com(frames, center=CENTER, mask=mask))
    with session_for(frames, com_mask=mask, com_radii=(0.0, 6.0)) as session:
        session.push(flat(frames))
    want = imaging.com(frames, center=CENTER, mask=mask * imaging_ring(0.0, 6.0))
    assert np.array_equal(session["com"], want)
    assert np.array_equal(session["ring"], batch(frames)["ring"]), "virtual detectors don't know of it"


def imaging_ring(inner, outer):
    y, x = np.ogrid[: DETECTOR[0], : DETECTOR[1]]
    squared = (y - CENTER[0]) ** 2 + (x - CENTER[1]) ** 2
    return ((squared >= inner**2) & (squared < outer**2)).astype(np.float32)


def test_patterns_that_cancel_show_nothing():
    """With a dark signal the counts of a pattern can be anything, 0 too."""
    frames = np.ones((2, 2, 4, 4), np.uint8)
    with session_for(frames, images={"com": CenterOfMass(), "ricom": RiCOM(3)}, dark=np.ones((4, 4))) as session:
        session.push(flat(frames))
    assert not session["com"].any()
    assert not session["ricom"].any()


def test_one_position_one_pixel():
    frames = np.full((1, 1, 1, 1), 5, np.uint8)
    images = {"com": CenterOfMass(), "ricom": RiCOM(3), "all": VirtualDetector()}
    with session_for(frames, images=images, center="auto") as session:
        session.push(flat(frames))
    assert session["all"][0, 0] == 5
    assert not session["ricom"].any()


MEMORY = """
import sys
from pathlib import Path
import numpy as np
from crewe.io.sources import EVENT
from crewe.live import RiCOM, Session, VirtualDetector

def peak():  # [kB], of this program alone: getrusage counts from before it was started, too
    return next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)

n, peaks = 4096, []
frames, events = np.ones((n, 2, 2), np.uint8), np.zeros(2 * n, EVENT)
with Session(scan=(n, n), detector=(2, 2), images={"ricom": RiCOM(3), "ring": VirtualDetector(0.1)}) as session:
    for scan in range(2 if sys.argv[1] == "events" else 1):
        for row in range(n):
            if sys.argv[1] == "frames":
                session.push(frames)
            else:
                events["position"] = np.repeat(np.arange(row * n, row * n + n), 2)
                session._core.push_records(events)
        session.finish()
        assert session.done == n * n
        peaks.append(peak())
        session.next_scan()
print(*peaks)
"""


@pytest.mark.parametrize("what", ["frames", "events"])
def test_memory_of_a_large_scan(what):
    """A session on 4096 x 4096 positions with two images stays under 1 GB, and the second scan takes nothing."""
    done = subprocess.run([sys.executable, "-c", MEMORY, what], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    peaks = [1024 * int(word) for word in done.stdout.split()]
    assert peaks[-1] < 1e9
    assert peaks[-1] - peaks[0] < 1 << 20, "a page of code that is run for the first time counts too"
