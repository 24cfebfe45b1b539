"""Connect to a detector, or be one."""

from typing import Any
from urllib.parse import urlsplit

from crewe.io.sources import EventSource, FrameSource

__all__ = ["listen", "replay"]

SCHEMES = ("merlin", "tpx3", "tpx3+serve")


def split_url(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of ``scheme://host:port``."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.hostname is None or parts.port is None:
        raise ValueError(f"url: {' | '.join(SCHEMES)}://host:port wanted, {url!r} came")
    return parts.scheme, parts.hostname, parts.port


def listen(url: str, **options: Any) -> FrameSource | EventSource:
    raise ValueError(url)


def replay(source: FrameSource | EventSource, url: str, *, rate: float | None = None) -> None:
    raise ValueError(url)
