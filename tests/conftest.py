"""Hypothesis without a clock: how long an example takes depends on who else uses the machine. And where tests run.

With CREWE_EMULATED_CUDA=<the extension of tests/cuda/emulator> the kernels of cuda/ are run on the CPU: see
docs/cuda.md.
"""

import importlib.util
import os
import sys

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("crewe", deadline=None, print_blob=True)
settings.load_profile("crewe")

EMULATED = os.environ.get("CREWE_EMULATED_CUDA")
if EMULATED:
    settings.register_profile("emulated", deadline=None, print_blob=True, max_examples=10)
    settings.load_profile("emulated")
    spec = importlib.util.spec_from_file_location("crewe._cuda", EMULATED)
    sys.modules["crewe._cuda"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["crewe._cuda"])

from crewe import cuda  # noqa: E402 - it must find the emulated extension


class Place:
    """Where a test runs."""

    def run(self, function):
        """`function` with its arrays put there and its result brought back."""

        def there(*arguments, **options):
            arguments = [self.put(one) if isinstance(one, np.ndarray) else one for one in arguments]
            return self.get(function(*arguments, **options))

        return there


class Host(Place):
    """Arrays stay where they are."""

    name = "cpu"

    def put(self, array):
        return array

    def get(self, array):
        assert isinstance(array, np.ndarray)
        return array


class Gpu(Place):
    """Arrays go to the GPU, results come back from it."""

    name = "cuda"

    def put(self, array):
        return cuda.asarray(array) if array.dtype.isnative else array  # which is refused as on the host

    def get(self, array):
        assert isinstance(array, cuda.Array), type(array)
        return array.get()


@pytest.fixture(
    scope="session", params=[Host(), Gpu()] if cuda.available() else [Host()], ids=lambda device: device.name
)
def device(request):
    """Where a test runs: ``put`` an array there, ``get`` what came back, ``run`` for both; ``name`` for ``device=``."""
    return request.param


@pytest.fixture(scope="session")
def gpu():
    """For tests of what is only CUDA's."""
    if not cuda.available():
        pytest.skip(cuda.why_not())
    return Gpu()


@pytest.fixture(scope="session")
def emulator(gpu):
    """For tests that make the emulator fail or small."""
    if cuda.devices()[0].name != "emulated":
        pytest.skip("a GPU can't be told to fail or to be small")
    return gpu
