"""Sockets of detectors: connecting, waiting, and words for what goes wrong."""

import contextlib
import socket
import time

__all__ = ["CONNECT_TIMEOUT", "PAUSE", "Address", "connect", "serve"]

Address = tuple[str, int]

#: How long we try to reach a detector if nobody says how long [s], and the pause between two attempts [s].
CONNECT_TIMEOUT, PAUSE = 10.0, 0.05


def connect(address: Address, *, timeout: float | None = None) -> socket.socket:
    """A connection to (host, port), tried again until `timeout` [s] is over; OSError if nobody is there."""
    end = time.monotonic() + (CONNECT_TIMEOUT if timeout is None else timeout)
    while True:
        try:
            connection = socket.create_connection(address, timeout=max(end - time.monotonic(), PAUSE))
        except OSError as error:
            if time.monotonic() + PAUSE > end:
                host, port = address
                raise ConnectionError(f"nobody answers at {host}:{port}: {error.strerror or error}") from error
            time.sleep(PAUSE)
            continue
        connection.settimeout(timeout)
        keep_alive(connection)
        return connection


def keep_alive(connection: socket.socket) -> None:
    """A line that is dead without a word is found out within about 12 s."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 6), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        if option := getattr(socket, name, None):
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


def serve(address: Address) -> socket.socket:
    """A socket that listens at (host, port) for one client; OSError with the port if it is in use."""
    host, port = address
    try:
        return socket.create_server(address, backlog=1)
    except OSError as error:
        raise OSError(error.errno, f"can't listen at {host}:{port}: {error.strerror or error}") from error
