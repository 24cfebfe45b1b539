"""riCOM on a GPU has the bits of the CPU, whole and in pieces."""

import numpy as np
import pytest

from crewe import cuda
from crewe._device import extension, view
from crewe.imaging import ricom


def random_com(shape, seed=0):
    return np.random.default_rng(seed).normal(size=(*shape, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "options"),
    [((40, 70), {}), ((9, 33), {"kernel": 31}), ((70, 5), {"kernel": 7, "low": 0.1, "step": 0.3}), ((1, 1), {})],
)
def test_the_bits_of_the_cpu(gpu, shape, options):
    com = random_com(shape)
    np.testing.assert_array_equal(ricom(cuda.asarray(com), **options).get(), ricom(com, **options))


def test_pieces_have_the_bits_of_the_whole(gpu):
    com, n = random_com((20, 45), 1), 13
    image = cuda.asarray(np.zeros((20, 45), np.float32))
    for row in range(20):
        for start, end in ((0, 1), (1, 17), (17, 45)):
            run = cuda.asarray(com[row, start:end])
            for first, last in ((0, 8), (8, 20)):
                extension().ricom_scatter(n, view(image, "image"), row, start, view(run, "com"), first, last)
    np.testing.assert_array_equal(image.get(), ricom(com, kernel=n))
    for place in ((20, 0, 0, 20), (0, 45, 0, 20), (0, 0, 5, 3), (0, 0, 0, 21)):
        row, col, first, last = place
        with pytest.raises(IndexError):
            extension().ricom_scatter(n, view(image, "image"), row, col, view(run, "com"), first, last)
