"""Which image goes to which file: known, and checked, before the scan begins."""

import importlib.util
import io as streams
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli import words

__all__ = ["Part", "is_one_of", "plan_output", "put", "write"]

#: Formats by suffix, and the package that they need.
WANTS = {
    **{".npy": None, ".png": None, ".tif": "tifffile", ".tiff": "tifffile"},
    **{".hspy": "h5py", ".zspy": "zarr", ".h5": "h5py", ".emd": "h5py"},
}


class Part(NamedTuple):
    """A file and the images that go there; no path: stdout."""

    path: Path | None
    names: list[str]


def plan_output(output: str, names: list[str], *taken: Path) -> list[Part]:
    """The files that one --output means. ``{image}`` in it stands for the image's name; `taken` is what is read."""
    if output == "-":
        if len(names) > 1:
            raise click.UsageError(f"--output - takes one image, {len(names)} were asked for.")
        return [Part(None, names)]
    path = Path(output)
    if path.suffix.lower() not in WANTS:
        raise click.UsageError(f"--output {output}: a suffix of {' '.join(WANTS)} wanted.")
    package = WANTS[path.suffix.lower()]
    if package is not None and importlib.util.find_spec(package) is None:
        raise click.UsageError(f"--output {output}: {package} isn't installed; pip install 'crewe[io]'.")
    if not path.parent.is_dir():
        raise click.UsageError(f"--output {output}: there is no folder {path.parent}.")
    parts = [Part(path, names)]
    if "{image}" in output:
        parts = [Part(Path(output.replace("{image}", name)), [name]) for name in names]
    for part in parts:
        if part.path is not None and is_one_of(part.path, taken):
            raise click.UsageError(f"--output {output} would overwrite what is read.")
    return parts


def is_one_of(path: Path, taken: Iterable[Path]) -> bool:
    """Whether `path` is one of the files that are read, by whatever name; those that aren't there are none."""
    for other in taken if path.exists() else ():
        with suppress(OSError):
            if path.samefile(other):
                return True
    return False


def put(path: Path, content: bytes) -> None:
    """Write a file and tell its name; whoever reads it never sees half of it."""
    from crewe.io.save import in_place

    in_place(path, lambda unfinished: unfinished.write_bytes(content))
    click.echo(f"wrote {path}", err=True)


def write(plan: list[Part], images: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> bool:
    """Write all files, telling their names; False if one can't be written, which keeps the others from nothing."""
    from crewe import io

    good = True
    for path, names in plan:
        if path is None:
            buffer = streams.BytesIO()
            np.save(buffer, images[names[0]])
            sys.stdout.buffer.write(buffer.getbuffer())
            sys.stdout.buffer.flush()
            continue
        try:
            files = io.save(path, {name: images[name] for name in names}, metadata=metadata)
        except (OSError, ValueError, TypeError, ImportError) as error:
            told = words(error)
            click.echo(f"crewe: {told if str(path) in told else f'{path} is not written: {told}'}", err=True)
            good = False
        else:
            click.echo(f"wrote {', '.join(map(str, files))}", err=True)
    return good
