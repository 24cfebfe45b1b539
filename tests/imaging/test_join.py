"""Detector pixels joined b × b, against plain sums."""

import numpy as np
import pytest

from crewe import _core
from levels import at_all_levels
from reference import imaging as reference


def join(frames, b, corner, shape, threads=1):
    out = np.full((len(frames), *shape), np.nan, np.float32)
    _core.join_pixels(frames, b, corner, out, threads=threads)
    return out


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32, ">u2", ">u4"])
@pytest.mark.parametrize(
    ("b", "corner", "shape"),
    [(1, (0, 0), (37, 70)), (1, (5, 3), (20, 60)), (2, (1, 0), (18, 35)), (3, (2, 4), (11, 22)), (37, (0, 30), (1, 1))],
)
def test_is_the_definition(dtype, b, corner, shape):
    frames = np.random.default_rng(0).integers(0, 200, (5, 37, 70)).astype(dtype)
    np.testing.assert_array_equal(join(frames, b, corner, shape), reference.joined(frames, b, corner, shape))


def test_wide_bins_and_wide_detectors():
    frames = np.random.default_rng(0).integers(0, 9, (2, 600, 1700)).astype(np.uint16)
    for b in (1, 7, 256):
        shape = 600 // b, 1700 // b
        np.testing.assert_array_equal(join(frames, b, (0, 0), shape), reference.joined(frames, b, (0, 0), shape))


def test_any_strides_and_threads():
    big = np.random.default_rng(0).integers(0, 200, (9, 40, 80)).astype(np.uint16)
    for frames in (big[::2, ::-1, 3::2], big.transpose(0, 2, 1), big[:, 4:, :-5]):
        shape = frames.shape[1] // 2, frames.shape[2] // 2
        want = reference.joined(frames, 2, (0, 0), shape)
        for threads in (1, 3):
            np.testing.assert_array_equal(join(frames, 2, (0, 0), shape, threads), want)


def test_wrong_bins():
    frames = np.zeros((2, 8, 9), np.uint8)
    for b, corner, shape in ((0, (0, 0), (1, 1)), (2, (0, 0), (4, 5)), (3, (3, 0), (2, 2)), (1, (9, 0), (1, 1))):
        with pytest.raises(ValueError, match="on the detector"):
            join(frames, b, corner, shape)
    with pytest.raises(ValueError, match="out"):
        _core.join_pixels(frames, 1, (0, 0), np.zeros((3, 8, 9), np.float32))


DIGEST = """
import hashlib
import numpy as np
from crewe import _core
frames = np.random.default_rng(0).random((4, 96, 101), np.float32)
out = np.empty((4, 24, 25), np.float32)
_core.join_pixels(frames, 4, (0, 1), out, threads=1)
print(hashlib.sha256(out.tobytes()).hexdigest())
"""


def test_bits_do_not_depend_on_the_instruction_set():
    at_all_levels(DIGEST)
