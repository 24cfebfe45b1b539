"""Connect to a detector, or be one."""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from crewe._array import as_positive
from crewe.io import merlin_player, serval_player
from crewe.io.merlin import MerlinSource
from crewe.io.net import Address
from crewe.io.serval import ServalServer, ServalSource
from crewe.io.sources import EventSource, FrameSource

__all__ = ["listen", "replay"]

Source = FrameSource | EventSource


class Detector(NamedTuple):
    """How to speak with a kind of detector; `play` is None where we can't be one.

    ``listen(address, timeout=, scan=, detector=, command_port=, **options)`` connects and returns the source;
    ``play(source, address, rate=, on_sent=)`` serves one client until all is sent.
    """

    listen: Callable[..., Source]
    play: Callable[..., None] | None


#: By the scheme of the URL.
DETECTORS: dict[str, Detector] = {
    "merlin": Detector(MerlinSource, merlin_player.play),
    "tpx3": Detector(ServalSource, serval_player.play),
    "tpx3+serve": Detector(ServalServer, None),
}


def split_url(url: str) -> tuple[Detector, Address]:
    """The detector and (host, port) of ``scheme://host:port``."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # the port is no number in 0..65535
        host = port = None
    if parts.scheme not in DETECTORS or host is None or port is None:
        raise ValueError(f"url: {' | '.join(DETECTORS)}://host:port wanted, {url!r} came")
    return DETECTORS[parts.scheme], (host, port)


def listen(
    url: str,
    *,
    timeout: float | None = None,
    scan: tuple[int, int] | None = None,
    detector: tuple[int, int] | None = None,
    command_port: int | None = None,
    **options: Any,
) -> Source:
    """Connect to a detector and read what it sends.

    Parameters
    ----------
    url : str
        ``merlin://host:port`` (data socket of a Merlin, usually port 6342), ``tpx3://host:port`` (SERVAL listens),
        ``tpx3+serve://host:port`` (SERVAL connects to us).
    timeout : float, optional
        How long nothing may come, and how long to try to connect again [s]; default: for ever once connected.
    scan : (int, int), optional
        Probe positions (y, x); default: what the detector says.
    detector : (int, int), optional
        Pixels of the detector (ky, kx); default: what the detector says.
    command_port : int, optional
        Port of the command socket (Merlin: usually 6341) or of SERVAL's HTTP interface (8080): the acquisition is
        started by us.
    **options
        Options of the detector. Merlin: ``frames`` of the acquisition, ``skip`` and ``flyback``, the frames before the
        first position and after each line that belong to none, ``settings``, parameters to set before the start, and
        ``softtrigger=True`` to send the trigger too (both with `command_port`).

    Returns
    -------
    FrameSource or EventSource
        Read once, while it comes; `lost` counts what should have come and didn't. A line that drops is taken up again.

    Raises
    ------
    ValueError
        No such kind of detector.
    OSError
        Nobody is there within `timeout`.
    ConnectionError
        While reading: the detector is gone for good; what came before stays.
    FormatError
        While reading: what comes is no detector data; names the byte offset.

    Examples
    --------
    >>> import socket, tempfile, threading, numpy as np, crewe
    >>> with socket.create_server(("127.0.0.1", 0)) as free:
    ...     url = f"merlin://127.0.0.1:{free.getsockname()[1]}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/scan.npy", np.ones((3, 4, 256, 256), np.uint16))
    ...     player = threading.Thread(target=crewe.io.replay, args=(crewe.io.open(folder + "/scan.npy"), url))
    ...     player.start()
    ...     with crewe.io.listen(url, timeout=10) as merlin:
    ...         print(merlin.scan, sum(len(frames) for first, frames in merlin))
    ...     player.join()
    (3, 4) 12
    """
    kind, address = split_url(url)
    if timeout is not None:
        timeout = as_positive(timeout, "timeout", "s")
    return kind.listen(address, timeout=timeout, scan=scan, detector=detector, command_port=command_port, **options)


def replay(
    source: Source, url: str, *, rate: float | None = None, on_sent: Callable[[int], None] | None = None
) -> None:
    """Play a source as a detector on a socket, for one client; returns when all is sent.

    Parameters
    ----------
    source : FrameSource or EventSource
        What to play, by `crewe.io.open`.
    url : str
        ``merlin://host:port`` for frames, ``tpx3://host:port`` for events: where to listen for the client.
    rate : float, optional
        Frames per second, for events probe positions per second; default: as fast as the client takes them.
    on_sent : callable, optional
        Called with the number of frames (probe positions) sent so far.

    Raises
    ------
    ValueError
        No such kind of detector, or it doesn't send what `source` holds.
    OSError
        The port is in use.

    Examples
    --------
    >>> import socket, tempfile, threading, numpy as np, crewe
    >>> with socket.create_server(("127.0.0.1", 0)) as free:
    ...     url = f"merlin://127.0.0.1:{free.getsockname()[1]}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/scan.npy", np.ones((3, 4, 256, 256), np.uint16))
    ...     player = threading.Thread(target=crewe.io.replay, args=(crewe.io.open(folder + "/scan.npy"), url))
    ...     player.start()
    ...     with crewe.io.listen(url, timeout=10) as merlin:
    ...         print(merlin.scan, sum(len(frames) for first, frames in merlin))
    ...     player.join()
    (3, 4) 12
    """
    kind, address = split_url(url)
    if kind.play is None:
        raise ValueError(f"url: a detector that can be played wanted, {url!r} came")
    if rate is not None:
        rate = as_positive(rate, "rate", "per second")
    kind.play(source, address, rate=rate, on_sent=on_sent)
