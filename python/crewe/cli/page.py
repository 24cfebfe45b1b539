"""A page in the browser of this computer, for `crewe view`: images that change while one looks, and knobs to turn.

`/` is page.html, `/state` says in JSON what there is, `/image/NAME` is a PNG, JSON posted to `/settings` turns knobs.
Only this computer is served, and only what that page asks: requests that another site's page sends are refused.
"""

import json
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from crewe._color import picture
from crewe._png import png

__all__ = ["Page", "Shown"]

LARGEST = 1024  # pixels of a picture's edge; larger images are binned
LONGEST = 1 << 16  # bytes of a request's body


class Shown(Protocol):
    """What a page shows."""

    def state(self) -> dict[str, Any]:
        """`title`, `status`, `images` (names), `version` (a new one: load them again), `settings`, `done`, `total`;
        `failed` where the status tells a failure.
        """

    def image(self, name: str) -> NDArray[Any]:
        """(y, x), or a vector map (y, x, 2); KeyError where there is none."""

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Change settings; ValueError says what is wrong with them."""


class Page:
    """Serves `shown` until closed; port 0: any free one. A context manager."""

    def __init__(self, shown: Shown, *, port: int = 0) -> None:
        handler = type("Handler", (_Handler,), {"shown": shown})
        self._server = _Server(("127.0.0.1", port), handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for answers that are being made: a thread cut off in the core ends us all

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves in the middle of an answer is no fault; all else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    shown: Shown
    server: ThreadingHTTPServer
    timeout = 2.0  # s that a connection may say nothing: browsers open some in advance

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not self._asked_by_our_page():
            self._answer(HTTPStatus.FORBIDDEN, b"", "text/plain")
        elif path == "/":
            self._answer(HTTPStatus.OK, Path(__file__).with_name("page.html").read_bytes(), "text/html; charset=utf-8")
        elif path == "/state":
            self._answer_json(HTTPStatus.OK, self.shown.state())
        elif path.startswith("/image/"):
            try:
                image = self.shown.image(path.removeprefix("/image/"))
            except KeyError:
                self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
            else:
                self._answer(HTTPStatus.OK, png(picture(binned(image))), "image/png")
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not self._asked_by_our_page() or self.headers.get_content_type() != "application/json":
            self._answer(HTTPStatus.FORBIDDEN, b"", "text/plain")
        elif self.path != "/settings" or not length.isdecimal() or int(length) > LONGEST:
            self._answer(HTTPStatus.BAD_REQUEST, b"", "text/plain")
        else:
            try:
                changes = json.loads(self.rfile.read(int(length)))
                if not isinstance(changes, dict):
                    raise ValueError("an object wanted")
                self.shown.turn(changes)
            except (ValueError, TypeError) as error:
                self._answer_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            else:
                self._answer_json(HTTPStatus.OK, self.shown.state())

    def _asked_by_our_page(self) -> bool:
        """Another site's page can make a browser ask us, but not under our name."""
        return self.headers.get("Host") in {f"{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")}

    def _answer_json(self, status: HTTPStatus, content: Any) -> None:
        self._answer(status, json.dumps(content).encode(), "application/json")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def binned(image: NDArray[Any]) -> NDArray[Any]:
    """Means of squares of pixels, so that no edge is longer than a screen's."""
    k = -(-max(image.shape[:2]) // LARGEST)
    if k == 1 or min(image.shape[:2]) < k:
        return image
    y, x = (n // k for n in image.shape[:2])
    squares = image[: y * k, : x * k].reshape(y, k, x, k, *image.shape[2:])
    means: NDArray[Any] = squares.mean(axis=(1, 3), dtype=np.float64)
    return means
