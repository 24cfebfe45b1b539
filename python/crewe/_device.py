"""Whether a GPU can be used, and why not."""

import importlib.util

__all__ = ["cuda_reason"]


def cuda_reason() -> str:
    """Why CUDA can't be used; empty where it can."""
    if importlib.util.find_spec("crewe._cuda") is None:
        return "this build of crewe has no CUDA kernels"
    from importlib import import_module

    reason: str = import_module("crewe._cuda").why_not()
    return reason
