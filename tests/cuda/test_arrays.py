"""Arrays on a GPU, and what is said where there is none."""

import numpy as np
import pytest

import crewe
from crewe import cuda
from crewe._device import as_device, on_device, view


def test_why_not_says_what_is_missing():
    assert cuda.available() == (cuda.why_not() == "")
    assert bool(cuda.devices()) == cuda.available()
    if not cuda.available():
        for use in (lambda: cuda.asarray(np.zeros(3)), lambda: as_device("cuda")):
            with pytest.raises(crewe.DeviceError, match="cuda"):
                use()


def test_names_of_devices():
    assert as_device("cpu") is None
    for wrong in ("gpu", "cuda:", "cuda:x", 0, None):
        with pytest.raises(ValueError, match="device: 'cpu', 'cuda' or 'cuda:1' wanted"):
            as_device(wrong)
    with pytest.raises(ValueError, match="'cpu' came"):
        cuda.asarray(np.zeros(3), device="cpu")
    assert not on_device(np.zeros(3))
    assert not on_device([1, 2])


def test_devices(gpu):
    for one in cuda.devices():
        assert one.name
        assert one.memory > 0
        assert one.multiprocessors > 0
        assert len(one.capability) == 2
    assert as_device("cuda") == 0
    with pytest.raises(crewe.DeviceError, match="there are"):
        as_device("cuda:99")


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4", "<f4", "<f8", "<c8"])
def test_round_trip(gpu, dtype):
    values = np.arange(60).reshape(3, 4, 5).astype(dtype)
    there = cuda.asarray(values)
    assert (there.shape, there.ndim, there.size, there.nbytes, len(there)) == ((3, 4, 5), 3, 60, values.nbytes, 3)
    assert on_device(there)
    np.testing.assert_array_equal(there.get(), values)
    np.testing.assert_array_equal(cuda.asarray(values[::2, :, ::-1]).get(), values[::2, :, ::-1])
    assert "shape=(3, 4, 5)" in repr(there)


def test_the_interface_of_others_is_read(gpu):
    there = cuda.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))

    class Foreign:
        """An array of a library that nobody knows, with a stride."""

        @property
        def __cuda_array_interface__(self):
            return {**there.__cuda_array_interface__, "shape": (3, 2), "strides": (16, 8), "version": 2}

    seen = view(Foreign(), "array")
    assert (seen.shape, seen.strides, seen.dtype, seen.stream, seen.device) == ((3, 2), (16, 8), np.float32, 1, 0)
    assert view(there, "array").reshape(2, -1).shape == (2, 6)
    with pytest.raises(ValueError, match="C-contiguous"):
        seen.reshape(6)
    with pytest.raises(TypeError, match="frames: an array on a GPU wanted"):
        view(np.zeros(3), "frames")


def test_wrong_arrays(gpu):
    for wrong in ([1, 2], np.zeros(3, ">f4"), np.array([None])):
        with pytest.raises(TypeError, match="array: a NumPy array"):
            cuda.asarray(wrong)
    with pytest.raises(ValueError, match="array: float32"):
        cuda.asarray(np.zeros(3, np.float32)).set(np.zeros(4, np.float32))
    with pytest.raises(crewe.DeviceError, match=r"bytes wanted, [0-9]+ are free"):
        cuda.Array((1 << 46,), np.uint8)


def test_a_second_gpu(gpu):
    if len(cuda.devices()) < 2:
        pytest.skip("one GPU")
    there = cuda.asarray(np.ones((4, 5, 2), np.float32), device="cuda:1")
    assert there.device == 1
    assert view(there, "array").device == 1
    assert crewe.imaging.icom(there).device == 1
