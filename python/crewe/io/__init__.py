"""Bytes of detectors → frames or events, and images → files."""

from crewe.io.listen import listen, replay
from crewe.io.mib import MibDecoder, decode_mib
from crewe.io.open import open
from crewe.io.save import save
from crewe.io.sources import EVENT, EventSource, FrameSource

__all__ = ["EVENT", "EventSource", "FrameSource", "MibDecoder", "decode_mib", "listen", "open", "replay", "save"]
