"""A 4D scan in HyperSpy's formats or NumPy's, copied line by line so that it never lies whole in memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["write_scan"]


def write_scan(path: Path, scan: Any, steps: Sequence[float], metadata: dict[str, Any]) -> None:
    """`scan` (sy, sx, ky, kx), any array that gives its lines, → .hspy, .zspy or .npy; steps [Å, Å, mrad, mrad]."""
    from crewe.io.save import in_place, tree, values

    def fill(root: Any, kind: str, version: str) -> None:
        root.attrs.update({"file_format": kind, "file_format_version": version})
        group = root.create_group("Experiments").create_group(path.stem)
        group.attrs.update({"package": "", "package_version": ""})
        make = group.create_array if kind == "ZSpy" else group.create_dataset
        data = make("data", shape=scan.shape, dtype=scan.dtype, chunks=(1, *scan.shape[1:]))
        for line in range(scan.shape[0]):
            data[line] = scan[line]
        content: dict[str, Any] = {f"axis-{k}": axis for k, axis in enumerate(_axes(scan.shape, steps))}
        content["metadata"] = {"General": {"title": path.stem}, "Signal": {"signal_type": "electron_diffraction"}}
        content["original_metadata"] = values(metadata)
        content["attributes"] = {"_lazy": False, "ragged": False}
        tree(group, content)

    def hspy(unfinished: Path) -> None:
        import h5py

        with h5py.File(unfinished, "w") as file:
            fill(file, "HyperSpy", "3.3")

    def zspy(unfinished: Path) -> None:
        import zarr

        fill(zarr.open_group(unfinished, mode="w", zarr_format=2), "ZSpy", "3.3")

    def npy(unfinished: Path) -> None:
        from numpy.lib.format import open_memmap

        data = open_memmap(unfinished, "w+", scan.dtype, scan.shape)
        for line in range(scan.shape[0]):
            data[line] = scan[line]
        data.flush()

    try:
        in_place(path, {".hspy": hspy, ".zspy": zspy, ".npy": npy}[path.suffix])
    except ImportError as error:
        raise click.UsageError(f"--output {path}: {error.name} isn't installed; pip install 'crewe[io]'.") from None


def _axes(shape: Sequence[int], steps: Sequence[float]) -> list[dict[str, Any]]:
    """HyperSpy's axes; the patterns' zero lies at (n//2, n//2)."""
    return [
        {
            "_type": "UniformDataAxis",
            "name": name,
            "scale": float(step),
            "offset": 0.0 if k < 2 else -float(step) * (size // 2),
            "size": int(size),
            "units": unit,
            "navigate": k < 2,
            "is_binned": False,
        }
        for k, (name, unit, step, size) in enumerate(
            zip(("y", "x", "ky", "kx"), ("Å", "Å", "mrad", "mrad"), steps, shape, strict=True)
        )
    ]
