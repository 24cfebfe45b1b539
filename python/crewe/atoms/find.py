"""Columns found in an image: a confidence for every pixel, its summits, the best of those that overlap."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_choice, as_image, as_int, as_number
from crewe.atoms.atomid import network_confidence
from crewe.atoms.confidence import Confidence
from crewe.atoms.log import log_confidence, spacing_of
from crewe.atoms.nms import nms
from crewe.atoms.views import views

__all__ = ["Proposals", "find", "propose"]

Model = Literal["atomid", "log"]

#: The lowest confidence of a column in the network's map: highest mean F1 on simulated images of its own kind.
_COLUMN = 0.3


@dataclass(frozen=True)
class Proposals:
    """Where columns may be, and how sure that is.

    Attributes
    ----------
    confidence : ndarray (y, x) float32
        1 at a typical column; its pixels are `step` pixels of the image.
    positions : ndarray (n, 2) float64
        Summits of the map above `threshold`, (y, x) [pixels of the image], row by row.
    scores : ndarray (n,) float64
        Their heights.
    spacing : float
        Mean distance of neighbouring columns [pixels of the image]: what the network makes of the image, or that of
        the proposals, 0 with fewer than two.
    threshold : float
        The lowest confidence of a proposal.
    step : float
        Pixels of the image to one of the map: 1 with ``"log"``.
    model : {"atomid", "log"}
        What made the map.

    Examples
    --------
    >>> y, x = np.mgrid[:64, :64]
    >>> found = propose(np.exp(-((y % 16 - 8) ** 2 + (x % 16 - 8) ** 2) / 18).astype(np.float32), model="log")
    >>> found.positions.shape, found.boxes.shape, found.columns().shape
    ((16, 2), (16, 4), (16, 2))
    """

    confidence: NDArray[np.float32]
    positions: NDArray[np.float64]
    scores: NDArray[np.float64]
    spacing: float
    threshold: float
    step: float
    model: Model

    @property
    def boxes(self) -> NDArray[np.float64]:
        """Squares (n, 4) as (y0, x0, y1, x1) around the positions, `spacing` wide."""
        half = self.spacing / 2
        return np.concatenate([self.positions - half, self.positions + half], axis=1)

    def columns(self, *, iou: float = 0.3) -> NDArray[np.float64]:
        """The positions (n, 2) that stay where boxes overlap (`nms`), sorted by y, then x."""
        kept = self.positions[nms(self.boxes, self.scores, iou=iou)]
        return kept[np.lexsort((kept[:, 1], kept[:, 0]))]

    def again(self, *, threshold: float | None = None, window: int | None = None) -> "Proposals":
        """The proposals of the same map at another `threshold` or with another `window`, as in `propose`."""
        lower = self.threshold if threshold is None else as_number(threshold, "threshold", 0)
        spacing = self.spacing if self.model == "atomid" else None
        return _of_map(Confidence(self.confidence, self.step, spacing), lower, _reach(window))


def find(
    image: NDArray[np.float32],
    *,
    model: Model = "atomid",
    threshold: float | None = None,
    window: int | None = None,
) -> NDArray[np.float64]:
    """Find the atomic columns of an image.

    Nothing needs to be known of it. ``"atomid"``, a network, tells how far columns lie apart and makes a map of them,
    with pixels of a tenth of that; it leaves out columns much lighter than others, as of sulphur in MoS2. ``"log"``
    takes the size of columns from the power spectrum, weights frequencies by what they hold above the noise, and cuts
    where the heights of summits leave a gap. Where there is no lattice, it looks for bright spots that stand out of
    the texture.

    Parameters
    ----------
    image : ndarray (y, x) float32
        Columns bright, any unit.
    model : {"atomid", "log"}
        The network, or the Laplacian of Gaussian.
    threshold : float, optional
        The lowest confidence of a column, where 1 is a typical column's; default: 0.3 of the network's, with
        ``"log"`` the image decides.
    window : int, optional
        A column is the most confident of window × window pixels of the map; default 3. Closer ones are told apart by
        `nms`.

    Returns
    -------
    ndarray (n, 2) float64
        Positions (y, x) [pixels], sub-pixel, sorted by y, then x; (0, 2) for a constant image.

    Raises
    ------
    crewe.ModelError
        The network isn't there.
    TypeError
        `image` is no float32 array.
    ValueError
        A wrong shape, NaN or infinity in the image, a threshold below 0, a window below 1, another model.

    References
    ----------
    Yan, MPhil thesis (PolyU); Lindeberg, Int. J. Comput. Vision 30 (1998) 79; the header ``crewe/atoms/log_map.hpp``.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:64, :64]
    >>> image = np.exp(-((y % 16 - 7.5) ** 2 + (x % 16 - 8) ** 2) / 18).astype(np.float32)
    >>> columns = find(image, model="log")
    >>> columns.shape, columns.min(axis=0).round(1).tolist()
    ((16, 2), [7.5, 8.0])
    """
    return propose(image, model=model, threshold=threshold, window=window).columns()


def propose(
    image: NDArray[np.float32],
    *,
    model: Model = "atomid",
    threshold: float | None = None,
    window: int | None = None,
) -> Proposals:
    """The confidence that a pixel is a column's middle, and the summits of that map.

    Parameters
    ----------
    image, model, threshold, window
        As in `find`.

    Returns
    -------
    Proposals
        The map, positions, scores, boxes; ``.columns()`` are what `find` returns, ``.again(threshold=...)`` cuts the
        same map elsewhere, in a few milliseconds.

    Raises
    ------
    crewe.ModelError, TypeError, ValueError
        As `find`.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:64, :64]
    >>> image = np.exp(-((y % 16 - 7.5) ** 2 + (x % 16 - 8) ** 2) / 18).astype(np.float32)
    >>> found = propose(image, model="log")
    >>> found.confidence.shape, round(found.spacing), len(found.again(threshold=0.5).boxes)
    ((64, 64), 16, 16)
    """
    image = as_image(image)
    reach = _reach(window)
    lower = None if threshold is None else as_number(threshold, "threshold", 0)
    as_choice(model, "model", get_args(Model))
    seen = views(image)
    map, decided = (network_confidence(seen), _COLUMN) if model == "atomid" else log_confidence(seen)
    return _of_map(map, decided if lower is None else lower, reach)


def _of_map(confidence: Confidence, threshold: float, reach: int) -> Proposals:
    summits = _core.atoms_peaks(confidence.map, reach=reach, lower=threshold)
    positions = (summits[:, :2] + 0.5) * confidence.step - 0.5
    spacing = spacing_of(positions) if confidence.spacing is None else confidence.spacing
    model: Model = "log" if confidence.spacing is None else "atomid"
    return Proposals(confidence.map, positions, summits[:, 2].copy(), spacing, threshold, confidence.step, model)


def _reach(window: int | None) -> int:
    return 1 if window is None else max(1, as_int(window, "window", 1) // 2)
