"""GPUs: which there are, and arrays on them.

Functions of crewe run where their arrays lie. Any array with `__cuda_array_interface__` will do (CuPy, torch, Numba),
and what comes back is one of the same library; `asarray` puts a NumPy array there without any of them.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from crewe._device import Array, as_device, cuda_reason, extension

__all__ = ["Array", "asarray", "available", "devices", "pinned", "why_not"]


def available() -> bool:
    """True if kernels for CUDA were built and a GPU answers.

    Examples
    --------
    >>> available() == (why_not() == "")
    True
    """
    return not cuda_reason()


def why_not() -> str:
    """Why CUDA can't be used; empty where it can.

    Examples
    --------
    >>> isinstance(why_not(), str)
    True
    """
    return cuda_reason()


def devices() -> list[Any]:
    """The GPUs, in the order of ``device="cuda:0"``, ``"cuda:1"``, ...: `name`, `memory` [bytes], `capability`.

    Examples
    --------
    >>> bool(devices()) == available()
    True
    """
    return list(extension().devices()) if available() else []


def asarray(array: NDArray[Any], *, device: str = "cuda") -> Array:
    """A copy of a NumPy array on a GPU.

    Parameters
    ----------
    array : ndarray
        Native byte order.
    device : str
        ``"cuda"``, ``"cuda:1"``, ...

    Returns
    -------
    Array
        C order; ``.get()`` brings it back.

    Raises
    ------
    TypeError
        No NumPy array, or one in foreign byte order.
    ValueError
        No name of a GPU.
    DeviceError
        There is none, or it is full.

    Examples
    --------
    >>> import numpy as np
    >>> from crewe import cuda, imaging
    >>> if cuda.available():
    ...     frames = cuda.asarray(np.ones((2, 3, 8, 8), np.uint16))
    ...     com = imaging.com(frames).get()
    """
    if not isinstance(array, np.ndarray) or not array.dtype.isnative or array.dtype.hasobject:
        raise TypeError("array: a NumPy array of numbers in native byte order wanted")
    index = as_device(device)
    if index is None:
        raise ValueError("device: 'cuda' or 'cuda:1' wanted, 'cpu' came")
    made = Array(array.shape, array.dtype, index)
    made.set(array)
    return made


def pinned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An unset NumPy array in page-locked memory, from which a GPU copies at full speed.

    Parameters
    ----------
    shape : tuple of int
        Number of elements along each axis.
    dtype : dtype
        Of the elements.

    Returns
    -------
    ndarray
        C order. Where a detector writes to such an array, `crewe.live.Session` copies its frames without a detour.

    Raises
    ------
    DeviceError
        There is no GPU, or the host has no such memory left.

    Examples
    --------
    >>> from crewe import cuda
    >>> if cuda.available():
    ...     frames = cuda.pinned((64, 256, 256), "u2")
    """
    wanted = np.dtype(dtype)
    memory: NDArray[Any] = extension().pinned(math.prod(shape) * wanted.itemsize)
    return memory.view(wanted).reshape(shape)
