"""An acquisition program in Python: a ring of buffers of its own, lent to the session, and a thread that looks on.

Usage: acquire.py FRAMES SCAN_Y SCAN_X DETECTOR_Y DETECTOR_X OUT (see c/acquire.c).
"""

import queue
import sys
import threading

import numpy as np

from crewe.live import SSB, CenterOfMass, RiCOM, Session, VirtualDetector
from crewe.optics import Aberrations


def main(path, sy, sx, ky, kx, out):
    frames = np.memmap(path, np.uint16, "r", shape=(sy * sx, ky, kx))  # the camera
    free = queue.SimpleQueue()
    for _ in range(4):
        free.put(np.empty((6, ky, kx), np.uint16))
    images = {"ricom": RiCOM(9), "ring": VirtualDetector(3, 8), "com": CenterOfMass()}
    lens = Aberrations(C10=50.0, C12=20.0, phi12=0.3)
    images["phase"] = SSB(energy=200e3, semiangle=15.0, step=0.5, angle_per_pixel=2.5, aberrations=lens)
    seen = []
    with Session(
        scan=(sy, sx), detector=(ky, kx), images=images, center=((ky - 1) / 2, (kx - 1) / 2), queue=3
    ) as session:
        viewer = threading.Thread(target=lambda: seen.extend(session.updates(hz=100)))
        viewer.start()
        for first in range(0, sy * sx, 6):
            buffer = free.get(timeout=60)
            block = buffer[: min(6, sy * sx - first)]
            block[...] = frames[first : first + 6]
            session.push(block, first=first, release=lambda buffer=buffer: free.put(buffer))
        session.flush()
        assert session.done == sy * sx
        assert free.qsize() == 4, "every buffer is given back"
    viewer.join(60)
    assert {name for name, _, _ in seen} == set(images)
    with open(out, "wb") as file:
        for name in images:
            file.write(session[name].tobytes())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]), sys.argv[6])
