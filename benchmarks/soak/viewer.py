"""The page of `crewe view` for the cameras of the soak, and somebody who looks at it and turns its knobs."""

import contextlib
import http.client
import json
import signal
import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.camera import PATIENCE, Camera
from benchmarks.soak.scans import RINGS

__all__ = ["TURN", "Shown", "look"]

TURN, POLL = 1.0, 0.3  # s between two turns of the knobs, and two looks at all images
ROTATIONS = (-1.0, 0.0, 0.4, 2.0)  # to choose from [rad]


class Shown:
    """What the page shows (`crewe.cli.page.Shown`): the images of all cameras; its knobs turn all of them."""

    def __init__(self, cameras: list[Camera]) -> None:
        self._cameras, self.lock = cameras, threading.Lock()
        self._images = {
            f"{camera.name}-{name}": (camera.session, name) for camera in cameras for name in camera.session
        }
        self.turn({"kernel": 61, "rotation": 0.0, "rings": 0})

    def state(self) -> dict[str, Any]:
        version = sum(camera.session.version for camera in self._cameras)
        state = {"title": "soak", "status": "", "images": list(self._images), "settings": self.knobs}
        return state | {"version": version, "done": 0, "total": 0}

    def image(self, name: str) -> NDArray[Any]:
        session, image = self._images[name]
        return session[image]

    def turn(self, changes: Any) -> None:
        with self.lock:
            for camera in self._cameras:
                camera.turn(**changes)
            self.knobs = dict(changes)


def look(port: int, tally: Any) -> None:
    """A process: `tally` counts looks, turns and failures, and has the longest that an answer took [s]."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    rng, turned = np.random.default_rng(0), 0.0

    def ask(path: str, knobs: dict[str, Any] | None = None) -> bytes:
        connection, begin = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), time.monotonic()
        with contextlib.closing(connection):
            if knobs is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, json.dumps(knobs), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        tally[2] += answer.status != 200
        tally[3] = max(tally[3], time.monotonic() - begin)
        return content

    while True:
        try:
            for name in json.loads(ask("/state"))["images"]:
                ask(f"/image/{name}")
            tally[0] += 1
            if time.monotonic() - turned >= TURN:
                turned = time.monotonic()
                kernel, rotation = 2 * int(rng.integers(1, 40)) + 1, float(rng.choice(ROTATIONS))
                ask("/settings", {"kernel": kernel, "rotation": rotation, "rings": int(rng.integers(len(RINGS)))})
                tally[1] += 1
        except OSError:
            tally[2] += 1
        time.sleep(POLL)
