"""What crewe.atoms finds, suppresses and scores, in plain float64 NumPy and SciPy: the definition."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def iou(a, b):
    """Intersection over union of boxes (y0, x0, y1, x1); 0 where they don't overlap."""
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    both = height * width
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def nms(boxes, scores, limit):
    """By falling score, the upper and then the left box first: kept if no kept box overlaps it by more."""
    kept = []
    for k in np.lexsort((boxes[:, 3], boxes[:, 2], boxes[:, 1], boxes[:, 0], -scores)):
        if all(iou(boxes[k], boxes[j]) <= limit for j in kept):
            kept.append(int(k))
    return kept


def distances(points, others):
    return np.hypot(points[:, None, 0] - others[None, :, 0], points[:, None, 1] - others[None, :, 1])


def match(found, truth, tolerance):
    """The most pairs within the tolerance, then the least sum: an assignment in which a miss costs more than all."""
    d = distances(found, truth)
    cost = np.where(d <= tolerance, d, tolerance * (2 * min(d.shape) + 1))
    pairs = np.stack(linear_sum_assignment(cost), axis=1)
    return pairs[d[tuple(pairs.T)] <= tolerance]
