"""Events into a session: the images of the frames that they make up, in any order and in any pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import imaging
from crewe.io.sources import EVENT
from crewe.live import ICOM, CenterOfMass, RiCOM, Session, Sum, VirtualDetector
from live.common import (
    CENTER,
    DETECTOR,
    SCAN,
    assert_bits,
    assert_close,
    batch,
    events_of,
    flat,
    images,
    patterns,
    session_for,
)
from reference import live as reference


def push(session, events, size=None):
    size = size or len(events[0])
    for at in range(0, len(events[0]), size):
        session.push_events(*(column[at : at + size] for column in events))


@pytest.mark.parametrize("size", [3, 100, 5000, 10**6])
def test_events_end_with_the_bits_of_the_frames(size):
    frames = patterns()
    events = events_of(frames)
    cut = slice(0, 600) if size == 3 else slice(None)
    events = tuple(column[cut] for column in events)
    counts = np.zeros_like(flat(frames))
    np.add.at(counts, events, 1)
    with session_for(frames) as session:
        push(session, events, size)
        assert session.done == len(np.unique(events[0]))
    assert_bits(session, batch(counts.reshape(frames.shape)) | {"icom": session["icom"]})


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_any_integers(dtype):
    frames = patterns()
    with session_for(frames) as session:
        push(session, tuple(column.astype(dtype) for column in events_of(frames)))
    assert_bits(session, batch(frames))


def test_strided_columns():
    frames = patterns()
    table = np.stack(events_of(frames), -1)
    with session_for(frames) as session:
        session.push_events(*table.T)
    assert_bits(session, batch(frames))
    with session_for(frames) as session:
        session.push_events(*(column[::-1] for column in table.T))
    assert_bits(session, batch(frames))


@given(seed=st.integers(0, 2**32 - 1))
def test_on_the_way_the_images_are_those_of_what_has_come(seed):
    """Late and out of order: never wrong by more than what is missing."""
    rng = np.random.default_rng(seed)
    model = reference.Session(SCAN, DETECTOR)
    with session_for(patterns(), center="auto" if seed % 2 else CENTER) as session:
        for _ in range(rng.integers(1, 6)):
            n = rng.integers(0, 120)
            near = rng.integers(0, 90) if rng.random() < 0.5 else 0
            position = rng.integers(near, near + 9 if near else 99, n)
            y, x = rng.integers(0, DETECTOR[0], n), rng.integers(0, DETECTOR[1], n)
            for event in zip(position, y, x, strict=True):
                model.push_event(*map(int, event))
            session.push_events(position, y, x)
            assert session.done == model.seen.sum()
            com = model.com(session.center)
            assert np.abs(session["com"] - com).max() < 2e-5
            assert np.abs(session["ricom"] - reference.integrate(com, 7)).max() < 1e-4
            assert np.array_equal(session["sum"], model.patterns.sum((0, 1)))
            assert np.array_equal(session["all"], model.patterns.sum((2, 3)))
        session.finish()
        if seed % 2 and model.seen.any():
            assert np.abs(session["com"] - model.com("auto")).max() < 1e-5


def test_events_on_top_of_frames_and_frames_in_place_of_events():
    frames, more = patterns(seed=1), patterns(seed=2)
    events = events_of(more)
    with session_for(frames) as session:
        session.push(flat(frames)[:50])
        push(session, events, 77)
        session.push(flat(frames)[70:], first=70)
    want = frames + more
    flat(want)[50:70] = flat(more)[50:70]
    flat(want)[70:] = flat(frames)[70:]
    names = [name for name in images() if name != "sum"]
    assert_bits(session, batch(want), names=names)
    assert np.array_equal(session["sum"], (flat(frames)[:50].sum(0) + more.sum((0, 1))).astype(np.float32)), (
        "frames count once per position, events always"
    )


def test_records_from_sources():
    frames = patterns()
    events = np.empty(frames.sum(), EVENT)
    events["position"], events["y"], events["x"] = events_of(frames)
    with session_for(frames) as session:
        session._core.push_records(events)
        session._core.push_records(events[:0])
    assert_bits(session, batch(frames))
    with session_for(frames) as session:
        for wrong in (events[::2], events.reshape(1, -1), np.zeros(4)[:1].reshape(1, 1)):
            with pytest.raises(ValueError, match="EVENT"):
                session._core.push_records(wrong)
        events["y"][-1] = DETECTOR[0]
        with pytest.raises(IndexError):
            session._core.push_records(events)
        assert session.done == 0
        assert not session["all"].any()


@pytest.mark.parametrize(
    ("column", "value"), [(0, 99), (0, -1), (0, 2**33), (1, 18), (1, -1), (1, 65536 + 3), (2, 16), (2, -(2**40))]
)
def test_one_wrong_event_refuses_all(column, value):
    frames = patterns()
    events = [
        np.concatenate([c] * 40).astype(np.int64) for c in events_of(frames)
    ]  # longer than what is read at a time
    assert len(events[0]) > 1 << 16
    events[column][-1] = value
    name = ("position", "y", "x")[column]
    with session_for(frames) as session:
        with pytest.raises(ValueError, match=rf"{name}: .* {value} came at event {len(events[0]) - 1}"):
            session.push_events(*events)
        assert session.done == 0
        assert not any(session[image].any() for image in session)


def test_wrong_arrays():
    with session_for(patterns()) as session:
        good = np.zeros(3, np.int64)
        for wrong in (good.astype(float), good > 0, good.astype(">i8"), [0, 1, 2], 5):
            for column in range(3):
                columns = [good, good, good]
                columns[column] = wrong
                with pytest.raises(TypeError, match=r"position|y|x"):
                    session.push_events(*columns)
        for columns in ((good, good, good[:2]), (good, good.reshape(1, 3), good), (good, good[:0], good)):
            with pytest.raises(ValueError, match=r"length|axis"):
                session.push_events(*columns)
        session.push_events(good[:0], good[:0], good[:0])
        assert session.done == 0


def test_next_scan_with_events():
    first, second = patterns(seed=3), patterns(seed=4)
    with session_for(first) as session:
        push(session, events_of(first), 500)
        session.next_scan()
        assert not any(session[name].any() for name in session)
        push(session, events_of(second), 500)
    assert_bits(session, batch(second))


def test_configure_during_events():
    frames = patterns(seed=5)
    events = events_of(frames)
    half = len(events[0]) // 2
    with session_for(frames) as session:
        push(session, tuple(column[:half] for column in events))
        session.configure(rotation=0.7, transpose=True, center=(7.0, 8.0), ricom=RiCOM(7))
        push(session, tuple(column[half:] for column in events), 1000)
        com = imaging.rotate(imaging.com(frames, center=(7.0, 8.0)), 0.7, transpose=True)
        assert_close(session, {"com": com, "ricom": imaging.ricom(com, kernel=7)}, tolerance=1e-5)
    want = batch(frames, center=(7.0, 8.0), rotation=0.7, transpose=True)
    assert_bits(session, want, names=("com", "ricom", "band", "field", "icom", "all", "sum"))


def test_dead_pixels_and_gain_of_events():
    frames = patterns(seed=6)
    rng = np.random.default_rng(7)
    dead, gain = rng.random(DETECTOR) < 0.1, rng.uniform(0.5, 2, DETECTOR).astype(np.float32)
    model = reference.Session(SCAN, DETECTOR, gain=gain.astype(np.float64), dead=dead)
    events = events_of(frames)
    for event in zip(*events, strict=True):
        model.push_event(*event)
    with session_for(frames, dead_pixels=dead, gain=gain) as session:
        push(session, events, 300)
    com = model.com(CENTER)
    assert np.abs(session["com"] - com).max() < 1e-5
    assert np.abs(session["ricom"] - reference.integrate(com, 7)).max() < 1e-5
    assert np.allclose(session["ring"], model.detector_image(3.0, 7.5, CENTER), rtol=1e-6)
    assert np.allclose(session["sum"], model.patterns.sum((0, 1)), rtol=1e-6)


def test_more_counts_than_float32_can_count():
    """Virtual detectors are summed in double: one by one, float32 stands still at 2^24."""
    n = (1 << 24) + 100_000
    events = np.zeros(1 << 20, EVENT)
    with Session(scan=(1, 1), detector=(2, 2), images={"all": VirtualDetector(), "sum": Sum()}) as session:
        left = n
        while left:
            size = min(left, len(events))
            session._core.push_records(events[:size])
            left -= size
    assert session["all"][0, 0] == n
    assert session["sum"][0, 0] == n


def test_an_image_of_one_kind_only():
    frames = patterns(seed=8)
    for kind in (RiCOM(7), VirtualDetector(), CenterOfMass(), ICOM(high_pass=0.05), Sum()):
        name = {RiCOM: "ricom", VirtualDetector: "all", CenterOfMass: "com", ICOM: "icom", Sum: "sum"}[type(kind)]
        with session_for(frames, images={name: kind}) as session:
            push(session, events_of(frames), 700)
        assert_bits(session, batch(frames), names=(name,))
