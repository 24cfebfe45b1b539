"""Non-maximum suppression: of boxes that overlap too much, the best stays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe import _core
from crewe._array import as_number, as_reals
from crewe._device import extension, on_device, view

__all__ = ["nms"]


def nms(boxes: Any, scores: Any, *, iou: float = 0.3) -> NDArray[np.int64]:
    """Drop every box that overlaps a better one by more than `iou`, intersection over union.

    Boxes are taken by falling score; one that stays suppresses those after it. Of equal scores the upper box comes
    first, then the left one. Two equal squares are one apart when they are shifted by 0.5385 sides along an axis, or
    by 0.3206 sides along both (for 0.3). O(n) after sorting.

    Parameters
    ----------
    boxes : array (n, 4)
        (y0, x0, y1, x1) with y0 <= y1 and x0 <= x1, in any unit; on a GPU float64, C-contiguous.
    scores : array (n,)
        The higher, the better; where the boxes lie.
    iou : float
        0 to 1; a box stays at exactly this overlap.

    Returns
    -------
    ndarray (k,) int64
        Indices of the boxes that stay, best first.

    Raises
    ------
    TypeError
        Boxes or scores that aren't real numbers.
    ValueError
        A wrong shape, NaN, infinity, a box with its corners exchanged, `iou` outside 0 to 1.

    References
    ----------
    Neubeck, Van Gool, ICPR 2006, p. 850.

    Examples
    --------
    >>> nms([[0, 0, 2, 2], [0, 0.5, 2, 2.5], [5, 0, 7, 2]], [0.8, 0.9, 0.7]).tolist()
    [1, 2]
    """
    iou = as_number(iou, "iou", 0, 1)
    if on_device(boxes):
        return _nms_there(boxes, scores, iou)
    boxes, scores = as_reals(boxes, "boxes"), as_reals(scores, "scores")
    _check_shapes(boxes.shape, scores.shape)
    exchanged = (boxes[:, :2] > boxes[:, 2:]).any(axis=1)
    if exchanged.any():
        k = int(exchanged.argmax())
        raise ValueError(f"boxes: (y0, x0, y1, x1) with y0 <= y1, x0 <= x1 wanted, {boxes[k].tolist()} came at {k}")
    return _core.atoms_nms(boxes, scores, iou=iou)


def _check_shapes(boxes: tuple[int, ...], scores: tuple[int, ...]) -> None:
    if len(boxes) != 2 or boxes[1] != 4:
        raise ValueError(f"boxes: shape (n, 4) wanted, {boxes} came")
    if scores != boxes[:1]:
        raise ValueError(f"scores: shape {boxes[:1]}, one per box, wanted, {scores} came")


def _nms_there(boxes: Any, scores: Any, iou: float) -> NDArray[np.int64]:
    """The same on a GPU."""
    all, heights = view(boxes, "boxes"), view(scores, "scores")
    for name, given in (("boxes", all), ("scores", heights)):
        if given.dtype != np.float64:
            raise TypeError(f"{name}: dtype float64 wanted on a GPU, {given.dtype} came")
    _check_shapes(all.shape, heights.shape)
    all, heights = all.reshape(*all.shape), heights.reshape(*heights.shape)
    module = extension()
    bad = module.atoms_first_bad_box(all, heights)
    if bad >= 0:
        raise ValueError(f"boxes, scores: finite numbers, y0 <= y1 and x0 <= x1 wanted, else came at {bad}")
    found = module.atoms_nms(all, heights, iou=iou)
    kept = all.empty((found.count,), np.int64)
    found.put(kept)
    array: NDArray[np.int64] = kept.owner
    return array
