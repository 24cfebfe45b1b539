"""From a source of frames or events to a finished session."""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe._progress import Bar
from crewe.errors import BusyError
from crewe.live.kinds import Kind
from crewe.live.session import Session

__all__ = ["feed", "run"]

#: As `crewe.io` gives events to the core: probe position, detector pixel.
EVENT = np.dtype([("position", "<u4"), ("y", "<u2"), ("x", "<u2")])
WORD = np.dtype("u8")
BLOCKS_AHEAD = 4


def run(source: Any, images: Mapping[str, Kind], *, progress: bool = False, **session_options: Any) -> Session:
    """Push all that a source gives into a session.

    Parameters
    ----------
    source : FrameSource or EventSource
        From `crewe.io.open` or `crewe.io.listen`; says the scan and the detector.
    images : dict of str to Kind
        What to make, by name.
    progress : bool
        Show a bar with rate and time left on stderr.
    **session_options
        As for `Session`; `skip` and `flyback` as the source says.

    Returns
    -------
    Session
        Finished and closed.

    Raises
    ------
    FormatError, OSError, KeyboardInterrupt, ValueError
        Damaged data, a detector that is gone, Ctrl-C, more frames than positions. What came before is in the images:
        the exception's attribute ``session`` is the finished session.

    Examples
    --------
    >>> import crewe, numpy as np, pathlib, tempfile
    >>> from crewe.live import RiCOM, run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "scan.npy"
    ...     np.save(path, np.ones((5, 6, 8, 8), np.uint16))
    ...     session = run(crewe.io.open(path), {"ricom": RiCOM()})
    >>> session.done, session["ricom"].shape
    (30, (5, 6))
    """
    options = {"scan": source.scan, "detector": source.detector}
    options |= {name: getattr(source, name) for name in ("skip", "flyback") if getattr(source, name, 0)}
    options |= session_options
    with Session(images=images, **options) as session:
        feed(session, source, progress=progress)
    return session


def feed(session: Session, source: Any, *, progress: bool = False) -> None:
    """Push all that a source gives into a session of one's own, and finish its images; see `run`.

    Parameters
    ----------
    session : Session
        Stays open.
    source : FrameSource or EventSource
        As for `run`.
    progress : bool
        Show a bar on stderr.

    Raises
    ------
    FormatError, OSError, KeyboardInterrupt, ValueError
        As `run`; the images are finished.

    Examples
    --------
    >>> import tempfile, numpy as np, crewe
    >>> from crewe.live import RiCOM, Session, feed
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/scan.npy", np.ones((3, 4, 8, 8), np.uint16))
    ...     with crewe.io.open(folder + "/scan.npy") as source:
    ...         with Session(scan=(3, 4), detector=(8, 8), images={"ricom": RiCOM(kernel=5)}) as session:
    ...             feed(session, source)
    >>> session.done
    12
    """
    try:
        if hasattr(source, "raw_blocks"):
            _feed_frames(session, source, progress)
        elif hasattr(source, "records"):
            _feed_events(session, source, progress)
        else:
            raise TypeError(f"source: a FrameSource or EventSource wanted, {type(source).__name__} came")
        session.finish()
    except BaseException as error:
        if not isinstance(error, Exception):  # Ctrl-C doesn't wait for networks
            session.cancel()
        with contextlib.suppress(ValueError):
            session.finish()
        error.session = session  # type: ignore[attr-defined]
        raise


def _feed_frames(session: Session, source: Any, progress: bool) -> None:
    room, surplus = session._core.frames, 0
    lent = getattr(source, "lent_blocks", None)  # these are summed by a worker while the next are received
    with Bar("scan", total=len(source), unit="frames", show=progress) as bar:
        for first, frames, *release in lent() if lent else source.raw_blocks():
            fit = min(max(room - first, 0), len(frames))
            if release and fit:
                _lend(session, session._core.lend, frames[:fit], first, release[0])
            elif release:
                release[0]()
            elif fit:
                session._followers.admit()
                session._core.push(frames[:fit], first)
            surplus += len(frames) - fit
            bar.set(first + fit)
    if surplus:
        raise ValueError(
            f"source: {surplus} frames more than a scan of {session.scan} positions takes; they are left out"
            " (another scan, or frames to skip or of the flyback?)"
        )


def _feed_events(session: Session, source: Any, progress: bool) -> None:
    core, positions = session._core, session.scan[0] * session.scan[1]
    free: SimpleQueue[NDArray[Any]] = SimpleQueue()
    for _ in range(BLOCKS_AHEAD):
        free.put(np.empty(0, EVENT))
    with Bar("scan", total=positions, unit="positions", show=progress) as bar:
        for events in source.records():
            if core.threads == 1:
                session._followers.admit()
                core.push_records(events, True)
            else:  # a worker sums a copy while the next block is decoded: a fifth more work, nearly twice the rate
                block = free.get()
                if len(block) < len(events):
                    block = np.empty(len(events), EVENT)
                block.view(WORD)[: len(events)] = events.view(WORD)  # field by field takes ten times as long
                _lend(session, core.lend_records, block[: len(events)], partial(free.put, block), True)
            bar.set(session.done)


def _lend(session: Session, lend: Callable[..., None], *block: Any) -> None:
    """Wait for room in the queue, also where the session was told to be busy."""
    try:
        session._followers.admit()
        lend(*block)
    except BusyError:
        session.flush()
        lend(*block)
