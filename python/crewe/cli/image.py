"""`crewe image` and `crewe live`: a source, a session, files."""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crewe.cli.files import outputs_of
from crewe.cli.options import Sections, as_images, image_options, opened, source_options, wait_options
from crewe.cli.output import Part, plan_output, write
from crewe.cli.record import Record

if TYPE_CHECKING:
    from crewe.io import EventSource, FrameSource
    from crewe.live import Session

    Source = FrameSource | EventSource

_output = click.option(
    "--output",
    "-o",
    "outputs",
    multiple=True,
    help="Where to write: .npy .png .tif .hspy .zspy .h5, - (.npy on stdout), may come several times; or a folder.",
)


@click.command(cls=Sections)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_output
@source_options
@image_options
def image(files: tuple[Path, ...], outputs: tuple[str, ...], names: tuple[str, ...], **options: Any) -> None:
    """Make images of the recorded scan in FILE.

    Merlin .mib, Timepix3 .tpx3, Advacam .t3p and .t3pa, .npy, EMPAD .raw; all else by RosettaSciIO (pip install
    'crewe[io]'). Several files are one acquisition, cut in this order (.mib). Without --output: FILE's name with the
    image's, .npy and .png, in the current folder; --output may name another folder.

    \b
    Examples:
      crewe image scan.mib --output ricom.npy
      crewe image scan.npy --image ricom --image adf --inner 40 --output scan.hspy
      crewe image scan.tpx3 --scan 512x512 --image icom --output - | my-viewer
    """
    kinds = as_images(names, options)
    with open_source(files, options) as source:
        plan, record = _plan(files[0], outputs, kinds, files)
        turned = options["fit_rotation"] and bool({"ssb", "airpi"} & set(kinds))
        if turned or (
            options["center"] == "auto" and ({"adf", "bf", "ssb", "airpi"} & set(kinds) or options["com_radii"])
        ):
            _look_first(source, options, turned)
        entry = None if record is None else record.entry(files[0], {"command": "image", "images": list(kinds)})
        failure = _make(source, kinds, options, plan)
    if record is not None and entry is not None:
        record.add([part.path for part in plan if part.path is not None and part.path.is_file()], entry)
    if failure is not None:
        raise failure


@click.command(cls=Sections)
@click.argument("source", metavar="SOURCE|URL")
@_output
@source_options
@image_options
@wait_options
@click.option("--preview", metavar="FILE.png", help="Rewritten every second while the scan runs: the first image.")
def live(source: str, outputs: tuple[str, ...], names: tuple[str, ...], preview: str | None, **options: Any) -> None:
    """Make images while the scan runs.

    URL is merlin://host:port (data socket), tpx3://host:port (SERVAL listens), tpx3+serve://host:port (SERVAL
    connects to us); SOURCE a file, as for crewe image. Ctrl-C saves what is there and exits with code 1. Without
    --output: live-TIME with the image's name, .npy and .png, in the current folder. Radii are about --center, by
    default the middle of the detector.

    \b
    Examples:
      crewe live merlin://192.168.1.2:6342 --command-port 6341 --output ricom.npy
      crewe live tpx3://127.0.0.1:8451 --scan 512x512 --detector 512x512 --image ricom --image adf --inner 60
      crewe live merlin://127.0.0.1:6342 --preview now.png --kernel 31
    """
    kinds = as_images(names, options)
    if options["fit_rotation"] and {"ssb", "airpi"} & set(kinds):
        raise click.UsageError("--fit-rotation comes at the end of a scan: ssb and airpi want --rotation.")
    if preview is not None and not preview.lower().endswith(".png"):
        raise click.UsageError(f"--preview {preview}: a .png wanted.")
    detector = "://" in source
    with open_source(source if detector else (Path(source),), options) as data:
        name = Path(f"live-{time.strftime('%Y%m%d-%H%M%S')}")
        plan, _ = _plan(name, outputs, kinds, () if detector else (Path(source),))
        failure = _make(data, kinds, options, plan, preview)
    if failure is not None:
        raise failure


def _plan(
    file: Path, outputs: tuple[str, ...], kinds: dict[str, Any], taken: tuple[Path, ...]
) -> tuple[list[Part], Record | None]:
    """Which image goes where, and the record of the folder where the names come from `file`."""
    batch = outputs_of((file,), outputs, tuple(f"-{name}{suffix}" for suffix in (".npy", ".png") for name in kinds))
    of_each = [list(kinds)] * len(outputs) if batch.record is None else [[name] for name in kinds] * 2
    parts = zip(batch.outputs[0], of_each, strict=True)
    return [part for output, names in parts for part in plan_output(output, names, *taken)], batch.record


@contextmanager
def open_source(name: str | tuple[Path, ...], options: dict[str, Any]) -> Iterator["Source"]:
    """A detector, or the files of a scan; what has to do with the source is taken out of `options`."""
    from crewe import io

    given = {key: options.pop(key) for key in ("scan", "detector", "dwell", "acceptance", "skip", "flyback")}
    waiting = {key: options.pop(key, None) for key in ("timeout", "command_port")}
    if isinstance(name, str):
        given |= waiting
    with opened(io.listen if isinstance(name, str) else io.open, name, given) as source:
        yield source


def _look_first(source: "Source", options: dict[str, Any], turned: bool) -> None:
    """What radii and phases want before the first pattern of a recorded scan: the mean centre of mass and, where they
    are to be fitted, rotation and transpose. They go to the options."""
    from crewe import imaging, live

    plain = {"com_radii": None, "device": "cpu"}
    session = make_session(source, {"com": live.CenterOfMass()}, {**options, **plain})
    with session, suppress(ValueError):  # what is wrong with the source is met again
        live.feed(session, source, progress=True)
    if options["center"] == "auto":
        options["center"] = session.center
        click.echo(f"centre {session.center[0]:.2f},{session.center[1]:.2f}", err=True)
    if turned:
        options["rotation"], options["transpose"] = imaging.fit_rotation(session["com"])
        options["fit_rotation"] = False
        _tell_rotation(options["rotation"], options["transpose"])


def make_session(
    source: "Source", kinds: dict[str, Any], options: dict[str, Any], *, keep_profile: bool = False
) -> "Session":
    from crewe import live

    given = _session_options(options) | {name: getattr(source, name, 0) for name in ("skip", "flyback")}
    given["keep_profile"] = keep_profile
    return live.Session(scan=source.scan, detector=source.detector, images=kinds, **given)


def _make(
    source: "Source", kinds: dict[str, Any], options: dict[str, Any], plan: list[Part], preview: str | None = None
) -> BaseException | None:
    """Run the source through a session and save what came; what happened on the way comes back, to be raised then."""
    from crewe import live

    fit = options.pop("fit_rotation")
    session = make_session(source, {**kinds, "com": live.CenterOfMass()} if fit else kinds, options)
    failure: BaseException | None = None
    watcher = threading.Thread(target=_preview, args=(session, next(iter(kinds)), preview), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _warn  # type: ignore[assignment]
        with session:
            watcher.start()
            try:
                live.feed(session, source, progress=True)
            except (KeyboardInterrupt, OSError, ValueError) as error:
                if not session.done:
                    raise
                failure = error
            if fit:
                _fit_rotation(session)
    watcher.join()
    if not session.done:
        raise click.ClickException("no data for any probe position; nothing is written.")
    lost = f", {source.lost} lost" if source.lost else ""
    click.echo(f"{session.done} of {source.scan[0] * source.scan[1]} positions{lost}", err=True)
    metadata = {"source": source.metadata, "scan": list(source.scan), "done": session.done, "lost": source.lost}
    good = write(plan, {name: session[name] for name in kinds}, metadata)
    return failure if failure is not None or (good and not session.errors) else click.exceptions.Exit(1)


def _session_options(options: dict[str, Any]) -> dict[str, Any]:
    """Command-line options → options of `crewe.live.Session`."""
    import numpy as np

    made = {name: options[name] for name in ("center", "rotation", "transpose", "threads", "com_radii", "device")}
    made["order"] = "serpentine" if options["serpentine"] else "raster"
    made["descan"] = "fit" if options["descan"] else None
    for name in ("dead_pixels", "dark", "gain"):
        if options[name] is not None:
            try:
                made[name] = np.load(options[name], allow_pickle=False)
            except (ValueError, EOFError) as error:
                raise ValueError(f"{options[name]}: no array of numbers: {error}") from None
    return made


def _preview(session: "Session", name: str, path: str | None) -> None:
    """The image as it is, once a second until the session ends; whoever watches the file never sees half of it."""
    from crewe import io

    if path is None:
        return
    for _ in session.updates(hz=1.0):
        try:
            io.save(path, {name: session[name]})
        except (OSError, ValueError) as error:
            click.echo(f"crewe: no preview: {error}", err=True)
            return


def _fit_rotation(session: "Session") -> None:
    """Turn the images to the least curl, and tell by how much."""
    from crewe import imaging

    angle, transpose = imaging.fit_rotation(session["com"])
    session.configure(rotation=angle, transpose=transpose)
    _tell_rotation(angle, transpose)


def _tell_rotation(angle: float, transpose: bool) -> None:
    click.echo(f"rotation {angle:.4f} rad, transpose {'yes' if transpose else 'no'}", err=True)


def _warn(message: Warning | str, *_: Any) -> None:
    click.echo(f"crewe: {message}", err=True)
