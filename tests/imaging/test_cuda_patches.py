"""Patches on a GPU: the bits of the host, however the positions are cut into calls."""

import numpy as np
import pytest

from crewe import _core
from crewe._device import extension, view


@pytest.mark.parametrize(("n", "pitch", "oversample", "shape"), [(16, 1.3, 1, (4, 5)), (12, 1.0, 2, (3, 4))])
def test_sum_of_patches(gpu, n, pitch, oversample, shape):
    generator = np.random.default_rng(n)
    y, x = np.mgrid[:n, :n] - n / 2
    wave = np.exp(-(y**2 + x**2) / n) * np.exp(1j * 0.05 * (y**2 - x))
    probe = np.stack([wave.real, wave.imag]).astype(np.float32)
    waves = generator.normal(size=(shape[0] * shape[1], 2, n, n)).astype(np.float32)
    waves[3] = 0
    size = (shape[0] * oversample, shape[1] * oversample)
    want = np.zeros(size, np.complex64)
    options = {"columns": shape[1], "oversample": oversample}
    _core.Patches(probe, pitch=pitch, cut=0.1).add(waves, want, first=0, **options)
    patches, image = extension().Patches(probe, pitch=pitch, cut=0.1, device=0), gpu.put(np.zeros(size, np.complex64))
    for first in range(0, len(waves), 7):
        patches.add(view(gpu.put(waves[first : first + 7]), "waves"), view(image, "image"), first=first, **options)
    assert np.abs(want).max() > 0
    assert np.array_equal(gpu.get(image), want)
    with pytest.raises(IndexError):
        patches.add(view(gpu.put(waves), "waves"), view(image, "image"), first=1, **options)
