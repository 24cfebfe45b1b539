"""Detectors on loopback sockets that do what a test tells them, well-behaved or not."""

import contextlib
import socket
import threading

import numpy as np

import crewe.io
from crewe.io.merlin import message
from reference import mib


class Detector:
    """Listens on a loopback port and does with each client in turn what one of `scripts` says."""

    def __init__(self, *scripts, scheme="merlin"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self.thread.start()

    def _serve(self, scripts):
        with self.listener:
            for number, script in enumerate(scripts):
                connection, _ = self.listener.accept()
                if number == len(scripts) - 1:
                    self.listener.close()  # nobody is there for another try
                with connection, contextlib.suppress(ConnectionError):  # the client may have seen enough
                    script(connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(10)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def listening(*scripts, timeout=5, **options):
    """What a client makes of a detector that does so."""
    with Detector(*scripts) as detector, crewe.io.listen(detector.url, timeout=timeout, **options) as source:
        yield source


def says(*payloads, stay=True, tail=b""):
    """A script that sends these payloads and then stays, as a Merlin does, or goes."""

    def script(connection):
        for payload in payloads:
            connection.sendall(message(payload))
        connection.sendall(tail)
        while stay and connection.recv(1000):
            pass

    return script


def some_frames(n=6, depth=12, raw=False, shape=(16, 256)):
    images = mib.counts(n, depth, shape)
    return images, [mib.frame(i + 1, image, depth, raw=raw) for i, image in enumerate(images)]


def received(source):
    """{index: frame} of all that came."""
    return {first + i: frame for first, frames in source for i, frame in enumerate(frames)}


def same(got, images, wanted):
    assert sorted(got) == list(wanted)
    assert all(np.array_equal(got[i], images[i]) for i in wanted)


HEADER = mib.acquisition((2, 3))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
