"""The same code at every instruction-set level."""

import os
import subprocess
import sys

__all__ = ["at_all_levels"]


def at_all_levels(code: str, data: bytes = b"") -> bytes:
    """What `code`, in processes of its own with `data` on stdin, writes to stdout: the same bytes at every level."""
    found = {}
    for level in ("base", "v3", "v4"):
        environment = {**os.environ, "CREWE_ISA": level, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, env=environment)
        assert done.returncode == 0, f"{level}: {done.stderr.decode()}"
        found[level] = done.stdout
    assert found["base"], "nothing was written"
    assert found["v3"] == found["base"]
    assert found["v4"] == found["base"]
    return found["base"]
