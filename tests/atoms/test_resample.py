"""Images of another pixel size, against the formula written out."""

import numpy as np
import pytest

from crewe.atoms.resample import resample, size


def by_definition(image, step):
    def weights(count):
        centres = np.clip((np.arange(max(1, round(count / step))) + 0.5) * step - 0.5, 0, count - 1)
        w = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(count)) / max(step, 1))
        return w / w.sum(axis=1, keepdims=True)

    return weights(image.shape[0]) @ image @ weights(image.shape[1]).T


@pytest.mark.parametrize("step", [0.37, 0.8, 1.0, 1.5, 2.0, 3.3, 17.0])
@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (31, 17)])
def test_the_definition(shape, step):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_allclose(resample(image, step), by_definition(image.astype(np.float64), step), atol=2e-6)


@pytest.mark.parametrize("step", [0.6, 1.7])
def test_a_part_is_that_part_of_the_whole(step):
    image = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    whole = resample(image, step)
    assert whole.shape == size(image.shape, step)
    np.testing.assert_array_equal(resample(image, step, start=(3, 7), stop=(20, 11)), whole[3:20, 7:11])


@pytest.mark.parametrize("step", [0.5, 2.5])
def test_planes_stay_planes(step):
    """Pixel i lies at (i + ½)·step − ½; away from the edges."""
    y, x = np.indices((60, 60), np.float32)
    found = resample(2 * y - x, step)
    i, j = ((np.indices(found.shape) + 0.5) * step - 0.5)[:, 4:-4, 4:-4]
    np.testing.assert_allclose(found[4:-4, 4:-4], 2 * i - j, atol=0.06 if step > 1 else 1e-4)
