"""Our PNG files, read back by somebody else's reader."""

import io

import numpy as np
import pytest

from crewe._png import png


@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (64, 3, 3), (1, 300, 3)])
def test_read_back(shape):
    image = pytest.importorskip("matplotlib.image")
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    data = png(pixels, text={"Title": "ricom", "Comment": "0.2 Å"})
    read = image.imread(io.BytesIO(data), format="png")
    assert np.array_equal(np.rint(read * 255).astype(np.uint8), pixels)
    assert "0.2 Å".encode() in data
