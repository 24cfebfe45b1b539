"""Borrowed blocks: summed by a worker thread in order, given back once each, never dropped silently."""

import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from crewe import BusyError
from live.common import assert_bits, batch, flat, patterns, session_for


class Held(np.ndarray):
    """An array that can be watched."""


def held(frames):
    return frames.copy().view(Held)


def test_blocks_are_summed_in_order_and_given_back_once():
    frames, given = patterns(), []
    with session_for(frames) as session:
        for at in range(0, 99, 8):
            session.push(flat(frames)[at : at + 8], release=lambda at=at: given.append(at))
        session.flush()
        assert given == list(range(0, 99, 8))
        assert session.done == 99
    assert_bits(session, batch(frames))


def test_borrowed_and_own_blocks_keep_their_order():
    frames, other = patterns(seed=1), patterns(seed=2)
    with session_for(frames) as session:
        session.push(flat(other)[:60], release=None)
        session.push(flat(frames)[:60], first=0)
        session.push(flat(frames)[60:80], release=None)
        session.push(flat(frames)[80:])
    names = ("com", "ricom", "ring")
    assert_bits(session, batch(frames), names=names)


def test_close_waits_for_the_queue():
    frames, given = patterns(), []
    session = session_for(frames)
    for row in frames:
        session.push(row, release=lambda: given.append(1))
    session.close()
    assert len(given) == 9
    assert_bits(session, batch(frames))


def test_the_array_is_held_until_it_is_summed():
    frames, gate = patterns(), threading.Event()
    with session_for(frames) as session:
        session.push(flat(frames)[:1], release=lambda: gate.wait(20))
        block = held(flat(frames)[1:9])
        watch = weakref.ref(block)
        session.push(block, release=None)
        del block
        gc.collect()
        assert watch() is not None
        gate.set()
        session.flush()
        gc.collect()
        assert watch() is None


def test_a_full_queue_is_busy_or_waits():
    frames = patterns()
    gate, started = threading.Event(), threading.Event()

    def wait():
        started.set()
        gate.wait(20)

    with session_for(frames, on_full="busy", queue=2) as session:
        session.push(frames[0], release=wait)
        assert started.wait(20)
        session.push(frames[1], release=None)
        refused = held(frames[2])
        before = sys.getrefcount(refused)
        for _ in range(3):
            with pytest.raises(BusyError, match="2 blocks"):
                session.push(refused, release=lambda: pytest.fail("a refused block is released"))
        assert sys.getrefcount(refused) == before
        gate.set()
        session.flush()
        for row in frames[2:]:
            while True:
                try:
                    session.push(row, release=None)
                    break
                except BusyError:
                    time.sleep(0.001)
    assert_bits(session, batch(frames))
    gate.clear()
    started.clear()
    threading.Timer(0.2, gate.set).start()
    with session_for(frames, queue=1) as session:
        session.push(frames[0], release=wait)
        for row in frames[1:]:
            session.push(row, release=None)
    assert_bits(session, batch(frames))


def test_a_borrowed_nan_is_told_by_the_next_call_and_harms_nothing():
    frames = patterns(dtype=np.float32)
    data = flat(frames).copy()
    data[15, 2, 2] = np.nan
    given = []
    with session_for(frames) as session:
        for at in range(0, 40, 10):
            while True:
                try:
                    session.push(data[at : at + 10], first=at, release=lambda at=at: given.append(at))
                    break
                except ValueError as error:
                    assert "frame 5 of the block" in str(error)  # noqa: PT017
                    given.append("told")
        if "told" not in given:
            with pytest.raises(ValueError, match="frame 5 of the block"):
                session.flush()
        session.flush()
        assert sorted(at for at in given if at != "told") == [0, 10, 20, 30]
        assert session.done == 30
        session.push(flat(frames)[10:20], first=10)
        session.push(flat(frames)[40:], first=40)
    assert_bits(session, batch(frames))


def test_close_tells_of_a_borrowed_nan():
    frames = patterns(dtype=np.float32)
    data = flat(frames).copy()
    data[3, 0, 0] = np.inf
    session = session_for(frames)
    session.push(data[:9], release=None)
    with pytest.raises(ValueError, match="frame 3 of the block"):
        session.close()
    assert session.closed
    session.close()


def test_wrong_blocks_are_refused_at_once():
    frames = patterns()
    with session_for(frames) as session:
        for block, first in [(flat(frames)[:, 1:], None), (flat(frames), 1), (flat(frames)[:1], -1)]:
            with pytest.raises(ValueError, match=r"frames|first"):
                session.push(block, first=first, release=lambda: pytest.fail("released"))
        session.push(flat(frames), release=None)
        with pytest.raises(ValueError, match="next_scan"):
            session.push(flat(frames)[:1], release=None)
        session.next_scan()
        assert session.done == 0
        session.push(flat(frames), release=None)
    assert_bits(session, batch(frames))


def test_an_error_in_release_is_reported_not_raised(monkeypatch):
    frames, seen = patterns(), []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_type))
    with session_for(frames) as session:
        session.push(flat(frames), release=lambda: 1 / 0)
    assert seen == [ZeroDivisionError]
    assert_bits(session, batch(frames))


def test_a_session_may_be_dropped_with_blocks_in_its_queue():
    frames, given = patterns(), []
    session = session_for(frames)
    view = session["com"]
    for row in frames:
        session.push(row, release=lambda: given.append(1))
    del session
    gc.collect()
    assert len(given) == 9
    assert np.array_equal(view, batch(frames)["com"])
