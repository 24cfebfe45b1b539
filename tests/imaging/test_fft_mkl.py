"""Intel's transforms behind the same door, where CREWE_FFT=MKL asks for them."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest


def installed():
    try:
        return bool(version("mkl"))
    except PackageNotFoundError:
        return False


PROGRAM = """
import numpy as np
from crewe import _core
rng = np.random.default_rng(0)
for dtype, tolerance in ((np.complex64, 1e-6), (np.complex128, 2e-15)):
    for shape in ((3, 60, 64), (1, 97, 1), (2, 33, 47)):
        data = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
        for inverse in (False, True):
            want = (np.fft.ifft2 if inverse else np.fft.fft2)(data.astype(complex))
            for threads in (1, 2):
                got = data.copy()
                _core.fft2(got, inverse=inverse, threads=threads)
                assert np.linalg.norm(got - want) < tolerance * np.linalg.norm(want), (dtype, shape, inverse)
print("right")
"""


def run(value):
    environment = {**os.environ, "CREWE_FFT": value}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True)


@pytest.mark.skipif(not installed(), reason="mkl isn't installed")
def test_mkl_gives_the_same():
    done = run("MKL")
    assert done.stdout == "right\n", done.stderr


@pytest.mark.skipif(installed(), reason="mkl is installed")
def test_without_mkl_the_error_says_what_to_install():
    done = run("MKL")
    assert done.returncode != 0
    assert "pip install mkl" in done.stderr


def test_own_kernels_and_other_words():
    assert run("own").stdout == "right\n"
    assert "own or MKL wanted" in run("fftw").stderr
