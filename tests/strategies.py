"""What hypothesis draws: detector frames of all dtypes, byte orders, shapes and strides."""

import numpy as np
from hypothesis import strategies as st

__all__ = ["frame_arrays", "scale"]

DTYPES = ("u1", "<u2", ">u2", "<u4", ">u4", "<f4")


def scale(dtype):
    """The largest count worth testing."""
    dtype = np.dtype(dtype)
    return 2**20 if dtype.kind == "f" else np.iinfo(dtype).max


@st.composite
def frame_arrays(draw, dtypes=DTYPES, largest=80):
    """Frames (n, ky, kx), full-scale, sparse or of a few counts; contiguous, sliced, flipped or with swapped axes."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    n, ky, kx = draw(st.integers(0, 4)), draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.sampled_from([(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (-1, 1, 1), (1, -1, 1), (1, 1, -1)]))
    swapped = draw(st.booleans())
    shape = tuple(k * abs(s) for k, s in zip((n, kx, ky) if swapped else (n, ky, kx), step, strict=True))
    top = draw(st.sampled_from([1, 9, scale(dtype)]))
    counts = rng.integers(0, top, shape, endpoint=True) * (rng.random(shape) < draw(st.sampled_from([0.02, 0.5, 1.0])))
    frames = counts.astype(dtype)[:: step[0], :: step[1], :: step[2]]
    return frames.swapaxes(1, 2) if swapped else frames
