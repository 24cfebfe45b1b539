"""What all played detectors share: one client, pieces of data at a rate, words for a client that hangs up."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterable, Sequence

from crewe.io.net import Address, serve

__all__ = ["play_pieces"]

#: How long a client may take to read what is left when all is sent [s].
LAST_WORD = 30.0

Piece = tuple[Sequence[bytes | memoryview], int]


def play_pieces(
    address: Address,
    pieces: Iterable[Piece],
    *,
    rate: float | None,
    on_sent: Callable[[int], None] | None,
    total: int,
    unit: str,
) -> None:
    """Send all pieces to the first client, and stay until it goes; see `crewe.io.replay`.

    A piece is what to send, in parts, and how many of `total` `unit` are over with it.
    """
    with serve(address) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = 0
        try:
            begin = time.monotonic()
            for parts, done in pieces:
                if rate is not None:
                    time.sleep(max(0.0, begin + sent / rate - time.monotonic()))
                send(connection, parts)
                sent = done
                if on_sent is not None:
                    on_sent(sent)
            connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ConnectionError(f"the client hung up after {sent} of {total} {unit}") from error
        connection.settimeout(LAST_WORD)
        with contextlib.suppress(OSError):
            while connection.recv(4096):
                pass


def send(connection: socket.socket, parts: Sequence[bytes | memoryview]) -> None:
    """All parts, with as few calls and copies as the operating system allows."""
    left = [memoryview(part) for part in parts]
    while left:
        count = connection.sendmsg(left)
        while left and count >= len(left[0]):
            count -= len(left.pop(0))
        if count:
            left[0] = left[0][count:]
