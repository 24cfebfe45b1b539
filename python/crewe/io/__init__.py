"""Bytes of detectors → frames or events, and images → files."""

from crewe.io.listen import listen, replay
from crewe.io.mib import MibDecoder, decode_mib
from crewe.io.open import open
from crewe.io.save import save
from crewe.io.sources import EVENT, EventSource, FrameSource
from crewe.io.tpx3 import Tpx3Decoder, decode_tpx3

__all__ = [
    "EVENT",
    "EventSource",
    "FrameSource",
    "MibDecoder",
    "Tpx3Decoder",
    "decode_mib",
    "decode_tpx3",
    "listen",
    "open",
    "replay",
    "save",
]
