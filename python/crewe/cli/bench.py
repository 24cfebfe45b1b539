"""`crewe bench`: rates of the main kernels on this computer, with one core and with all."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import click
import numpy as np

__all__ = ["bench"]

REPEATS, PATIENCE = 5, 3.0  # runs, or so many seconds of them


class Task(NamedTuple):
    """What one call of `run` (threads) does: `work` units; `threads`: the numbers that it can be told."""

    name: str
    unit: str
    work: float
    run: Callable[[int], Any]
    threads: tuple[int, ...] = (1, 0)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--quick", is_flag=True, help="A tenth of the time, and less sure.")
def bench(as_json: bool, quick: bool) -> None:
    """How fast is crewe on this computer?

    Work per second of wall time, the median of five runs, on made-up data in memory: what else runs here slows it down.
    The first line reads and sums frames with NumPy, to compare. Takes half a minute.

    \b
    Examples:
      crewe bench
      crewe bench --json > this-computer.json
    """
    import crewe
    from crewe import _core
    from crewe._progress import Bar

    cores, tasks = os.cpu_count() or 1, list(_tasks())
    machine = {
        "crewe": crewe.__version__,
        "numpy": np.__version__,
        "cpu": _cpu(),
        "cores": cores,
        "instructions": _core.isa(),
        "load": round(os.getloadavg()[0], 2),
    }
    if not as_json:
        click.echo(", ".join(f"{name} {value}" for name, value in machine.items()))
        click.echo(f"{'':52s} {'one core':>14s} {f'{cores} cores':>14s}")
    rates: list[dict[str, Any]] = []
    with Bar("measuring", total=len(tasks), unit="kernels", show=as_json) as bar:
        for task in tasks:
            found = {threads: _rate(task, threads, 0.02 if quick else 0.2) for threads in task.threads}
            one, every = found.get(1), found.get(0)
            rates.append({"what": task.name, "unit": f"{task.unit}/s", "one core": one, "all cores": every})
            if not as_json:
                click.echo(f"{task.name + ', ' + task.unit + '/s':52s} {_short(one):>14s} {_short(every):>14s}")
            bar.add(1)
    if as_json:
        click.echo(json.dumps({"machine": machine, "rates": rates}, indent=1))


def _tasks() -> Iterator[Task]:
    from crewe import atoms, imaging, metrics, noise, sim

    rng = np.random.default_rng(0)
    frames = rng.integers(0, 8, (512, 256, 256), np.uint16)
    n = len(frames)
    yield Task("read and sum 256 × 256 uint16 (NumPy)", "frames", n, lambda _: frames.sum(dtype=np.uint64), (1,))
    yield Task("centre of mass", "frames", n, lambda threads: imaging.com(frames, threads=threads))
    yield Task("live: riCOM 61 and annular dark field", "frames", n, lambda threads: _live(frames, threads))
    shape = (256, 256)
    position = np.sort(rng.integers(0, shape[0] * shape[1], 2_000_000))
    y, x = rng.integers(0, 256, (2, len(position)))
    yield Task("live: riCOM 61 from single electrons", "events", len(position), lambda t: _events(position, y, x, t))
    image = _lattice(1024)
    yield Task("columns found, 1024 × 1024", "images", 1, lambda _: atoms.find(image, model="log"), (0,))
    yield Task("counting noise, 1024 × 1024", "images", 1, lambda t: noise.shot(image, seed=0, threads=t))
    yield Task("SSIM, 1024 × 1024", "images", 1, lambda t: metrics.ssim(image, image[::-1].copy(), threads=t))
    slices = rng.random((8, 512, 512), np.float32)
    potential = sim.Potential.from_array(slices, sampling=0.1, slice_thickness=2.0)
    probes = sim.probe(energy=200e3, semiangle=20.0, gpts=512, sampling=0.1, positions=rng.random((4, 2)) * 50)
    yield Task(
        "multislice, 512 × 512", "steps", 32, lambda t: sim.exit_wave(potential, energy=200e3, wave=probes, threads=t)
    )
    if (network := _network()) is not None:
        yield Task("restored, 256 × 256", "images", 1, lambda threads: network(image[:256, :256], threads))


def _session(scan: tuple[int, int], threads: int, **more: Any) -> Any:
    from crewe.live import RiCOM, Session

    images = {"ricom": RiCOM(61), **more}
    return Session(scan=scan, detector=(256, 256), images=images, center=(127.5, 127.5), threads=threads)


def _live(frames: Any, threads: int) -> None:
    from crewe.live import VirtualDetector

    with _session((16, 32), threads, adf=VirtualDetector(inner=40.0)) as session:
        session.push(frames)


def _events(position: Any, y: Any, x: Any, threads: int) -> None:
    with _session((256, 256), threads) as session:
        session.push_events(position, y, x)


def _lattice(n: int) -> Any:
    y, x = np.mgrid[:n, :n] * (2 * np.pi / 18)
    return np.random.default_rng(0).poisson(5 * (1.5 + np.cos(x)) * (1.5 + np.cos(y))).astype(np.float32)


def _network() -> Callable[[Any, int], Any] | None:
    """Restoration, where ONNX Runtime is installed."""
    import importlib.util

    if importlib.util.find_spec("onnxruntime") is None:
        return None
    from crewe import models, restore

    loaded = {threads: models.load("stem-hr", threads=threads) for threads in (1, 0)}
    return lambda image, threads: restore.restore(np.ascontiguousarray(image), model=loaded[threads], threads=threads)


def _rate(task: Task, threads: int, shortest: float) -> float:
    task.run(threads)
    rates: list[float] = []
    first = time.perf_counter()
    while not rates or (len(rates) < REPEATS and time.perf_counter() - first < PATIENCE):
        calls, begin = 0, time.perf_counter()
        while (used := time.perf_counter() - begin) < shortest or calls == 0:
            task.run(threads)
            calls += 1
        rates.append(task.work * calls / used)
    return statistics.median(rates)


def _short(rate: float | None) -> str:
    if rate is None:
        return ""
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if rate >= size:
            return f"{rate / (1e3 if prefix == ' k' else size):.3g}{prefix}"
    return f"{rate:.3g}" if rate < 100 else f"{rate:.0f}"


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
