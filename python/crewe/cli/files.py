"""One command for several files: what goes where is known before any work, a broken file keeps no other from it, and
what was made before an interruption isn't made again.
"""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from crewe.cli import words
from crewe.cli.record import Record

__all__ = ["Batch", "distinct", "each", "in_folders", "is_folder", "outputs_of"]

#: Images that folders are searched for; of files that differ in the suffix alone the first kind is taken.
SUFFIXES = (".dm4", ".dm3", ".emd", ".ser", ".mrc", ".hspy", ".zspy", ".npy", ".tif", ".tiff", ".png")


@dataclass(frozen=True)
class Batch:
    """Files, what is made of each, and the record of the folder that it goes to where the command names it."""

    files: tuple[Path, ...]
    outputs: list[tuple[str, ...]]
    record: Record | None


def in_folders(paths: tuple[Path, ...], endings: tuple[str, ...]) -> tuple[Path, ...]:
    """Folders among `paths` become the images in them, sorted, without those that end as the command's own outputs."""
    files: list[Path] = []
    for path in paths:
        if not os.path.isdir(path) or path.suffix.lower() == ".zspy":  # Path.is_dir raises in a locked folder
            files.append(path)
            continue
        found = [file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")]
        found = [file for file in found if not file.name.endswith(endings)]
        found.sort(key=lambda file: (file.name.removesuffix(file.suffix), SUFFIXES.index(file.suffix.lower())))
        kept = {file.stem: file for file in reversed(found)}
        if not kept:
            raise click.ClickException(f"{path}: no image in this folder; {' '.join(SUFFIXES)} are looked for.")
        left = [file for file in found if file is not kept[file.stem]]
        also = f", {len(left)} of the same names are left out ({left[0].name}, ...)" if left else ""
        click.echo(f"{path}: {len(kept)} images{also}", err=True)
        files += reversed(kept.values())
    return tuple(files)


def outputs_of(files: tuple[Path, ...], outputs: tuple[str, ...], endings: tuple[str, ...]) -> Batch:
    """What --output means for each file: as it stands, or the file's name with `endings`, in the current folder or in
    the one that is named, which is made where it isn't there.
    """
    if outputs and not is_folder(outputs[0]):
        if len(files) > 1:
            raise click.UsageError(f"--output {outputs[0]}: a folder wanted, because {len(files)} files came.")
        return Batch(files, [outputs], None)
    if len(outputs) > 1:
        raise click.UsageError(f"--output {outputs[0]}: a folder takes all, no other --output can be named.")
    folder = Path(outputs[0] if outputs else ".")
    found = [tuple(str(folder / f"{file.stem}{ending}") for ending in endings) for file in files]
    distinct(files, [names[0] for names in found])
    record = Record(folder)
    for file, names in zip(files, found, strict=True):
        record.refuse_others([Path(name) for name in names], file)
    if outputs:
        folder.mkdir(parents=True, exist_ok=True)
    return Batch(files, found, record)


def is_folder(output: str) -> bool:
    """A folder that is there, or a name without a suffix, or one that ends with a slash."""
    return output != "-" and (Path(output).is_dir() or not Path(output).suffix or output.endswith("/"))


def distinct(files: tuple[Path, ...], outputs: list[str]) -> None:
    """Refuse files of which one would overwrite what was made of another."""
    made_of: dict[str, Path] = {}
    for file, output in zip(files, outputs, strict=True):
        other = made_of.setdefault(output, file)
        if other is not file:
            raise click.UsageError(
                f"{other} and {file} would both be written to {output}: give each a command, with a folder of its own."
            )


def each(batch: Batch, title: str, options: Mapping[str, Any], work: Callable[[int], Collection[str]]) -> None:
    """`work(k)` on every file gives the names of what it made, none where something failed.

    Of several files, those that can't be read are told, and named again at the end; those of which all is there, made
    by this crewe of the same file with the same `options`, are left as they are.
    """
    from crewe._progress import Bar

    def one(k: int) -> bool:
        entry = None if batch.record is None else batch.record.entry(batch.files[k], options)
        made = work(k)
        if entry is not None and made and batch.record is not None:
            batch.record.add([Path(name) for name in batch.outputs[k] if name in made], entry)
        return bool(made)

    if len(batch.files) == 1:
        try:
            good = one(0)
        except (OSError, ValueError) as error:
            raise click.ClickException(_told(batch.files[0], error)) from error
        if not good:
            raise click.exceptions.Exit(1)
        return
    left, failed = _left(batch, options), []
    done = len(batch.files) - len(left)
    try:
        with Bar(title, total=len(left), unit="files") as bar:
            for k in left:
                file = batch.files[k]
                try:
                    good = one(k)
                except (OSError, ValueError, ImportError, click.ClickException) as error:
                    click.echo(f"crewe: {_told(file, error)}", err=True)
                    good = False
                if not good:
                    failed.append(file)
                done += good
                bar.add(1)
    except KeyboardInterrupt:
        click.echo(f"{done} of {len(batch.files)} files are done; the same command goes on with the others", err=True)
        raise
    if failed:
        click.echo(f"crewe: {len(failed)} of {len(batch.files)} failed: {', '.join(map(str, failed))}", err=True)
        raise click.exceptions.Exit(1)


def _told(file: Path, error: Exception) -> str:
    """What is wrong, and with which file."""
    told = error.format_message() if isinstance(error, click.ClickException) else words(error)
    return told if str(file) in told else f"{file}: {told}"


def _left(batch: Batch, options: Mapping[str, Any]) -> list[int]:
    """Which files are to be done; what the others were spared for, and why some are done again, is told."""
    left, again = list(range(len(batch.files))), 0
    if batch.record is None:
        return left
    for k, (file, names) in enumerate(zip(batch.files, batch.outputs, strict=True)):
        output = Path(names[0])
        try:
            entry = batch.record.entry(file, options)
        except OSError:  # told when its turn comes
            continue
        if batch.record.is_done(output, entry):
            left.remove(k)
        elif output.exists():
            again += batch.record.holds(output)
    if len(left) < len(batch.files):
        done = f"{len(batch.files) - len(left)} of {len(batch.files)} files are done already, with these options"
        click.echo(f"{done}; to do one again, name it alone or delete what was made of it", err=True)
    if again:
        click.echo(
            f"{again} are done again: the file, the options or crewe's version changed, or a part was missing", err=True
        )
    return left
