"""AIRPI while the scan runs: a thread per image that follows a few scan lines behind the probe.

The session gathers the patterns of each line, with the detector's pixels joined to those of the network; complete lines
wait until the thread takes them. Who pushes doesn't wait for the network, unless `ahead` lines wait already.
"""

import threading
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import BusyError
from crewe.imaging.airpi import Engine, as_network
from crewe.imaging.exit_waves import as_scan
from crewe.live.kinds import AIRPI

__all__ = ["Followers"]

LOOK = 0.02  # how often the thread looks for a line [s]


class Follower:
    """Makes one image: `begin` a scan, `finish` it; `cancel` and `close` at any time."""

    def __init__(self, core: Any, name: str) -> None:
        self.name = name
        self.error: Exception | None = None  # of this scan
        self.ahead = 1
        self._core = core
        self._changed = threading.Condition()  # of what follows
        self._engine: Engine | None = None  # of this scan, as long as it is followed
        self._busy = self._closed = False
        self._thread = threading.Thread(target=self._follow, name=f"crewe {name}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------------------------- the producer's
    def begin(self, engine: Engine, ahead: int) -> None:
        """A new scan, of which nothing was pushed yet."""
        self.cancel()
        resample = engine.resample
        self._core.gather(self.name, resample.join, resample.corner, resample.shape)
        with self._changed:
            self._engine, self.ahead, self.error = engine, ahead, None
            self._changed.notify_all()

    def waiting(self) -> int:
        """Lines that are complete, and not yet taken."""
        return self._core.waiting_lines(self.name)  # type: ignore[no-any-return]

    def full(self) -> bool:
        return self._engine is not None and self.waiting() >= self.ahead

    def wait_for_room(self) -> None:
        with self._changed:
            while self.full():
                self._changed.wait(LOOK)

    def finish(self) -> None:
        """All that came is worked on; what is missing of the scan counts as empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._engine is None or not (self._busy or self.waiting()))
            engine = self._engine
        if engine is None:
            return
        try:
            open_rows = self._core.open_lines(self.name)
            if open_rows or engine.unfinished():
                rest = {row: engine.resample.planes(self._open(engine, row)) for row in open_rows}
                self._core.write(self.name, 0, np.angle(engine.with_rest(rest)))
            if late := self._core.late(self.name):
                raise ValueError(f"{late} frames or electrons came after their line was complete, and are left out")
        except Exception as error:  # as in the thread
            self.error = error

    def cancel(self) -> None:
        """No more of this scan: the image stays as it is."""
        with self._changed:
            self._stop()

    def close(self) -> None:
        """Cancels, and ends the thread."""
        with self._changed:
            self._stop()
            self._closed = True
        if self._thread is not threading.current_thread():  # which may be the one that collects a forgotten session
            self._thread.join()

    def _stop(self) -> None:
        if self._engine is not None:
            self._engine.cancelled = True
            self._engine = None
            self._core.stop_gathering(self.name)
        self._changed.notify_all()

    def _open(self, engine: Engine, row: int) -> NDArray[np.float32]:
        line = _blank(engine)
        self._core.read_line(self.name, row, line)
        return line

    # --------------------------------------------------------------------------------------------------- the thread's
    def _follow(self) -> None:
        while (engine := self._next()) is not None:
            try:
                line = _blank(engine)
                with self._changed:
                    row = self._core.take_line(self.name, line) if self._engine is engine else None
                    self._changed.notify_all()
                if row is not None:
                    self._show(engine, engine.add(row, engine.resample.planes(line)))
            except Exception as error:  # whatever a network dies of: the session lives on
                with self._changed:
                    if self._engine is engine:
                        self._stop()
                        self.error = error

    def _next(self) -> Engine | None:
        """The engine of the scan as soon as a line waits for it; nothing at the end."""
        with self._changed:
            while not self._closed:
                if self._engine is not None and self.waiting():
                    self._busy = True
                    return self._engine
                self._busy = False
                self._changed.notify_all()
                self._changed.wait(None if self._engine is None else LOOK)
        return None

    def _show(self, engine: Engine, rows: list[int]) -> None:
        """The rows of the image that patches of these rows reach."""
        if not rows:
            return
        reach = engine.patches.reach
        first, last = max(rows[0] - reach, 0), min(rows[-1] + reach + 1, engine.shape[0])
        with self._changed:
            if self._engine is engine:
                self._core.write(self.name, first, np.angle(engine.sum[first:last]))


def _blank(engine: Engine) -> NDArray[np.float32]:
    return np.empty((engine.shape[1], *engine.resample.shape), np.float32)


class Followers:
    """Those of a session; a session without AIRPI images has none."""

    def __init__(
        self, core: Any, scan: tuple[int, int], detector: tuple[int, int], *, device: str, threads: int, wait: bool
    ) -> None:
        self._core, self._scan, self._detector = core, scan, detector
        self._device, self._threads, self._wait = device, threads, wait
        self._networks: dict[Any, Any] = {}  # by name, or by the model itself
        self._all: dict[str, Follower] = {}
        self._told: set[str] = set()

    def engine(self, kind: AIRPI) -> Engine:
        """For a scan with the session's geometry as it is now; all that may be wrong with a kind is found here."""
        if kind.model not in self._networks:
            self._networks[kind.model] = as_network(kind.model, self._device, self._threads)
        turn, lens = self._core.turn, kind.aberrations
        scan = as_scan(kind.energy, kind.semiangle, kind.step, kind.angle_per_pixel, turn[0], turn[1], lens)
        network = self._networks[kind.model]
        return Engine(scan, self._scan, self._detector, self._core.detector_center, 1, network, self._threads)

    def begin(self, kinds: Mapping[str, Any]) -> None:
        """A new scan: a follower for each AIRPI image."""
        wanted = {name: kind for name, kind in kinds.items() if isinstance(kind, AIRPI)}
        for name in self._all.keys() - wanted.keys():
            self._all.pop(name).close()
        self._told.clear()
        for name, kind in wanted.items():
            engine = self.engine(kind)
            if name not in self._all:
                self._all[name] = Follower(self._core, name)
            self._all[name].begin(engine, kind.ahead)

    def admit(self) -> None:
        """Before a block is pushed: there must be room for its lines."""
        if not self._all:
            return
        self.tell()
        for name, follower in self._all.items():
            if not follower.full():
                continue
            if not self._wait:
                raise BusyError(f"push: {follower.ahead} scan lines wait for the network of {name!r}")
            self._warn(
                f"slow {name}",
                f"{name!r}: the network is slower than the scan, {follower.ahead} lines wait for it: push waits too "
                "(with `ahead` as large as the scan it catches up afterwards)",
            )
            follower.wait_for_room()

    def finish(self) -> None:
        for follower in self._all.values():
            follower.finish()
        self.tell()

    def cancel(self) -> None:
        for follower in self._all.values():
            follower.cancel()

    def close(self) -> None:
        for follower in self._all.values():
            follower.close()

    def waiting(self) -> int:
        return max((follower.waiting() for follower in self._all.values()), default=0)

    def errors(self) -> dict[str, Exception]:
        return {name: follower.error for name, follower in self._all.items() if follower.error is not None}

    def tell(self) -> None:
        """Warn of errors in the thread that pushes, once each."""
        for name, error in self.errors().items():
            self._warn(f"error {name}", f"{name!r}: the image stays as it is: {type(error).__name__}: {error}")

    def _warn(self, key: str, text: str) -> None:
        if key not in self._told:
            self._told.add(key)
            warnings.warn(text, RuntimeWarning, stacklevel=4)
