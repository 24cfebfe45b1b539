"""Whether this build can use a GPU."""

from crewe._device import cuda_reason

__all__ = ["available", "why_not"]


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
