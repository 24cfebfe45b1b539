"""What all benchmarks share: rates per CPU second, data, and the limit of the machine that they are held against.

Rates are work per second of consumed CPU time (all threads of the process), medians of several runs: on a machine that
others use too, wall time measures the others.
"""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["compile_c", "cpu_rate", "events", "frames", "machine", "peers_main", "read_rate", "report"]


def cpu_rate(run: Callable[[], Any], work: float, *, repeats: int = 7, shortest: float = 0.05) -> float:
    """Work per CPU second, the median of `repeats` timings; each calls `run` until `shortest` CPU seconds are used."""
    run()
    rates = []
    for _ in range(repeats):
        calls, begin = 0, time.process_time()
        while (used := time.process_time() - begin) < shortest or calls == 0:
            run()
            calls += 1
        rates.append(work * calls / used)
    return statistics.median(rates)


def frames(n: int, detector: tuple[int, int] = (256, 256), dtype: Any = np.uint16, *, seed: int = 0) -> NDArray[Any]:
    """Counts of a disc that wanders, (n, ky, kx): 64 patterns, over and over, each in memory of its own."""
    rng = np.random.default_rng(seed)
    ky, kx = detector
    y, x = np.ogrid[:ky, :kx]
    centers = rng.normal(((ky - 1) / 2, (kx - 1) / 2), min(ky, kx) / 40, (min(n, 64), 2))
    discs = np.stack([(y - cy) ** 2 + (x - cx) ** 2 < (min(ky, kx) / 5) ** 2 for cy, cx in centers])
    patterns = rng.poisson(discs * 20.0 + 0.05).clip(0, 255).astype(dtype)
    out = np.empty((n, ky, kx), dtype)
    for start in range(0, n, len(patterns)):
        out[start : start + len(patterns)] = patterns[: n - start]
    return out


def events(
    n: int, scan: tuple[int, int], detector: tuple[int, int] = (256, 256), *, seed: int = 0
) -> tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint16]]:
    """n electrons in scan order: position, y, x."""
    rng = np.random.default_rng(seed)
    position = np.sort(rng.integers(0, scan[0] * scan[1], n)).astype(np.uint32)
    y, x = ((rng.normal((k - 1) / 2, k / 10, n).clip(0, k - 1)).astype(np.uint16) for k in detector)
    return position, y, x


def compile_c(source: str) -> ctypes.CDLL:
    """Loops of plain C, compiled for this machine with the compiler at hand; ImportError where there is none."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise ImportError("no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        text, library = Path(folder, "loops.c"), Path(folder, "loops.so")
        text.write_text(source)
        subprocess.run([compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", library, text], check=True)
        return ctypes.CDLL(str(library))


_READ = """
#include <stddef.h>
#include <stdint.h>
uint64_t read_and_sum(const uint16_t* p, size_t n) {
  uint32_t lanes[64] = {0};
  for (size_t i = 0; i + 64 <= n; i += 64)
    for (size_t k = 0; k < 64; ++k) lanes[k] += p[i + k];
  uint64_t sum = 0;
  for (size_t k = 0; k < 64; ++k) sum += lanes[k];
  return sum;
}
"""


def read_rate(array: NDArray[Any], *, repeats: int = 7) -> float:
    """Bytes per CPU second at which one core reads and sums this array: no kernel that looks at it can be faster.

    A loop of plain C, compiled for this machine with the compiler at hand.
    """
    function = compile_c(_READ).read_and_sum
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_size_t), ctypes.c_uint64
    flat = array.reshape(-1).view(np.uint8)
    return cpu_rate(lambda: function(flat.ctypes.data, flat.nbytes // 2), flat.nbytes, repeats=repeats)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import crewe

    model = "unknown"
    if (table := Path("/proc/cpuinfo")).exists():
        names = [
            line.split(":", 1)[1].strip() for line in table.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "level": crewe._core.isa(),
        "crewe": crewe.__version__,
        "numpy": np.__version__,
        "load average": round(os.getloadavg()[0], 2),
    }


def report(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    """What a script in `peers` prints as JSON: its name, the machine, the figures."""
    return {"name": name, "machine": machine(), "figures": figures}


def peers_main(
    name: str, words: str | None, measure: Callable[[int, bool], dict[str, Any]], *, rounds: int = 7
) -> None:
    """The command of a script in `peers`: `measure` (rounds, quick) → figures; prints the report as JSON."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"medians of so many; default {rounds}")
    parser.add_argument("--quick", action="store_true", help="one or two rounds of less data: shows that all runs")
    options = parser.parse_args()
    figures = measure(2 if options.quick else options.rounds, options.quick)
    print(json.dumps(report(name, figures), indent=1, ensure_ascii=False))
