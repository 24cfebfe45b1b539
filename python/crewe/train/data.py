"""`crewe.specimen.pairs` as a torch data set."""

from collections.abc import Iterator
from typing import Any

from crewe import specimen

__all__ = ["dataset"]


def dataset(mode: str, *, shape: tuple[int, int], batch: int, seed: int, device: str = "cpu", threads: int = 0) -> Any:
    """An endless torch ``IterableDataset`` of (distorted, undistorted) tensors (batch, 1, y, x) float32.

    Give it to a ``DataLoader`` with ``batch_size=None``; each worker of the loader draws from a seed of its own.

    Parameters
    ----------
    mode, shape, batch, seed, device, threads
        As in `crewe.specimen.pairs`.

    Returns
    -------
    torch.utils.data.IterableDataset

    Raises
    ------
    ImportError
        torch is not installed.
    ValueError
        As in `crewe.specimen.pairs`.
    """
    try:
        import torch
        from torch.utils.data import IterableDataset, get_worker_info
    except ImportError:
        raise ImportError("crewe.train.dataset wants torch: pip install 'crewe[train]'") from None
    options: dict[str, Any] = {"shape": shape, "batch": batch, "device": device, "threads": threads}
    specimen.pairs(mode, seed=seed, **options)  # its checks

    class Pairs(IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Iterator[Any]:
            worker = get_worker_info()
            own = seed if worker is None else seed * 1_000_003 + worker.id + 1
            for distorted, undistorted in specimen.pairs(mode, seed=own, **options):
                yield torch.from_numpy(distorted[:, None]), torch.from_numpy(undistorted[:, None])

    return Pairs()
