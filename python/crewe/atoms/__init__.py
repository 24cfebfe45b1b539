"""Atomic columns in images: found, suppressed where they are doubled, scored against a truth.

Points are (n, 2) float64, (y, x) in pixels, (0, 0) the centre of the first pixel.
"""

from crewe.atoms.find import Proposals, find, propose
from crewe.atoms.nms import nms
from crewe.atoms.score import Score, score

__all__ = ["Proposals", "Score", "find", "nms", "propose", "score"]
