"""A detector in a process of its own that can vanish, and the session that it fills."""

import contextlib
import multiprocessing
import signal
import socket
import threading
import time
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.soak.scans import POSITIONS, QUAD, RINGS, SCAN, Patterns, Truth
from crewe import io, live

__all__ = ["PATIENCE", "SPAWN", "Camera"]

SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 30.0  # s without data, or without a detector
NEAR = 1e-4  # of the largest value: how near images must come; counts must be the same


def play(url: str, file: str, sent: Any) -> None:
    """A detector: the same scan to one client after the other; `sent` counts positions."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = io.open(file, scan=SCAN, detector=QUAD) if file else Patterns()
    while True:
        before = sent.value

        def count(done: int, before: int = before) -> None:
            sent.value = before + done

        with contextlib.suppress(ConnectionError):  # a client that has all it wants may hang up
            io.replay(source, url, on_sent=count)


class Camera:
    """Scans by the detector `name`, of events in `file` or of `Patterns`, and what became of them."""

    def __init__(self, name: str, file: str, detector: tuple[int, int], **session_options: Any) -> None:
        images = {"ricom": live.RiCOM(), "icom": live.ICOM(), "com": live.CenterOfMass(), "sum": live.Sum()}
        images |= {"bf": live.VirtualDetector(outer=1), "adf": live.VirtualDetector(inner=1)}
        images |= session_options.pop("images", {})
        self.session = live.Session(scan=SCAN, detector=detector, images=images, keep_profile=True, **session_options)
        self.name, self.file = name, file
        self.sent, self.seconds = SPAWN.Value("q", 0, lock=False), 0.0
        self.scans = self.cuts = self.lost = self.checked = 0
        self.wrong = Counter[str]()
        self._phases: dict[float, NDArray[Any]] = {}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._url = f"{name}://127.0.0.1:{free.getsockname()[1]}"

    def appear(self) -> None:
        self._process = SPAWN.Process(target=play, args=(self._url, self.file, self.sent), daemon=True)
        self._process.start()

    def vanish(self) -> None:
        self._process.kill()
        self._process.join()

    def turn(self, kernel: int, rotation: float, rings: int) -> None:
        bf, adf = (ring * self.session.ring_width for ring in RINGS[rings])
        detectors = {"bf": live.VirtualDetector(outer=bf), "adf": live.VirtualDetector(inner=bf, outer=adf)}
        self.session.configure(ricom=live.RiCOM(kernel=kernel), rotation=rotation, **detectors)

    def scan(self, cut_at: int = 0) -> None:
        """Take one scan; with `cut_at`, the detector vanishes when so many positions are there, and comes back.

        It then begins anew. The frames of a Merlin are numbered, they replace those that came before; electrons would
        add up, so their scan is taken from scratch.
        """
        cut = threading.Thread(target=self._cut, args=(cut_at,))
        if cut_at:
            cut.start()
        begin = time.monotonic()
        lost, again = self._take()
        if cut_at:
            cut.join()
            if again:
                self.session.next_scan()
                lost, _ = self._take()
        else:
            self.seconds += time.monotonic() - begin
        self.scans += 1
        self.lost += lost + POSITIONS - self.session.done

    def _take(self) -> tuple[int, bool]:
        """What the source missed, and whether electrons were added up over a cut."""
        options = {"scan": SCAN, "detector": QUAD} if self.file else {}
        with io.listen(self._url, timeout=PATIENCE, **options) as source:
            live.feed(self.session, source)
            return source.lost, bool(source.metadata.get("reconnects"))

    def _cut(self, at: int) -> None:
        while self.session.done < at:
            time.sleep(0.001)
        self.vanish()
        self.cuts += 1
        self.appear()

    def check(self, truth: Truth, knobs: dict[str, Any], phase_rotation: float) -> None:
        """Hold the finished images against the truth; phases against those of the first scan that was turned so."""
        wanted = truth.images(**knobs)
        if "ssb" in self.session:
            wanted["ssb"] = self._phases.setdefault(phase_rotation, np.array(self.session["ssb"]))
        for name, image in wanted.items():
            near = 0.0 if name in ("bf", "adf", "sum") else NEAR * float(np.abs(image).max())
            self.wrong[name] += not np.allclose(self.session[name], image, rtol=0.0, atol=near)
            self.checked += 1
