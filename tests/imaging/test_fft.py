"""The door to the Fourier transforms, against numpy.fft."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe import _core
from levels import at_all_levels

TOLERANCE = {np.complex64: 1e-6, np.complex128: 2e-15}


def random_stack(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


def error(data, inverse=False, **options):
    got = data.copy()
    _core.fft2(got, inverse=inverse, **options)
    want = (np.fft.ifft2 if inverse else np.fft.fft2)(data.astype(np.complex128))
    return np.linalg.norm(got - want) / np.linalg.norm(want)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("inverse", [False, True])
def test_every_length(dtype, inverse):
    for n in [*range(1, 301), 331, 343, 509, 512, 625, 1000, 1021, 1024, 2187, 4096, 5003]:
        assert error(random_stack((1, 3, n), dtype, n), inverse) < TOLERANCE[dtype], f"rows of {n}"
        assert error(random_stack((1, n, 5), dtype, n), inverse) < TOLERANCE[dtype], f"columns of {n}"


@given(st.integers(1, 3), st.integers(1, 70), st.integers(1, 70), st.booleans(), st.sampled_from(list(TOLERANCE)))
def test_stacks(batch, ny, nx, inverse, dtype):
    assert error(random_stack((batch, ny, nx), dtype), inverse) < TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(3, 60, 64), (1, 127, 130), (2, 33, 47)])
def test_there_and_back_and_parseval(dtype, shape):
    data = random_stack(shape, dtype)
    there = data.copy()
    _core.fft2(there)
    size = shape[1] * shape[2]
    assert np.vdot(there, there).real == pytest.approx(size * np.vdot(data, data).real, rel=20 * TOLERANCE[dtype])
    _core.fft2(there, inverse=True)
    assert np.linalg.norm(there - data) < 2 * TOLERANCE[dtype] * np.linalg.norm(data)


def test_linear():
    a, b = (random_stack((1, 45, 52), np.complex128, seed) for seed in (1, 2))
    total = 2 * a - 3j * b
    for data in (a, b, total):
        _core.fft2(data)
    np.testing.assert_allclose(total, 2 * a - 3j * b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", [(2, 200, 150), (1, 131, 67)])
def test_bits_do_not_depend_on_threads(dtype, shape):
    results = []
    for threads in (1, 2, 3, 0):
        results.append(random_stack(shape, dtype))
        _core.fft2(results[-1], threads=threads)
        np.testing.assert_array_equal(results[-1], results[0])


def test_a_line_has_the_same_bits_alone_and_among_others():
    data = random_stack((37, 1, 96), np.complex64)
    together = data.copy()
    _core.fft2(together)
    for line, want in zip(data, together, strict=True):
        alone = line[None].copy()
        _core.fft2(alone)
        np.testing.assert_array_equal(alone[0], want)


def test_bits_do_not_depend_on_the_instruction_set():
    code = (
        "import hashlib, numpy as np; from crewe import _core\n"
        "d = hashlib.sha256()\n"
        "for dtype in (np.complex64, np.complex128):\n"
        "    for shape in ((1, 60, 64), (1, 49, 55), (2, 37, 128)):\n"
        "        rng = np.random.default_rng(0)\n"
        "        a = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)\n"
        "        _core.fft2(a); d.update(a.tobytes()); _core.fft2(a, inverse=True); d.update(a.tobytes())\n"
        "print(d.hexdigest())"
    )
    at_all_levels(code)


def test_wrong_arrays():
    with pytest.raises(TypeError):
        _core.fft2(np.zeros((1, 4, 4)))
    with pytest.raises(ValueError, match="3 axes"):
        _core.fft2(np.zeros((4, 4), np.complex64))
    with pytest.raises(ValueError, match="contiguous"):
        _core.fft2(np.zeros((1, 4, 8), np.complex64)[:, :, ::2])
    _core.fft2(np.zeros((0, 4, 4), np.complex64))
