"""Frames of a Merlin over a loopback socket: into a live session, against a bare loop that reads the same bytes.

The sender, a process of its own, sends prepared messages as fast as the socket takes them. Frames: 256 x 256 uint16,
131,471 bytes a message. The session makes riCOM 61 x 61 (with the centre of mass) and one annulus. Runs alternate,
since other users of the machine change them all; figures are medians of frames per second of wall time and of this
process's CPU time. No frame may be lost. `python -m benchmarks.peers.merlin_socket`
"""

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.benchmarks.common import frames, peers_main
from crewe import io, live
from crewe.io.arrays import ArraySource
from crewe.io.merlin import PREFIX, message
from crewe.io.merlin_player import acquisition_text, formatted

HELD = 64  # frames that the sender holds in memory and sends over and over, with numbers of their own
RING = 1 << 20
DIGITS = 7


def send(rows: int, columns: int) -> None:
    """The sender: prints its port, serves one client."""
    count = rows * columns
    source = ArraySource(frames(HELD), metadata={"depth": 12})
    payloads = np.concatenate(list(formatted(source, HELD, first_number=10 ** (DIGITS - 1))))
    messages = np.empty((HELD, PREFIX + payloads.shape[1]), np.uint8)
    messages[:, :PREFIX] = np.frombuffer(message(bytes(payloads.shape[1]))[:PREFIX], np.uint8)
    messages[:, PREFIX:] = payloads
    source.scan = (rows, columns)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    with connection:
        connection.sendall(message(acquisition_text(source, count)))
        for first in range(0, count, HELD):
            numbers = np.arange(first, min(first + HELD, count)) + 1
            for digit in range(DIGITS):
                messages[: len(numbers), PREFIX + 3 + DIGITS - digit] = ord("0") + numbers // 10**digit % 10
            connection.sendall(messages[: len(numbers)].reshape(-1).data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def bare(port: int, scan: tuple[int, int]) -> tuple[float, float]:
    """(wall, CPU) seconds of a loop that does nothing but read, into memory that stays in the cache."""
    memory, count = memoryview(bytearray(RING)), 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        count = connection.recv_into(memory)
        wall, cpu = time.perf_counter(), time.process_time()
        while got := connection.recv_into(memory):
            count += got
        taken = time.perf_counter() - wall, time.process_time() - cpu
    assert count > scan[0] * scan[1] * 131072
    return taken


def into_a_session(port: int, scan: tuple[int, int], threads: int) -> tuple[float, float]:
    source = io.listen(f"merlin://127.0.0.1:{port}", timeout=20)
    wall, cpu = time.perf_counter(), time.process_time()
    images = {"ricom": live.RiCOM(kernel=61), "adf": live.VirtualDetector(inner=40.0, outer=100.0)}
    session = live.run(source, images, center=(127.5, 127.5), threads=threads)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    assert source.lost == 0, f"{source.lost} frames lost"
    assert session.done == scan[0] * scan[1]
    return taken


def without_a_session(port: int, scan: tuple[int, int]) -> tuple[float, float]:
    source = io.listen(f"merlin://127.0.0.1:{port}", timeout=20)
    wall, cpu = time.perf_counter(), time.process_time()
    assert sum(len(block) for _, block in source.raw_blocks()) == scan[0] * scan[1]
    return time.perf_counter() - wall, time.process_time() - cpu


READERS: dict[str, Callable[[int, tuple[int, int]], tuple[float, float]]] = {
    "bare read loop": bare,
    "crewe, the source alone": without_a_session,
    "crewe, into a session, 1 thread": lambda port, scan: into_a_session(port, scan, 1),
    "crewe, into a session, all cores": lambda port, scan: into_a_session(port, scan, 0),
}


def measure(count: int, quick: bool) -> dict[str, Any]:
    rows, columns = (16, 256) if quick else (128, 256)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in READERS}
    command = f"from benchmarks.peers.merlin_socket import send; send({rows}, {columns})"
    for _ in range(count):
        for name, read in READERS.items():
            with subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True) as sender:
                assert sender.stdout is not None
                try:
                    seconds[name].append(read(int(sender.stdout.readline()), (rows, columns)))
                finally:
                    sender.kill()
    figures: dict[str, Any] = {"frames": rows * columns}
    for name, taken in seconds.items():
        wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        figures[name] = {"frames/s": rows * columns / wall, "frames/CPU-s": rows * columns / cpu}
    limit = figures["bare read loop"]["frames/s"]
    for name in list(READERS)[1:]:
        figures[name]["part of the bare loop's wall rate"] = figures[name]["frames/s"] / limit
    return figures


if __name__ == "__main__":
    peers_main("merlin_socket", __doc__, measure, rounds=5)
