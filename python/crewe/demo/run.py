"""See crewe work: a simulated SrTiO₃ scan, streamed over loopback sockets as frames and as single electrons.

The electrons of `crewe.demo.model` are played by `crewe.io.replay` as a Merlin and as a Timepix3, taken by
`crewe.io.listen` and turned into images by a `crewe.live.Session` while they come; `crewe.demo.report` draws and
compares them with the phase of the projected potential.
"""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from crewe import io, live
from crewe._progress import Bar
from crewe.demo.detectors import Camera, Counter
from crewe.demo.model import Model, electrons
from crewe.demo.report import write_report
from crewe.demo.streams import Stream, rate

__all__ = ["demo"]

DOSE = 1000.0  # electrons per position
TIMEOUT = 30.0  # s without data on a loopback socket: something is wrong


def kinds(model: Model) -> dict[str, live.Kind]:
    """The images of the demo. Half a unit cell is the kernel that shows single columns best."""
    disc = model.semiangle / model.angle_per_pixel
    return {
        "ricom": live.RiCOM(kernel=model.steps // 2 + 1 - model.steps // 2 % 2),
        "icom": live.ICOM(),
        "adf": live.VirtualDetector(inner=50.0 / model.angle_per_pixel),
        "bf": live.VirtualDetector(outer=disc / 2),
        "com": live.CenterOfMass(),
        "field": live.ElectricField(energy=model.energy, angle_per_pixel=model.angle_per_pixel),
        "sum": live.Sum(),
    }


def demo(
    folder: Path, *, model: Model | None = None, dose: float = DOSE, say: Callable[[str], object] = lambda _: None
) -> bool:
    """Run the demo; pictures, arrays and report.md go to `folder`. False: interrupted, what there was is saved.

    Parameters
    ----------
    folder : path
        Made if it isn't there; files of an earlier run are overwritten.
    model : Model, optional
        Default: 4 × 4 unit cells, 96 × 96 positions, 256 × 256 pixels.
    dose : float
        Electrons per position.
    say : callable
        Told in words what happens.
    """
    model = model or Model()
    folder.mkdir(parents=True, exist_ok=True)
    streams: list[Stream] = []
    complete = False
    try:
        sy, sx = model.scan
        say(f"SrTiO3 [001], {sy} x {sx} probe positions, {dose:g} electrons each")
        with Bar("scattering", total=sy * sx, unit="positions") as bar:
            events = electrons(model, dose, tick=bar.add)
        for source, stream in (
            (Camera(model, events), Stream("merlin", "frames")),
            (Counter(model, events), Stream("tpx3", "events")),
        ):
            streams.append(stream)
            _play(source, stream, kinds(model), model)
            say(f"{stream.name}: {stream.count:,} {stream.unit} in {stream.seconds:.2f} s, {rate(stream)}")
        complete = True
    except KeyboardInterrupt:
        say("interrupted")
    finally:
        write_report(folder, model, dose, streams, complete)
    return complete


def _play(source: Any, stream: Stream, images: dict[str, live.Kind], model: Model) -> None:
    """Send a source through a socket into a session."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url, failures = f"{stream.name}://127.0.0.1:{port}", list[Exception]()

    def player() -> None:
        try:
            io.replay(source, url)
        except Exception as error:
            failures.append(error)

    threading.Thread(target=player, daemon=True).start()
    options = {} if stream.unit == "frames" else {"scan": model.scan, "detector": source.detector}
    with io.listen(url, timeout=TIMEOUT, **options) as detector:
        session = live.Session(scan=model.scan, detector=source.detector, images=images, center=model.center)
        with session:
            threading.Thread(target=_watch, args=(session, stream, model), daemon=True).start()
            begin = time.monotonic()
            try:
                live.feed(session, detector, progress=True)
            finally:
                stream.seconds = time.monotonic() - begin
                stream.images = {name: np.array(session[name]) for name in images}
                stream.done = session.done
                if stream.unit == "frames":
                    stream.count, stream.bytes = stream.done, stream.done * model.pixels**2 * 2
                else:
                    stream.count = int(stream.images["sum"].sum(dtype=np.float64))
                    stream.bytes = stream.count * 8
    if failures:
        raise failures[0]


def _watch(session: live.Session, stream: Stream, model: Model) -> None:
    """Keeps the images as they are when half of the scan is there."""
    half = model.scan[0] * model.scan[1] // 2
    for _ in session.updates(hz=50.0):
        if half <= session.done and not stream.half:
            stream.half = {name: np.array(session[name]) for name in ("ricom", "adf")}
            return
