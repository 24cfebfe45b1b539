"""Atomic columns in images: found, suppressed where they are doubled, scored against a truth; fitted, bounded, counted.

Points are (n, 2) float64, (y, x) in pixels, (0, 0) the centre of the first pixel.
"""

from crewe.atoms.columns import Columns
from crewe.atoms.count import Counts, count
from crewe.atoms.crlb import Bound, crlb
from crewe.atoms.find import Proposals, find, propose
from crewe.atoms.fit import fit
from crewe.atoms.label import label
from crewe.atoms.mixture import Mixture
from crewe.atoms.nms import nms
from crewe.atoms.save import save_columns
from crewe.atoms.score import Score, score
from crewe.atoms.series import CountSeries, count_series
from crewe.atoms.statstem import StatSTEM, load_statstem

__all__ = [
    "Bound",
    "Columns",
    "CountSeries",
    "Counts",
    "Mixture",
    "Proposals",
    "Score",
    "StatSTEM",
    "count",
    "count_series",
    "crlb",
    "find",
    "fit",
    "label",
    "load_statstem",
    "nms",
    "propose",
    "save_columns",
    "score",
]
