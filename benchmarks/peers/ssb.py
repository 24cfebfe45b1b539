"""Single-sideband ptychography of a whole scan beside ptychography40 in LiberTEM, on the same patterns in the same run.

Wanted beside crewe: libertem, ptychography40 (installed with --no-deps it needs only libertem). 64 × 64 patterns of 64²
pixels, a disc of 14 pixels; patterns per CPU second, medians; preparation in CPU seconds.
`python -m benchmarks.peers.ssb`
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.benchmarks.bench_ssb import patterns
from benchmarks.benchmarks.common import cpu_rate, peers_main
from crewe import imaging, live
from crewe.optics import wavelength

SCAN, DETECTOR, RADIUS = 64, 64, 14.0
OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.2156, "angle_per_pixel": 20.0 / RADIUS}
CENTER = (DETECTOR - 1) / 2


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.process_time()
    result = run()
    return time.process_time() - begin, result


def session() -> live.Session:
    images = {"ssb": live.SSB(**OPTICS)}
    return live.Session(
        scan=(SCAN, SCAN), detector=(DETECTOR, DETECTOR), images=images, center=(CENTER, CENTER), threads=1
    )


def ours(frames: NDArray[Any], rounds: int) -> dict[str, float]:
    flat = frames.reshape(-1, DETECTOR, DETECTOR)
    prepare, running = seconds(session)

    def scan() -> Any:
        running.next_scan()
        for first in range(0, len(flat), SCAN):
            running.push(flat[first : first + SCAN])
        return running["ssb"]

    return {
        "crewe, all of it [patterns/CPU-s]": cpu_rate(
            lambda: imaging.ssb(frames, threads=1, **OPTICS), len(flat), repeats=rounds
        ),
        "crewe live, line by line [patterns/CPU-s]": cpu_rate(scan, len(flat), repeats=rounds),
        "crewe, preparation [CPU-s]": prepare,
    }


def libertem(frames: NDArray[Any], rounds: int) -> dict[str, float]:
    from libertem.api import Context
    from libertem.common.container import MaskContainer
    from libertem.executor.inline import InlineJobExecutor
    from ptychography40.reconstruction.ssb import SSB_UDF, generate_masks

    context = Context(executor=InlineJobExecutor(inline_threads=1))
    data = context.load("memory", data=frames.astype(np.float32), sig_dims=2)
    options = {
        "lamb": wavelength(OPTICS["energy"]) * 1e-10, "dpix": OPTICS["step"] * 1e-10,
        "semiconv": OPTICS["semiangle"] * 1e-3, "semiconv_pix": RADIUS, "dtype": np.float32, "cy": CENTER, "cx": CENTER,
    }  # fmt: skip
    shapes = {"reconstruct_shape": (SCAN, SCAN), "mask_shape": (DETECTOR, DETECTOR)}
    prepare, masks = seconds(lambda: generate_masks(cutoff=1, method="subpix", **shapes, **options))
    kept = MaskContainer(lambda: masks, dtype=masks.dtype, use_sparse="scipy.sparse.csr", count=masks.shape[0])
    udf = SSB_UDF(mask_container=kept, **options)
    return {
        "ptychography40 in LiberTEM [patterns/CPU-s]": cpu_rate(
            lambda: context.run_udf(data, udf), SCAN * SCAN, repeats=rounds
        ),
        "ptychography40, preparation [CPU-s]": prepare,
    }


def measure(rounds: int, quick: bool) -> dict[str, Any]:
    frames = patterns(SCAN, DETECTOR, RADIUS)
    figures: dict[str, Any] = dict(ours(frames, rounds))
    try:
        figures |= libertem(frames, rounds)
    except ImportError as error:
        figures["left out"] = str(error)
    return figures


if __name__ == "__main__":
    peers_main("ssb", __doc__, measure)
