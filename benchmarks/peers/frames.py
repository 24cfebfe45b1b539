"""Centre of mass, an annulus and a mask of hot pixels over 256x256 uint16, beside LiberTEM, Numba, NumPy, plain C.

Wanted beside crewe: libertem, numba, a C compiler (cc). Rates are frames per CPU second, one thread, medians; each with
its ratio to the rate at which one core reads and sums the same memory (`limit`). The programs take turns on pieces of
64 frames, none of which another has just read, so that what else the machine does hits all alike; in an order drawn
anew each time, as whoever follows one that leaves the caches full of its own results pays for their writing.
`python -m benchmarks.peers.frames`
"""

import ctypes
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.common import compile_c, frames, peers_main
from crewe import _core

Frames = NDArray[np.uint16]
Run = Callable[[Frames], Any]  # frames → com (n, 2), or com and annulus

DETECTOR = (256, 256)
PIECE = 64  # frames: 8 MB
RING = _core.ring_weights(DETECTOR, 60.0, 110.0, 127.3, 126.8)
HOT = np.zeros(DETECTOR, np.uint8)
HOT.flat[np.random.default_rng(0).integers(0, HOT.size, 40)] = 1

_PLAIN = """
#include <stddef.h>
#include <stdint.h>
#define SWAP(v) (swapped ? (uint16_t)((v) << 8 | (v) >> 8) : (v))
uint64_t read_and_sum(const uint16_t* p, size_t n) {
  uint32_t lanes[64] = {0};
  for (size_t i = 0; i + 64 <= n; i += 64)
    for (size_t k = 0; k < 64; ++k) lanes[k] += p[i + k];
  uint64_t sum = 0;
  for (size_t k = 0; k < 64; ++k) sum += lanes[k];
  return sum;
}
static void frame(const uint16_t* p, const uint16_t* alive, const uint16_t* ring, int fused, int swapped, float* out) {
  uint32_t columns[256] = {0}, annulus[256] = {0};
  uint64_t n = 0, y = 0, x = 0, sum = 0;
  for (size_t row = 0; row < 256; ++row, p += 256, alive += 256, ring += 256) {
    uint32_t total = 0;
    for (size_t k = 0; k < 256; ++k) {
      const uint16_t v = fused ? SWAP(p[k]) & alive[k] : SWAP(p[k]);
      total += v;
      columns[k] += v;
      if (fused) annulus[k] += v & ring[k];
    }
    n += total;
    y += row * total;
  }
  for (size_t k = 0; k < 256; ++k) { x += k * columns[k]; sum += annulus[k]; }
  out[0] = n ? (float)((double)y / n - 127.5) : 0;
  out[1] = n ? (float)((double)x / n - 127.5) : 0;
  if (fused) out[2] = sum;
}
void com(const uint16_t* p, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) frame(p + i * 65536, p, p, 0, 0, out + 2 * i);
}
void fused(const uint16_t* p, const uint16_t* alive, const uint16_t* ring, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) frame(p + i * 65536, alive, ring, 1, 0, out + 3 * i);
}
void fused_swapped(const uint16_t* p, const uint16_t* alive, const uint16_t* ring, size_t n, float* out) {
  for (size_t i = 0; i < n; ++i) frame(p + i * 65536, alive, ring, 1, 1, out + 3 * i);
}
"""


def plain_c() -> ctypes.CDLL:
    """The loops above."""
    plain = compile_c(_PLAIN)
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    plain.read_and_sum.argtypes, plain.read_and_sum.restype = (pointer, size), ctypes.c_uint64
    plain.com.argtypes = (pointer, size, pointer)
    plain.fused.argtypes = plain.fused_swapped.argtypes = (pointer, pointer, pointer, size, pointer)
    return plain


def crewe_runs() -> dict[str, Run]:
    plain, fused = _core.FrameReducer(DETECTOR), _core.FrameReducer(DETECTOR, detectors=[RING], dead_pixels=HOT)

    def com(block: Frames) -> NDArray[np.float32]:
        out = np.empty((len(block), 2), np.float32)
        plain.reduce(block, com=out, cy=127.5, cx=127.5, threads=1)
        return out

    def all_at_once(block: Frames) -> tuple[NDArray[Any], NDArray[Any]]:
        out, sums = np.empty((len(block), 2), np.float32), np.empty((len(block), 1))
        fused.reduce(block, com=out, sums=sums, cy=127.5, cx=127.5, threads=1)
        return out, sums[:, 0]

    return {"com": com, "fused": all_at_once, "fused, big-endian": all_at_once}


def plain_runs() -> dict[str, Run]:
    plain = plain_c()
    alive, ring = (np.where(mask, 65535, 0).astype(np.uint16) for mask in (HOT == 0, RING > 0))

    def com(block: Frames) -> NDArray[np.float32]:
        out = np.empty((len(block), 2), np.float32)
        plain.com(block.ctypes.data, len(block), out.ctypes.data)
        return out

    def fused(function: Any) -> Run:
        def run(block: Frames) -> tuple[NDArray[Any], NDArray[Any]]:
            out = np.empty((len(block), 3), np.float32)
            function(block.ctypes.data, alive.ctypes.data, ring.ctypes.data, len(block), out.ctypes.data)
            return out[:, :2], out[:, 2]

        return run

    return {
        "limit": lambda block: plain.read_and_sum(block.ctypes.data, block.size),
        "com": com,
        "fused": fused(plain.fused),
        "fused, big-endian": fused(plain.fused_swapped),
    }


def numba_runs() -> dict[str, Run]:
    import numba

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
    def sums(block: Any, alive: Any, ring: Any, fused: Any, com: Any, annulus: Any) -> None:
        for i in range(block.shape[0]):
            columns = np.zeros(block.shape[2], np.uint32)
            n, y, inside = np.uint64(0), np.uint64(0), np.uint64(0)
            for row in range(block.shape[1]):
                total, part = np.uint32(0), np.uint32(0)
                for k in range(block.shape[2]):
                    v = np.uint32(block[i, row, k] & alive[row, k]) if fused else np.uint32(block[i, row, k])
                    total += v
                    columns[k] += v
                    if fused:
                        part += v & ring[row, k]
                n += total
                y += row * total
                inside += part
            x = np.uint64(0)
            for k in range(block.shape[2]):
                x += k * columns[k]
            com[i, 0], com[i, 1] = y / max(n, 1) - 127.5, x / max(n, 1) - 127.5
            annulus[i] = inside

    alive, ring = (np.where(mask, 65535, 0).astype(np.uint16) for mask in (HOT == 0, RING > 0))

    def run(fused: bool) -> Run:
        def both(block: Frames) -> Any:
            com, annulus = np.empty((len(block), 2), np.float32), np.empty(len(block))
            sums(block, alive, ring, fused, com, annulus)
            return (com, annulus) if fused else com

        return both

    return {"com": run(False), "fused": run(True)}


def numpy_runs() -> dict[str, Run]:
    places = np.arange(256) - 127.5

    def com(block: Frames) -> NDArray[np.float64]:
        rows, columns = block.sum(2, dtype=np.uint32), block.sum(1, dtype=np.uint32)
        return np.stack([rows @ places, columns @ places], -1) / np.maximum(rows.sum(1), 1)[:, None]

    return {"com": com}


def libertem_run(data: Frames) -> Callable[[], NDArray[Any]]:
    """CoMUDF over the whole stack, in this process, as LiberTEM's users run it on an array."""
    import libertem.api as lt
    from libertem.executor.inline import InlineJobExecutor
    from libertem.udf.com import CoMUDF

    context = lt.Context(executor=InlineJobExecutor(inline_threads=1))  # more wait for each other and burn CPU time
    dataset = context.load("memory", data=data.reshape(-1, 64, *DETECTOR), sig_dims=2, num_partitions=1)
    udf = CoMUDF.with_params(cy=127.5, cx=127.5)
    return lambda: np.asarray(context.run_udf(dataset=dataset, udf=udf)["raw_shifts"].data).reshape(-1, 2)


def check(name: str, got: Any, want: Any) -> None:
    """All must find the same."""
    pairs = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
    for a, b in pairs:
        error = np.abs(np.asarray(a, np.float64) - b).max() / max(np.abs(b).max(), 1)
        if error > 1e-4:
            raise AssertionError(f"{name} differs from crewe by {error:.1e} of the largest value")


def take_turns(runs: dict[str, Run], stacks: dict[str, Frames], repeats: int, again: int) -> dict[str, float]:
    """Frames per CPU second of each, the median over `repeats` ways through the data."""
    names, pieces = list(runs), max(len(next(iter(stacks.values()))) // PIECE, 1)
    rng = np.random.default_rng(0)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        used = dict.fromkeys(names, 0.0)
        for i in range(pieces):
            for j in rng.permutation(len(names)):
                name, first = names[j], (i + j * (pieces // len(names))) % pieces * PIECE
                piece = stacks["swapped" if "big-endian" in name else "native"][first : first + PIECE]
                begin = time.process_time()
                for _ in range(again):
                    runs[name](piece)
                used[name] += time.process_time() - begin
        for name in names:
            rates[name].append(pieces * len(piece) * again / used[name])
    return {name: statistics.median(values) for name, values in rates.items()}


def measure(n: int, repeats: int, again: int) -> dict[str, Any]:
    """All programs on n frames."""
    native = frames(n)
    stacks = {"native": native, "swapped": native.astype(">u2")}
    ours, runs, left_out = crewe_runs(), {}, {}
    for program, make in {"crewe": lambda: ours, "C": plain_runs, "numba": numba_runs, "numpy": numpy_runs}.items():
        try:
            found = make()
        except ImportError as missing:
            left_out[program] = f"left out: {missing}"
            continue
        for task, run in found.items():
            name = "limit" if task == "limit" else f"{program}: {task}"
            runs[name] = run
            if task != "limit":
                piece = stacks["swapped" if "big-endian" in task else "native"][:PIECE]
                check(name, run(piece), ours[task](piece))
    rates = take_turns(runs, stacks, repeats, again)
    if n >= PIECE:
        try:
            libertem = libertem_run(native)
            check("libertem", libertem(), ours["com"](native))
            used = []
            for _ in range(5):
                begin = time.process_time()
                libertem()
                used.append(time.process_time() - begin)
            rates["libertem: com"] = n / statistics.median(used)
        except ImportError as missing:
            left_out["libertem"] = f"left out: {missing}"
    figures: dict[str, Any] = {
        name: {"frames/CPU-s": round(rate), "of the limit": round(rate / rates["limit"], 3)}
        for name, rate in rates.items()
    }
    return {**figures, **left_out}


def both(rounds: int, quick: bool) -> dict[str, Any]:
    count = 1024 if quick else 8192  # 128 KB each
    return {
        f"{count} frames, from memory": measure(count, repeats=rounds, again=1),
        "4 frames, from the L2 cache": measure(4, repeats=rounds, again=50 if quick else 500),
    }


if __name__ == "__main__":
    peers_main("COM, annulus, hot pixels; 256x256 uint16", __doc__, both)
