"""Where arrays lie: the host, or a GPU. The one place that knows of `__cuda_array_interface__` and of device names."""

import importlib
import importlib.util
import math
import re
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from crewe.errors import DeviceError

__all__ = ["Array", "DeviceView", "as_device", "cuda_reason", "extension", "on_device", "view"]

#: CUDA's name for the stream that all other ones respect.
LEGACY_STREAM = 1


def cuda_reason() -> str:
    """Why CUDA can't be used; empty where it can."""
    if "crewe._cuda" not in sys.modules and importlib.util.find_spec("crewe._cuda") is None:
        return "this build of crewe has no CUDA kernels"
    try:
        reason: str = importlib.import_module("crewe._cuda").why_not()
    except ImportError as error:
        return f"the CUDA kernels can't be loaded: {error}"
    return reason


def extension() -> Any:
    """The extension `crewe._cuda`; DeviceError where it can't be used."""
    reason = cuda_reason()
    if reason:
        raise DeviceError(f"device 'cuda': {reason}")
    return importlib.import_module("crewe._cuda")


def as_device(device: Any) -> int | None:
    """``"cpu"`` → None, ``"cuda"`` → 0, ``"cuda:1"`` → 1; DeviceError where there is no such GPU."""
    if device == "cpu":
        return None
    named = re.fullmatch(r"cuda(?::(\d+))?", device) if isinstance(device, str) else None
    if named is None:
        raise ValueError(f"device: 'cpu', 'cuda' or 'cuda:1' wanted, {device!r} came")
    index = int(named[1] or 0)
    there = len(extension().devices())
    if index >= there:
        raise DeviceError(f"device {device!r}: there are {there} CUDA devices")
    return index


def on_device(array: Any) -> bool:
    """Whether an array lies on a GPU: CuPy, torch, Numba, `crewe.cuda.Array`."""
    return not isinstance(array, np.ndarray) and hasattr(array, "__cuda_array_interface__")


class Array:
    """An array in the memory of a GPU; what functions return for one, and a way to put NumPy arrays there.

    Parameters
    ----------
    shape : tuple of int
        Number of elements along each axis; C order, unset.
    dtype : dtype
        Of the elements.
    device : int
        Index of the GPU.

    Raises
    ------
    DeviceError
        There is no GPU, or it is full.

    See Also
    --------
    crewe.cuda.asarray : from a NumPy array.

    Examples
    --------
    >>> from crewe import cuda
    >>> if cuda.available():
    ...     there = cuda.Array((2, 3), np.float32)
    ...     there.set(np.ones((2, 3), np.float32))
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, device: int = 0) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self._memory = extension().Memory(self.nbytes, device)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return self.size * self.dtype.itemsize

    @property
    def device(self) -> int:
        """Index of the GPU."""
        index: int = self._memory.device
        return index

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self._memory.pointer, False),
            "strides": None,
            "stream": LEGACY_STREAM,
        }

    def get(self) -> NDArray[Any]:
        """A NumPy array with the same elements; waits for what is still being computed."""
        out = np.empty(self.shape, self.dtype)
        self._memory.read(out)
        return out

    def set(self, array: NDArray[Any]) -> None:
        """Copy a NumPy array of the same shape and dtype to the GPU."""
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(f"array: {self.dtype} {self.shape} wanted, {array.dtype} {array.shape} came")
        self._memory.write(np.ascontiguousarray(array))

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Array(shape={self.shape}, dtype={self.dtype}, device={self.device})"


@dataclass(frozen=True)
class DeviceView:
    """An array on a GPU, of whatever library, as the kernels take it."""

    owner: Any  #: the array itself
    pointer: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  #: [bytes]
    dtype: np.dtype[Any]
    stream: int  #: in which its elements are computed: work that reads them goes there as well
    device: int

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def reshape(self, *shape: int) -> "DeviceView":
        """Other axes of a C-contiguous array; no copy."""
        if self.strides != _contiguous(self.shape, self.dtype.itemsize):
            raise ValueError("array: a C-contiguous one wanted on the device")
        known = math.prod(n for n in shape if n >= 0)
        wanted = tuple(n if n >= 0 else self.size // known for n in shape)
        strides = _contiguous(wanted, self.dtype.itemsize)
        return DeviceView(self.owner, self.pointer, wanted, strides, self.dtype, self.stream, self.device)

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> "DeviceView":
        """An unset array of the same library on the same device, to be filled in the same stream."""
        library = type(self.owner).__module__.partition(".")[0]
        made: Any
        if library == "cupy":
            cupy = sys.modules["cupy"]
            with cupy.cuda.Device(self.device):
                made = cupy.empty(shape, np.dtype(dtype))
        elif library == "torch":
            torch = sys.modules["torch"]
            made = torch.empty(shape, dtype=getattr(torch, np.dtype(dtype).name), device=self.owner.device)
        elif library == "numba":
            cuda = importlib.import_module("numba.cuda")
            with cuda.gpus[self.device]:
                made = cuda.device_array(shape, np.dtype(dtype), stream=self.owner.stream)
        else:
            made = Array(shape, dtype, self.device)
        pointer = made.__cuda_array_interface__["data"][0]
        strides = _contiguous(shape, np.dtype(dtype).itemsize)
        return DeviceView(made, pointer, shape, strides, np.dtype(dtype), self.stream, self.device)

    def synchronize(self) -> None:
        """Wait until the elements are computed."""
        extension().synchronize(self.device, self.stream)


def view(array: Any, name: str) -> DeviceView:
    """An array on a GPU, looked at through its `__cuda_array_interface__`."""
    if not on_device(array):
        raise TypeError(f"{name}: an array on a GPU wanted, like the others; {type(array).__name__} came")
    module = extension()
    interface = array.__cuda_array_interface__
    shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
    if interface.get("mask") is not None:
        raise ValueError(f"{name}: an array without a mask wanted")
    pointer = interface["data"][0]
    strides = interface.get("strides") or _contiguous(shape, dtype.itemsize)
    device = module.device_of(pointer) if 0 not in shape else 0
    return DeviceView(array, pointer, shape, tuple(strides), dtype, _stream(array, interface), device)


def _stream(array: Any, interface: dict[str, Any]) -> int:
    """Where the array's library computes: version 3 says so, torch is asked, else the stream that all respect."""
    stream = interface.get("stream")
    if stream is not None:
        return int(stream)
    if type(array).__module__.partition(".")[0] == "torch":
        current: int = sys.modules["torch"].cuda.current_stream(array.device).cuda_stream
        return current or LEGACY_STREAM
    return LEGACY_STREAM


def _contiguous(shape: tuple[int, ...], item: int) -> tuple[int, ...]:
    strides = [item]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * n)
    return tuple(reversed(strides)) if shape else ()
