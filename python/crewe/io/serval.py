"""A Timepix3 on the network: the raw socket of ASI's SERVAL as a source of electrons, and its HTTP interface.

The socket carries the bytes of a .tpx3 file and nothing else. Either side may connect: SERVAL is told which by HTTP
(``tcp://listen@host:port`` or ``tcp://connect@host:port`` as the destination of raw data).
"""

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe.errors import DeviceError, FormatError
from crewe.io.event_files import core_options, damage_error
from crewe.io.net import CONNECT_TIMEOUT, PAUSE, Address, connect, keep_alive, serve
from crewe.io.sources import EventSource

__all__ = ["ServalClient", "ServalServer", "ServalSource"]

#: Bytes received at once, at most; what is decoded of them stays in a core's second cache.
RECEIVE_BYTES = 1 << 18
#: After so long without a byte [s] what waits for more words to be certain is taken as it is.
IDLE = 0.05


class ServalClient:
    """The HTTP interface of SERVAL: where raw data go, start and stop of a measurement.

    Parameters
    ----------
    url : str
        ``http://host:8080``.
    timeout : float, optional
        How long to wait for a reply [s].

    Raises
    ------
    ConnectionError
        Nobody is there; from every method.
    DeviceError
        SERVAL refuses; from every method.
    """

    def __init__(self, url: str, *, timeout: float | None = None) -> None:
        self._url, self._timeout = url.rstrip("/"), CONNECT_TIMEOUT if timeout is None else timeout

    def raw_to(self, address: Address, *, listen: bool) -> None:
        """Send raw data to a TCP socket, at which SERVAL listens or to which it connects."""
        base = f"tcp://{'listen' if listen else 'connect'}@{address[0]}:{address[1]}"
        self._ask("/server/destination", {"Raw": [{"Base": base}]})

    def start(self) -> None:
        """Start the measurement."""
        self._ask("/measurement/start")

    def stop(self) -> None:
        """Stop the measurement."""
        self._ask("/measurement/stop")

    def _ask(self, path: str, content: object = None) -> bytes:
        from urllib.error import HTTPError, URLError  # 30 ms of imports that hardly anybody needs
        from urllib.request import Request, urlopen

        data = None if content is None else json.dumps(content).encode()
        request = Request(self._url + path, data, {"Content-Type": "application/json"}, method="PUT" if data else "GET")
        try:
            with urlopen(request, timeout=self._timeout) as reply:
                text: bytes = reply.read()
        except HTTPError as error:
            reason = error.read().decode("utf-8", "replace").strip() or error.reason
            raise DeviceError(f"SERVAL refuses {path}: {error.code} {reason}") from error
        except (URLError, OSError) as error:
            raise ConnectionError(f"no SERVAL answers at {self._url}: {error}") from error
        return text


class ServalSource(EventSource):
    """Electrons at probe positions from the raw socket of SERVAL, read once, while they come.

    Made by ``crewe.io.listen("tpx3://host:port", scan=...)``. Events are given out as soon as the end of their line is
    known. It ends with the last line of the last scan wanted, or, if all are, when SERVAL hangs up. A line that drops
    before is taken up again: the rows that went by meanwhile stay empty, as the time since the last line tells.

    Parameters
    ----------
    address : (str, int)
        Host and port at which SERVAL listens.
    timeout : float, optional
        How long nothing may come, and how long to try to connect again [s]; default: nothing may come for ever,
        connections are tried for 10 s.
    scan : (int, int)
        Probe positions (y, x).
    detector : (int, int), optional
        Pixels (ky, kx); default (512, 512).
    command_port : int, optional
        Port of SERVAL's HTTP interface (8080) on the same host: SERVAL is told to send its raw data here, and the
        measurement is started and stopped by us.
    dwell, acceptance, chips : optional
        As of a file, see `crewe.io.tpx3.Tpx3File`.
    scans : int
        Repeated scans to take, whose events add up; 0 = until SERVAL hangs up.

    Attributes
    ----------
    metadata : dict
        As of a file, and received [bytes], reconnects, skipped [bytes] of damaged data.
    lost : int
        Hits that were dropped because more than 16 million waited for the end of their line.
    """

    LISTENS = False  # whether we do, and SERVAL connects

    def __init__(
        self,
        address: Address,
        *,
        timeout: float | None = None,
        scan: tuple[int, int] | None = None,
        detector: tuple[int, int] | None = None,
        command_port: int | None = None,
        dwell: float | None = None,
        acceptance: float | None = None,
        chips: Sequence[tuple[int, int, bool, bool]] | None = None,
        scans: int = 1,
    ) -> None:
        self._options = core_options(
            scan, detector or (512, 512), dwell=dwell, acceptance=acceptance, chips=chips, scans=scans
        )
        self.scan, self.detector = self._options["scan"], self._options["detector"]
        self.metadata = {"received": 0, "reconnects": 0, "skipped": 0}
        self._address, self._timeout = address, timeout
        self._where = f"{'tpx3+serve' if self.LISTENS else 'tpx3'}://{address[0]}:{address[1]}"
        self._scan = _core.Tpx3Scan(**self._options)
        self._socket: socket.socket | None = None
        self._commands: ServalClient | None = None
        self._read = False
        try:
            if command_port is not None:
                self._commands = ServalClient(f"http://{address[0]}:{command_port}", timeout=timeout)
                self._commands.raw_to(address, listen=not self.LISTENS)
            self._open()
            if self._commands is not None:
                self._commands.start()
        except BaseException:
            self.close()
            raise

    @property
    def dwell(self) -> float:
        """Time per position [s]: as given, or the mean of the lines so far; 0 before the first."""
        return self._scan.dwell

    # ------------------------------------------------------------------------------------------------------- connection
    def _open(self) -> None:
        """What is needed before SERVAL sends."""
        self._socket = connect(self._address, timeout=self._timeout)

    def _client(self, timeout: float | None) -> socket.socket:
        """The connection, made if there is none."""
        if self._socket is None:
            self._socket = connect(self._address, timeout=timeout)
        return self._socket

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # ----------------------------------------------------------------------------------------------------------- events
    def records(self) -> Iterator[NDArray[Any]]:
        """Blocks of `EVENT` records, valid until the next one is asked for.

        Raises
        ------
        ConnectionError
            SERVAL is gone, or silent for longer than `timeout`, before the scan was over; what came was given.
        FormatError
            What comes is no Timepix3 stream.
        """
        if self._read:
            raise ValueError(f"{self._where}: the events of a detector come once")
        self._read = True
        buffer = np.empty(RECEIVE_BYTES, np.uint8)
        try:
            for count in self._pieces(buffer.data):
                yield from self._events(self._scan.flush() if count == 0 else self._scan.feed(buffer[:count]))
                self._refuse_garbage()
            failure = "" if self._is_over() else self._failure
            yield from self._events(self._scan.finish())
        finally:
            self._hang_up()  # the scan is over, whether SERVAL goes on or not
        if failure and not self._is_over():
            raise ConnectionError(f"{failure}, after {self._scan.lines} of {self._lines} lines")

    def _events(self, block: NDArray[Any]) -> Iterator[NDArray[Any]]:
        self._note()
        if len(block):
            yield block

    def _pieces(self, buffer: memoryview) -> Iterator[int]:
        """Bytes received into the buffer, again and again; 0 after a pause. Ends with the stream."""
        self._failure, silent_since, cut_since = "", time.monotonic(), 0.0
        patience = CONNECT_TIMEOUT if self._timeout is None else self._timeout
        waited_on = 0  # bytes since the last line ended
        while True:
            now = time.monotonic()
            try:
                client = self._client(None if self._timeout is None else max(silent_since + self._timeout - now, PAUSE))
                client.settimeout(IDLE)
                count = client.recv_into(buffer)
            except TimeoutError:
                count = -1
            except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
                count = 0
            except OSError as error:
                self._failure = f"{self._where} is gone: {error}"
                return
            now = time.monotonic()
            if count > 0:
                silent_since, cut_since = now, 0.0
                self.metadata["received"] += count
                yield count
                if self._scan.complete:  # words of the last line may come late
                    waited_on += count
                    if waited_on >= RECEIVE_BYTES:
                        return
            elif count < 0:
                yield 0
                if self._scan.complete:
                    return
                if self._timeout is not None and now - silent_since > self._timeout:
                    self._failure = f"{self._where} has sent nothing for {self._timeout} s"
                    return
            else:
                yield 0
                self._hang_up()
                cut_since = cut_since or now
                if self._is_over() or now - cut_since > patience:
                    self._failure = f"{self._where} has closed the connection"
                    return
                self._scan.cut()
                self.metadata["reconnects"] += 1
                time.sleep(PAUSE)

    @property
    def _lines(self) -> int:
        return int(self._options["scans"]) * self.scan[0]

    def _is_over(self) -> bool:
        """Whether the end of the stream, here, is no loss: by line triggers only the lines tell."""
        return bool(self._options["dwell"]) or not self._lines or self._scan.lines >= self._lines

    def _refuse_garbage(self) -> None:
        damage, counts = self._scan.damage, self._scan.counts
        if damage is not None and counts["chunks"] == 0:
            raise damage_error(self._where, damage)

    def _note(self) -> None:
        counts, damage = self._scan.counts, self._scan.damage
        self.metadata.update(counts, lines=self._scan.lines, dwell=self._scan.dwell)
        self.metadata["skipped"] = 0 if damage is None else damage[2]
        self.lost = counts["lost"]

    def close(self) -> None:
        """Hang up; a measurement that we started is stopped."""
        if self._commands is not None:
            with contextlib.suppress(OSError, DeviceError):
                self._commands.stop()
            self._commands = None
        self._hang_up()


class ServalServer(ServalSource):
    """The same for a SERVAL that connects to us: ``crewe.io.listen("tpx3+serve://host:port", scan=...)``.

    A client that sends anything but a Timepix3 stream is sent away, and counted as `refused` in the metadata.
    """

    LISTENS = True

    def _open(self) -> None:
        self._listener = serve(self._address)
        self.metadata["refused"] = 0

    def _client(self, timeout: float | None) -> socket.socket:
        if self._socket is None:
            self._listener.settimeout(IDLE)
            self._socket, _ = self._listener.accept()
            keep_alive(self._socket)
        return self._socket

    def _refuse_garbage(self) -> None:
        try:
            super()._refuse_garbage()
        except FormatError:
            self._hang_up()
            self.metadata["refused"] += 1
            self._scan = _core.Tpx3Scan(**self._options)

    def close(self) -> None:
        """Hang up, and listen no more."""
        super().close()
        if hasattr(self, "_listener"):
            self._listener.close()
