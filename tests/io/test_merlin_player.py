"""A Merlin of our own: what a client gets of any source of frames."""

import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import crewe.io
from crewe.io import player
from crewe.io.arrays import ArraySource
from crewe.io.sources import EventSource
from detectors import free_port, received, same
from reference import mib


def played(source, **options):
    """A source that listens to a Merlin that plays `source`, and the thread that plays."""
    url = f"merlin://127.0.0.1:{free_port()}"
    errors = []

    def play():
        try:
            crewe.io.replay(source, url, **options)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    return crewe.io.listen(url, timeout=5), thread, errors


@pytest.mark.parametrize("raw", [False, True])
def test_replay_of_a_file_sends_its_bytes(tmp_path, raw):
    images = mib.counts(100, 12)
    path = mib.write(tmp_path / "a.mib", images, 12, scan=(10, 10), raw=raw)
    with crewe.io.open(path) as file:
        seen = []
        source, thread, errors = played(file, on_sent=seen.append)
        with source:
            assert source.scan == (10, 10)
            assert source.metadata["raw"] == raw
            same(received(source), images, range(100))
        thread.join(5)
        assert not errors
        assert seen[-1] == 100


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<u4"])
@pytest.mark.parametrize("detector", [(16, 20), (580, 570)])
def test_replay_of_any_frames(dtype, detector):
    images = np.random.default_rng(0).integers(0, 200, (3, 4, *detector)).astype(dtype)
    source, thread, errors = played(ArraySource(images, flyback=0))
    with source:
        assert (source.scan, source.detector, source.dtype) == ((3, 4), detector, images.dtype.newbyteorder("="))
        same(received(source), images.reshape(12, *detector), range(12))
    thread.join(5)
    assert not errors


def test_replay_at_a_rate(monkeypatch):
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds

    monkeypatch.setattr(player, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    source, thread, errors = played(ArraySource(np.ones((40, 4, 4), np.uint8)), rate=20.0)
    with source:
        assert len(received(source)) == 40
    thread.join(5)
    assert not errors
    assert clock[0] >= 39 / 20


def test_replay_says_what_it_cannot():
    with pytest.raises(ValueError, match="float32 came"):
        crewe.io.replay(ArraySource(np.ones((2, 4, 4), np.float32)), "merlin://127.0.0.1:1")
    with pytest.raises(ValueError, match="rate"):
        crewe.io.replay(ArraySource(np.ones((2, 4, 4), np.uint8)), "merlin://127.0.0.1:1", rate=0)

    class Events(EventSource):
        def records(self):
            return iter(())

    with pytest.raises(ValueError, match="events came"):
        crewe.io.replay(Events(), "merlin://127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"{port}.*in use"):
            crewe.io.replay(ArraySource(np.ones((2, 4, 4), np.uint8)), f"merlin://127.0.0.1:{port}")


def test_a_client_that_hangs_up():
    source, thread, errors = played(ArraySource(np.ones((3000, 64, 64), np.uint32)))
    source.close()
    thread.join(10)
    assert isinstance(errors[0], ConnectionError)
    assert "of 3000 frames" in str(errors[0])
