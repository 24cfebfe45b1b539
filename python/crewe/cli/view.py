"""`crewe view`: images of files, or of a scan while it runs, on a page in the browser."""

import os
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli import words
from crewe.cli.files import in_folders
from crewe.cli.image import make_session, open_source
from crewe.cli.images import SCANS, read_images
from crewe.cli.options import CENTER, Sections, as_images, image_options, source_options, wait_options
from crewe.cli.page import Page

if TYPE_CHECKING:
    from crewe.live import Session

__all__ = ["view"]

MOST = 200  # images of a series


@click.command(cls=Sections)
@click.argument("files", nargs=-1, required=True, metavar="FILE...|URL")
@source_options
@image_options
@wait_options
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; default: any free one.")
@click.option("--browser/--no-browser", default=True, help="Open the page, or only tell where it is.")
def view(files: tuple[str, ...], names: tuple[str, ...], port: int, browser: bool, **options: Any) -> None:
    """Look at images, or at a scan while it runs, in the browser of this computer.

    FILE holds images (.npy, .tif, or what RosettaSciIO reads; several may be named, or folders of them) or one scan, as
    for crewe image; URL is a detector, as for crewe live. The page of a scan has knobs: kernel, radii, centre and
    rotation change what is already scanned, too. Nothing is written. Ctrl-C ends.

    \b
    Examples:
      crewe view haadf.dm4 haadf-restored.npy
      crewe view clean
      crewe view scan.mib --image ricom --image adf --inner 40
      crewe view merlin://192.168.1.2:6342 --kernel 31
    """
    kinds = as_images(names, options)
    with ExitStack() as stack:
        shown: Pictures | Scan
        if "://" not in files[0] and (pictures := _pictures(files, options["scan"])):
            shown = Pictures(pictures)
        else:
            detector = len(files) == 1 and "://" in files[0]
            opened = open_source(files[0] if detector else tuple(map(Path, files)), options)
            source = stack.enter_context(opened)
            options.pop("fit_rotation")
            session = make_session(source, kinds, options, keep_profile="adf" in kinds or "bf" in kinds)
            shown = Scan(source, stack.enter_context(session), tuple(kinds), options, files[0])
        page = stack.enter_context(Page(shown, port=port))
        click.echo(f"{page.url} (Ctrl-C ends)", err=True)
        if browser and _has_screen():
            webbrowser.open(page.url)
        if isinstance(shown, Scan):
            shown.run()
        try:
            while True:
                time.sleep(0.2)  # a signal that comes just before a wait doesn't end it
        except KeyboardInterrupt:
            if isinstance(shown, Scan) and shown.failed:
                raise click.exceptions.Exit(1) from None


def _has_screen() -> bool:
    """A browser for text would take the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _pictures(files: tuple[str, ...], scan: tuple[int, int] | None) -> dict[str, NDArray[Any]]:
    """Images by name; none where the files hold a scan."""
    found: dict[str, NDArray[Any]] = {}
    paths = in_folders(tuple(map(Path, files)), ())
    alone = len({path.name for path in paths}) == len(paths)
    for path in paths:
        name = path.name if alone else str(path)
        if scan is not None or path.suffix.lower() in SCANS:
            return {}
        data = read_images(path)
        if data.ndim == 2 or (data.ndim == 3 and data.shape[2] == 2):
            found[name] = np.asarray(data)
        elif data.ndim == 3:
            found |= {f"{name} {k}": np.asarray(image) for k, image in enumerate(data[:MOST])}
        else:
            return {}
    return found


class Pictures:
    """Images that stay as they are."""

    def __init__(self, images: dict[str, NDArray[Any]]) -> None:
        self._images = images

    def state(self) -> dict[str, Any]:
        shapes = {" × ".join(map(str, image.shape[:2])) for image in self._images.values()}
        return {
            "title": ", ".join(self._images) if len(self._images) <= 3 else f"{len(self._images)} images",
            "status": f"{shapes.pop()} pixels" if len(shapes) == 1 else "",
            "images": list(self._images),
            "version": 0,
            "settings": {},
            "done": 0,
            "total": 0,
        }

    def image(self, name: str) -> NDArray[Any]:
        return self._images[name]

    def turn(self, changes: Mapping[str, Any]) -> None:
        raise ValueError("images of a file have no settings")


class Scan:
    """A session, what fills it, and the knobs that its images have."""

    def __init__(
        self, source: Any, session: "Session", names: tuple[str, ...], options: dict[str, Any], title: str
    ) -> None:
        self._source, self._session, self._names, self._title = source, session, names, title
        self._options = options
        self._lock = threading.Lock()
        self._begin, self._status = time.monotonic(), ""
        self.failed = False

    def run(self) -> None:
        """Feed the session until the source ends; what goes wrong with it stands on the page, and in `failed`."""
        from crewe import live

        try:
            live.feed(self._session, self._source, progress=True)
        except (OSError, ValueError) as error:
            self.failed, self._status = True, words(error)
            click.echo(f"crewe: {self._status}", err=True)
        else:
            self._status = f"done in {time.monotonic() - self._begin:.1f} s"

    def state(self) -> dict[str, Any]:
        done, total = self._session.done, self._source.scan[0] * self._source.scan[1]
        status = self._status or f"{done / max(time.monotonic() - self._begin, 1e-3):,.0f} positions/s"
        lost = f", {self._source.lost} lost" if self._source.lost else ""
        return {
            "title": self._title,
            "status": f"{done:,} of {total:,} positions{lost}, {status}",
            "failed": self.failed,
            "images": list(self._names),
            "version": self._session.version,
            "settings": {name: self._text(name) for name in self._knobs()},
            "done": done,
            "total": total,
        }

    def image(self, name: str) -> NDArray[Any]:
        return self._session[name]

    def turn(self, changes: Mapping[str, Any]) -> None:
        with self._lock:
            knobs = self._knobs()
            if unknown := set(changes) - set(knobs):
                raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
            values = {name: _value(name, value) for name, value in changes.items()}
            options = self._options | values
            try:
                kinds = as_images(self._names, options)
            except click.UsageError as error:
                raise ValueError(error.message) from None
            geometry = {name: values[name] for name in ("center", "rotation", "transpose") if name in values}
            changed = {name: kind for name, kind in kinds.items() if kind != self._session.images[name]}
            self._session.configure(**changed, **geometry)
            self._options = options

    def _knobs(self) -> list[str]:
        found = []
        if "ricom" in self._names:
            found += ["kernel"]
        if {"ricom", "icom"} & set(self._names):
            found += ["low"]
        if "ricom" in self._names:
            found += ["high"]
        if {"adf", "bf"} & set(self._names):
            found += ["inner", "outer"]
        return [*found, "center", "rotation", "transpose"]

    def _text(self, name: str) -> Any:
        value = self._options[name]
        return ",".join(f"{part:g}" for part in value) if isinstance(value, tuple) else value


def _value(name: str, value: Any) -> Any:
    """What stands in a field of the page → an option."""
    if name == "transpose":
        if not isinstance(value, bool):
            raise ValueError(f"transpose: true or false wanted, {value!r} came")
        return value
    text = str(value).strip()
    if name == "center":
        try:
            return CENTER.convert(text or "auto", None, None)
        except click.UsageError as error:
            raise ValueError(f"center: {error.message}") from None
    if not text and name in ("low", "high", "outer"):
        return None
    try:
        return int(text) if name == "kernel" else float(text)
    except ValueError:
        raise ValueError(f"{name}: a number wanted, {text!r} came") from None
