"""Work for other processes: configurations and blocks of positions on a dask.distributed.Client."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.sim._scan import Pattern, Probes

__all__ = ["pattern_blocks", "spread"]

UNDER_WAY = 4  # tasks per worker that are handed out at a time, so that results don't pile up


def _signals(probes: Probes, positions: Any, weights: Any, configuration: int) -> NDArray[np.float64]:
    return probes.signals(positions, weights, range(configuration, configuration + 1))


def _patterns(probes: Probes, positions: Any, pattern: Pattern) -> NDArray[Any]:
    return probes.patterns(positions, pattern, range(probes.configurations))


def _check(client: Any) -> None:
    if not all(hasattr(client, name) for name in ("submit", "scatter", "ncores")):
        raise TypeError(f"client: a dask.distributed.Client wanted, {type(client).__name__} came")


def spread(
    client: Any,
    probes: Probes,
    positions: NDArray[np.float64],
    weights: NDArray[np.float32],
    *,
    block: int,
    done: Callable[[int], None],
) -> NDArray[np.float64]:
    """Signals (planes, positions, detectors), added up in the order of the configurations."""
    _check(client)
    parts = [slice(start, min(start + block, len(positions))) for start in range(0, len(positions), block)]
    shared, masks = client.scatter(probes, broadcast=True), client.scatter(weights, broadcast=True)
    tasks = (
        (part, client.submit(_signals, shared, positions[part], masks, configuration, pure=False))
        for configuration in range(probes.configurations)
        for part in parts
    )
    out = np.zeros((len(probes.planes), len(positions), len(weights)))
    for part, result in _in_order(client, tasks):
        out[:, part] += result
        done(part.stop - part.start)
    return out


def pattern_blocks(
    client: Any, probes: Probes, blocks: list[tuple[int, NDArray[np.float64]]], pattern: Pattern
) -> Iterator[tuple[int, NDArray[Any]]]:
    """(number, patterns) of the blocks, in order."""
    if client is None:
        for number, positions in blocks:
            yield number, _patterns(probes, positions, pattern)
        return
    _check(client)
    shared = client.scatter(probes, broadcast=True)
    tasks = ((number, client.submit(_patterns, shared, positions, pattern, pure=False)) for number, positions in blocks)
    yield from _in_order(client, tasks)


def _in_order(client: Any, tasks: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Results in the order of the tasks, a few of which are under way at a time."""
    most = UNDER_WAY * max(1, len(client.ncores()))
    waiting: list[tuple[Any, Any]] = []
    try:
        for task in tasks:
            waiting.append(task)
            if len(waiting) >= most:
                what, future = waiting.pop(0)
                yield what, future.result()
        while waiting:
            what, future = waiting.pop(0)
            yield what, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
