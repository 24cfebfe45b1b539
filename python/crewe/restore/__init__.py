"""Restored images, on the scale of the recorded ones, without noise and scan distortions; and the shifts of lines."""

from crewe.restore.images import restore
from crewe.restore.lines import scan_shifts

__all__ = ["restore", "scan_shifts"]
