"""Sources into sessions: finished images, and what came before something went wrong."""

import numpy as np
import pytest

import crewe
from crewe.io.sources import EVENT, EventSource, FrameSource
from crewe.live import Session, feed, run
from live.common import CENTER, DETECTOR, SCAN, assert_bits, batch, events_of, flat, images, patterns


class Frames(FrameSource):
    """A source that may break, and that uses its memory again for the next block."""

    def __init__(self, frames, size=8, dtype=">u2", error=None, gone=()):
        self.data, self.size, self.error, self.gone = flat(frames), size, error, gone
        self.scan, self.detector, self.dtype = frames.shape[:2], frames.shape[2:], np.dtype("u2")
        self.metadata, self.raw = {}, np.dtype(dtype)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.data[index]

    def raw_blocks(self):
        memory = np.empty((self.size, *self.detector), self.raw)
        for first in range(0, len(self.data), self.size):
            if first in self.gone:
                continue
            block = self.data[first : first + self.size]
            memory[: len(block)] = block
            yield first, memory[: len(block)]
            memory[...] = 999
        if self.error:
            raise self.error


class Events(EventSource):
    def __init__(self, frames, size=200, error=None):
        self.scan, self.detector, self.metadata, self.error, self.size = (
            frames.shape[:2],
            frames.shape[2:],
            {},
            error,
            size,
        )
        self.events = np.empty(frames.sum(), EVENT)
        self.events["position"], self.events["y"], self.events["x"] = events_of(frames)

    def records(self):
        memory = np.empty(min(self.size, len(self.events)), EVENT)
        for at in range(0, len(self.events), self.size):
            block = self.events[at : at + self.size]
            memory[: len(block)] = block
            yield memory[: len(block)]
            memory[...] = 0
        if self.error:
            raise self.error


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize("progress", [False, True])
def test_frames(dtype, progress):
    frames = patterns()
    session = run(Frames(frames, dtype=dtype), images(), center=CENTER, progress=progress)
    assert session.closed
    assert session.done == 99
    assert_bits(session, batch(frames))


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 2}, {"threads": 2, "on_full": "busy", "queue": 1}])
@pytest.mark.parametrize("size", [1, 200, 10**6])
def test_events(size, options):
    frames = patterns(seed=1)
    session = run(Events(frames, size=size), images(), center=CENTER, **options)
    assert session.done == 99
    assert_bits(session, batch(frames))


def test_events_outside_of_the_scan():
    frames = patterns(seed=1)
    source = Events(frames)
    source.events["position"][-1] = 99
    for threads in (1, 2):
        with pytest.raises(IndexError) as caught:
            run(source, images(), center=CENTER, threads=threads)
        assert caught.value.session["all"].sum() > 0


def test_center_is_the_mean_by_default():
    session = run(Frames(patterns(seed=2)), images())
    assert np.abs(session["com"].reshape(-1, 2).mean(0)).max() < 1e-6


def test_options_of_the_session_win():
    frames = patterns(seed=3)
    source = Frames(frames)
    source.scan = None
    session = run(source, images(), center=CENTER, scan=SCAN)
    assert_bits(session, batch(frames))


def test_lost_frames_leave_holes():
    frames = patterns(seed=4)
    session = run(Frames(frames, gone=(16, 40)), images(), center=CENTER)
    assert session.done == 99 - 16
    seen = flat(frames).copy()
    seen[16:24] = seen[40:48] = 0
    assert_bits(session, batch(seen.reshape(frames.shape)))


@pytest.mark.parametrize("source", [Frames, Events])
@pytest.mark.parametrize(
    "error",
    [crewe.FormatError("damage (at byte 7)", 7), ConnectionError("gone"), KeyboardInterrupt(), OSError()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_came_before_an_error_stays(source, error):
    frames = patterns(seed=5)
    with pytest.raises(type(error)) as caught:
        run(source(frames, error=error), images(), center=CENTER)
    session = caught.value.session
    assert caught.value is error
    assert session.closed
    assert_bits(session, batch(frames))


def test_more_frames_than_positions():
    frames = patterns(seed=6)
    source = Frames(frames)
    source.data = np.concatenate([source.data, source.data[:5]])
    with pytest.raises(ValueError, match="5 frames more") as caught:
        run(source, images(), center=CENTER)
    assert_bits(caught.value.session, batch(frames))


def test_a_block_that_does_not_fit():
    frames = patterns(seed=7)
    with pytest.raises(ValueError, match="detector") as caught:
        run(Frames(frames), images(), detector=(DETECTOR[0] + 1, DETECTOR[1]))
    assert caught.value.session.done == 0


def test_feed_leaves_the_session_open():
    frames = patterns(seed=8)
    with Session(scan=SCAN, detector=DETECTOR, images=images(), center=CENTER) as session:
        feed(session, Frames(patterns(seed=9)))
        session.next_scan()
        feed(session, Frames(frames))
        assert not session.closed
        assert_bits(session, batch(frames))


def test_no_source():
    with Session(scan=SCAN, detector=DETECTOR, images=images()) as session, pytest.raises(TypeError, match="source"):
        feed(session, patterns())


def test_a_file(tmp_path):
    frames = patterns(seed=10)
    np.save(tmp_path / "scan.npy", frames)
    session = run(crewe.io.open(tmp_path / "scan.npy"), images(), center=CENTER)
    assert_bits(session, batch(frames))
