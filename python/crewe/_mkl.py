"""Finds the MKL of `pip install mkl`, which lies where no loader looks."""

import ctypes
import os

__all__ = ["preload"]


def preload() -> None:
    """With CREWE_FFT=MKL: loads libmkl_rt of this environment, so that the core finds it by its name."""
    if os.environ.get("CREWE_FFT") != "MKL":
        return
    from importlib.metadata import PackageNotFoundError, files  # takes 30 ms

    try:
        found = [path for path in files("mkl") or () if path.name.startswith("libmkl_rt.so")]
    except PackageNotFoundError:
        return
    for path in found:
        ctypes.CDLL(str(path.locate()), mode=ctypes.RTLD_GLOBAL)
