"""A Merlin on the network: its data socket as a source of frames, and its command socket.

Every message is ``MPX,``, ten digits, a comma and the payload; the digits count the payload and that comma. On the data
socket the first payload is the acquisition header (``HDR``), each other one a frame (``MQ1``) as in a .mib file. The
acquisition header comes when the acquisition is started, before it is triggered; nothing marks its end.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_int, as_shape
from crewe.errors import DeviceError, FormatError
from crewe.io.mib import acquisition_header, big_endian, flyback_of, frame_metadata, number_of, scan_of
from crewe.io.net import CONNECT_TIMEOUT, PAUSE, Address, connect
from crewe.io.sources import FrameSource

__all__ = ["PREFIX", "CommandSocket", "MerlinSource", "message"]

#: Bytes before a payload.
PREFIX = 15
#: What a payload may hold: an acquisition header, a frame of 64 chips.
LONGEST_TEXT, LONGEST_FRAME = 1 << 16, 1 << 25
#: Frames are received into a ring of about so many bytes, which stays in a core's cache.
RING_BYTES = 1 << 21
#: What replies on the command socket end with, if not with 0.
REFUSALS = {"1": "busy", "2": "unknown command", "3": "out of range"}


def message(payload: bytes) -> bytes:
    """A payload with its prefix."""
    return b"MPX,%010d," % (len(payload) + 1) + payload


def payload_length(prefix: bytes) -> int:
    """Bytes of the payload after a prefix; -1 if it is none."""
    digits = prefix[4:14]
    if len(prefix) < PREFIX or not prefix.startswith(b"MPX,") or prefix[14:15] != b"," or not digits.isdigit():
        return -1
    return int(digits) - 1


class CommandSocket:
    """The command socket of a Merlin (port 6341): set and get parameters, give commands.

    Parameters
    ----------
    address : (str, int)
        Host and port.
    timeout : float, optional
        How long to wait for the connection, and for a reply [s].

    Raises
    ------
    ConnectionError
        Nobody is there.
    """

    def __init__(self, address: Address, *, timeout: float | None = None) -> None:
        self._socket = connect(address, timeout=timeout)
        self._socket.settimeout(CONNECT_TIMEOUT if timeout is None else timeout)
        self._replies = self._socket.makefile("rb")

    def set(self, name: str, value: object) -> None:
        """Set a parameter, ``NUMFRAMESTOACQUIRE`` for instance."""
        self._ask("SET", name, str(value))

    def get(self, name: str) -> str:
        """The value of a parameter."""
        return self._ask("GET", name, "0")

    def command(self, name: str) -> None:
        """Give a command, ``STARTACQUISITION`` for instance."""
        self._ask("CMD", name, "0")

    def _ask(self, kind: str, name: str, value: str) -> str:
        try:
            self._socket.sendall(message(f"{kind},{name},{value}".encode("ascii")))
            length = payload_length(self._replies.read(PREFIX))
            if not 0 <= length <= LONGEST_TEXT:
                raise ConnectionError("no Merlin answers")
            reply = self._replies.read(length)
            if reply.endswith(b","):  # counted without the comma of the prefix, as simulators do
                reply += self._replies.read(1)
        except OSError as error:
            raise ConnectionError(f"Merlin command socket, {kind} {name}: {error}") from error
        words = reply.decode("latin-1").split(",")
        if words[-1].strip() not in ("0", ""):
            why = REFUSALS.get(words[-1].strip(), f"code {words[-1]}")
            raise DeviceError(f"the Merlin refuses {kind} {name} {value}: {why}")
        return words[2] if len(words) > 3 else ""

    def close(self) -> None:
        self._replies.close()
        self._socket.close()


class Ring:
    """Memory for whole messages of one length, filled, handed out and given back in order, over and over.

    Bytes are counted from the begin of the stream; byte n lies at n modulo the size, which is a multiple of the stride,
    so that no message lies across the end.
    """

    def __init__(self, stride: int, slots: int) -> None:
        self.slots = slots
        self._stride = stride
        self._bytes = np.empty(slots * stride, np.uint8)
        self._received = self._taken = self._returned = 0
        self._more_room = threading.Condition()

    @property
    def waiting(self) -> int:
        """Bytes that came and aren't handed out."""
        return self._received - self._taken

    @property
    def slot(self) -> int:
        """Where the next message to be handed out lies."""
        return self._taken // self._stride % self.slots

    def pending(self) -> NDArray[np.uint8]:
        """What came and isn't handed out, up to the end of the memory."""
        at = self._taken % len(self._bytes)
        return self._bytes[at : at + self.waiting]

    def take(self, messages: int) -> None:
        """Messages are handed out: nothing is written over them until they are given back."""
        self._taken += messages * self._stride

    def give_back(self, messages: int) -> None:
        """The oldest messages that were handed out aren't needed any longer; from any thread."""
        with self._more_room:
            self._returned += messages * self._stride
            self._more_room.notify()

    def space(self) -> NDArray[np.uint8]:
        """Where the next bytes go, at least one; waits until there is room."""
        size = len(self._bytes)
        with self._more_room:
            self._more_room.wait_for(lambda: self._received - self._returned < size)
            room = size - (self._received - self._returned)
        at = self._received % size
        return self._bytes[at : at + room]

    def fill(self, count: int) -> None:
        """So many bytes were written to `space`."""
        self._received += count

    def withdraw(self) -> bytes:
        """What waits to be handed out: it won't be."""
        at, end = self._taken % len(self._bytes), self._taken % len(self._bytes) + self.waiting
        parts = self._bytes[at:end], self._bytes[: max(end - len(self._bytes), 0)]
        self._received = self._taken
        return b"".join(part.tobytes() for part in parts)


class MerlinSource(FrameSource):
    """One acquisition from the data socket of a Merlin, read once, while it comes.

    Made by ``crewe.io.listen("merlin://host:port", ...)``; ready when the first frame is there. A line that drops is
    taken up again; every frame lands at the place that its number says, and `lost` counts those that didn't come.

    Parameters
    ----------
    address : (str, int)
        Host and port of the data socket (6342).
    timeout : float, optional
        How long nothing may come, and how long to try to connect again [s]; default: nothing may come for ever,
        connections are tried for 10 s.
    scan, detector : (int, int), optional
        Probe positions (y, x), pixels (ky, kx); default: what the detector says.
    command_port : int, optional
        The acquisition is set up and started by us through this port.
    frames : int, optional
        Frames of the acquisition; default: what its header says, at most what `scan` needs if that is given.
    skip, flyback : int, optional
        Frames before the first position, and after every line, that belong to none; default as for .mib files.
    depth : int
        Bits of the counter, where raw frames of old software don't say.
    settings : mapping, optional
        Parameters to set before the start, ``{"ACQUISITIONTIME": 1.0}`` for instance.
    softtrigger : bool
        Send SOFTTRIGGER after the acquisition header.
    """

    def __init__(
        self,
        address: Address,
        *,
        timeout: float | None = None,
        scan: tuple[int, int] | None = None,
        detector: tuple[int, int] | None = None,
        command_port: int | None = None,
        frames: int | None = None,
        skip: int = 0,
        flyback: int | None = None,
        depth: int = 0,
        settings: Mapping[str, object] | None = None,
        softtrigger: bool = False,
    ) -> None:
        if command_port is None and (settings or softtrigger):
            raise ValueError("settings, softtrigger: the command_port is wanted too")
        self.skip, self.flyback = as_int(skip, "skip"), as_int(flyback or 0, "flyback")
        wanted_scan = None if scan is None else as_shape(scan, "scan")
        wanted_frames = None if frames is None else as_int(frames, "frames")
        self._address, self._timeout = address, timeout
        self._where = f"merlin://{address[0]}:{address[1]}"
        self._received = 0  # bytes from the socket
        self._backlog = b""  # of them, what is to be received once more
        self._closed = False
        self._commands: CommandSocket | None = None
        self._socket = connect(address, timeout=timeout)
        try:
            if command_port is not None:
                self._commands = CommandSocket((address[0], command_port), timeout=timeout)
                self._start(self._commands, settings or {}, wanted_frames or self._needed(wanted_scan))
            self._begin(depth, softtrigger)
            self._agree(wanted_scan, wanted_frames, detector)
            if flyback is None and scan is None and not skip:
                self.flyback = flyback_of(self._header, self._total)
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------------------------------- before the first frame
    def _start(self, commands: CommandSocket, settings: Mapping[str, object], frames: int) -> None:
        for name, value in settings.items():
            commands.set(name, value)
        if frames:
            commands.set("NUMFRAMESTOACQUIRE", frames)
        commands.command("STARTACQUISITION")

    def _needed(self, scan: tuple[int, int] | None) -> int:
        """Frames that a scan takes."""
        return 0 if scan is None else self.skip + scan[0] * (scan[1] + self.flyback)

    def _begin(self, depth: int, softtrigger: bool) -> None:
        """Wait for the acquisition header, and the first frame, which tells what all frames are like."""
        self._text = b""
        payload = self._message()
        while self._commands is not None and payload.startswith(b"MQ1"):  # what an acquisition before ours left
            payload = self._message()
        while payload.startswith(b"HDR"):  # of several the last one counts: those before weren't triggered
            self._text = payload
            if softtrigger and self._commands is not None:
                self._commands.command("SOFTTRIGGER")
            payload = self._message()
        self._header = acquisition_header(self._text)
        at = self._offset() - len(payload)
        depth = depth or number_of(self._header, "Counter Depth")
        self._framing = _core.MibFraming(np.frombuffer(payload, np.uint8), offset=at, depth=depth)
        length = self._framing.header + self._framing.data
        if length != len(payload):
            raise FormatError(
                f"Merlin frame: {length} bytes by its header, {len(payload)} by its message (at byte {at})", at
            )
        self.detector, self.dtype = self._framing.shape, np.dtype(self._framing.dtype)
        self._stride = self._framing.stride(PREFIX)
        largest = max(self._stride, self.detector[0] * self.detector[1] * self.dtype.itemsize)
        self._ring = Ring(self._stride, max(2, RING_BYTES // largest))
        self._images = np.empty((self._ring.slots if self._framing.raw else 0, *self.detector), self.dtype)
        self._backlog = message(payload)
        self.metadata = {
            **frame_metadata(payload[: self._framing.header]),
            "depth": self._framing.depth or number_of(self._header, "Counter Depth") or None,
            "raw": self._framing.raw,
            "acquisition": self._header,
        }

    def _agree(self, scan: tuple[int, int] | None, frames: int | None, detector: tuple[int, int] | None) -> None:
        """What was asked for against what the detector says."""
        if detector is not None and tuple(detector) != self.detector:
            raise ValueError(f"detector: {tuple(detector)} wanted, {self._where} sends frames of {self.detector}")
        announced = frames or number_of(self._header, "Frames in Acquisition")
        said = number_of(self._header, "ScanY") and number_of(self._header, "ScanX")
        if scan is None and not said and not announced:
            why = (
                "sent no acquisition header"
                if not self._header
                else "says neither a scan nor how many frames will come"
            )
            raise ValueError(f"scan: (y, x) wanted, because {self._where} {why}")
        self.scan = scan or scan_of(self._header, announced)
        self._total = announced or self._needed(self.scan)
        if scan is not None and not frames:
            self._total = min(self._total, self._needed(scan))
        self._next = 0  # the frame after the last one
        self._first_number: int | None = None
        self._gaps: list[range] = []
        self._cut_since: float | None = None

    # ----------------------------------------------------------------------------------------------------------- frames
    def __len__(self) -> int:
        return self._total

    def __getitem__(self, index: int) -> NDArray[Any]:
        raise TypeError("a detector's frames come once and in their order: iterate over them")

    def raw_blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for first, frames, release in self.lent_blocks():
            yield first, frames
            release()

    def lent_blocks(self) -> Iterator[tuple[int, NDArray[Any], Callable[[], None]]]:
        """(first, frames, release): as `raw_blocks`, but a block stays as it is until ``release()`` is called.

        So it can be summed in one thread while the next is received in another. Blocks are released in their order.
        """
        while self._next < self._total and not self._closed:
            pending = self._ring.pending()
            if len(pending) >= self._stride and (block := self._block(pending)):
                yield block
            elif self._header_is_next(pending):
                if self._another_acquisition():
                    self._note(self._total, 0)
            else:
                self._more()
        self.close()  # a Merlin doesn't hang up by itself

    def _block(self, pending: NDArray[np.uint8]) -> tuple[int, NDArray[Any], Callable[[], None]] | None:
        """The frames that follow each other in the ring; None if something else is next."""
        at = self._offset()
        try:
            messages, number = self._framing.check(pending, offset=at, prefix=PREFIX, consecutive=True)
        except FormatError:
            if self._header_is_next(pending):
                return None
            raise
        first, slot = self._place(number, at), self._ring.slot
        self._ring.take(messages)
        count = min(messages, self._total - first)
        self._note(first, count)
        self._cut_since = None
        if self._framing.raw:
            frames = self._images[slot : slot + count]
            self._framing.unpack(pending, prefix=PREFIX, images=frames)
        else:
            frames = big_endian(self._framing, pending, count, PREFIX)
        return first, frames, partial(self._ring.give_back, messages)

    def _place(self, number: int, at: int) -> int:
        """The index of a frame with this number."""
        if self._first_number is None:  # 1, but for a Merlin that counts on from acquisition to acquisition
            self._first_number = 1 if 1 <= number <= self._total else number
        index = number - self._first_number
        if not 0 <= index < self._total:
            last = self._first_number + self._total - 1
            raise FormatError(
                f"Merlin frame: a number from {self._first_number} to {last} wanted, {number} came (at byte {at})", at
            )
        return index

    def _note(self, first: int, count: int) -> None:
        """Frames [first, first + count) are here: what is missing before them is lost, until it comes after all."""
        if first > self._next:
            self._gaps.append(range(self._next, first))
            self.lost += first - self._next
        elif first < self._next:
            late, kept = range(first, first + count), []
            for gap in self._gaps:
                before = range(gap.start, min(gap.stop, late.start))
                after = range(max(gap.start, late.stop), gap.stop)
                kept += [part for part in (before, after) if part]
                self.lost -= len(gap) - len(before) - len(after)
            self._gaps = kept
        self._next = max(self._next, first + count)

    def _header_is_next(self, pending: NDArray[np.uint8]) -> bool:
        """Whether the next message is an acquisition header; damage if it can't be a frame either."""
        if len(pending) < PREFIX + 4:
            return False
        head = bytes(pending[: PREFIX + 4])
        if payload_length(head[:PREFIX]) < 0 or head[PREFIX:] not in (b"MQ1,", b"HDR,"):
            at = self._offset()
            raise FormatError(f"Merlin message: MPX, a length, and MQ1 or HDR wanted, {head!r} came (at byte {at})", at)
        return head[PREFIX:] == b"HDR,"

    def _another_acquisition(self) -> bool:
        """Read the acquisition header that is next: whether it isn't ours, sent again after a cut."""
        self._backlog = self._ring.withdraw() + self._backlog
        return self._message() != self._text

    # ----------------------------------------------------------------------------------------------------------- socket
    def _message(self) -> bytes:
        """The payload of one message of any kind."""
        at = self._offset()
        prefix = self._exactly(PREFIX)
        length = payload_length(prefix)
        if length < 0:
            raise FormatError(f"Merlin message: MPX and a length wanted, {prefix!r} came (at byte {at})", at)
        kind = self._exactly(min(length, 4))
        longest = LONGEST_FRAME if kind == b"MQ1," else LONGEST_TEXT
        if length > longest:
            raise FormatError(f"Merlin message: at most {longest} bytes wanted, {length} came (at byte {at})", at)
        return kind + self._exactly(length - len(kind))

    def _exactly(self, count: int) -> bytes:
        data, done = np.empty(count, np.uint8), 0
        while done < count:
            done += self._receive(data[done:])
        return data.tobytes()

    def _offset(self) -> int:
        """The place in the stream of the next byte that nobody has looked at."""
        waiting = self._ring.waiting if hasattr(self, "_ring") else 0
        return self._received - len(self._backlog) - waiting

    def _receive(self, space: NDArray[np.uint8]) -> int:
        """Bytes that came; ConnectionResetError if the detector has gone, ConnectionError if it says nothing."""
        if self._backlog:
            piece, self._backlog = self._backlog[: len(space)], self._backlog[len(space) :]
            space[: len(piece)] = np.frombuffer(piece, np.uint8)
            return len(piece)
        try:
            count = self._socket.recv_into(space.data)
        except OSError as error:
            if isinstance(error, TimeoutError) and error.errno is None:  # ours; the system's own have a number
                raise ConnectionError(f"{self._where} has sent nothing for {self._timeout} s{self._so_far()}") from None
            raise ConnectionResetError(f"{self._where}: {error}{self._so_far()}") from error
        if count == 0:
            raise ConnectionResetError(f"{self._where} has closed the connection{self._so_far()}")
        self._received += count
        return count

    def _more(self) -> None:
        """Receive what is there, at least a byte; connect again where the line is cut."""
        try:
            self._ring.fill(self._receive(self._ring.space()))
        except ConnectionResetError as reason:
            if self._closed:
                return
            now = time.monotonic()
            self._cut_since = self._cut_since or now
            left = self._cut_since + (CONNECT_TIMEOUT if self._timeout is None else self._timeout) - now
            self._socket.close()
            self._ring.withdraw()
            try:
                if left <= 0:
                    raise reason
                time.sleep(PAUSE)
                self._socket = connect(self._address, timeout=left)
                self._socket.settimeout(self._timeout)
            except OSError as error:
                raise ConnectionError(f"{self._where} is gone{self._so_far()}: {error}") from error

    def _so_far(self) -> str:
        total = getattr(self, "_total", 0)
        return f", after {self._next - self.lost} of {total} frames" if total else ""

    def close(self) -> None:
        """Hang up, from any thread: the iteration ends. An acquisition that we started and that runs is stopped."""
        self._closed = True
        if self._commands is not None:
            if getattr(self, "_total", 1) > getattr(self, "_next", 0):
                with contextlib.suppress(OSError, DeviceError):
                    self._commands.command("STOPACQUISITION")
            self._commands.close()
            self._commands = None
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for bytes
        self._socket.close()
