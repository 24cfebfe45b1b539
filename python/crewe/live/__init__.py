"""Images that fill while the scan runs: push frames or events into a `Session`, read its images from any thread."""

from crewe.live.kinds import AIRPI, ICOM, SSB, CenterOfMass, ElectricField, Kind, RiCOM, Sum, VirtualDetector
from crewe.live.run import feed, run
from crewe.live.session import Session

__all__ = [
    "AIRPI",
    "ICOM",
    "SSB",
    "CenterOfMass",
    "ElectricField",
    "Kind",
    "RiCOM",
    "Session",
    "Sum",
    "VirtualDetector",
    "feed",
    "run",
]
