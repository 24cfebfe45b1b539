"""One command for several files: what goes where is known before any work, and a broken file keeps no other from it."""

from collections.abc import Callable
from pathlib import Path

import click

from crewe.cli import words

__all__ = ["distinct", "each", "outputs_of"]


def outputs_of(files: tuple[Path, ...], outputs: tuple[str, ...], endings: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What --output means for each file: as it stands, or the file's name with `endings`, in the current folder or in
    the one that is named, which is made where it isn't there.
    """
    if outputs and not is_folder(outputs[0]):
        if len(files) > 1:
            raise click.UsageError(f"--output {outputs[0]}: a folder wanted, because {len(files)} files came.")
        return [outputs]
    if len(outputs) > 1:
        raise click.UsageError(f"--output {outputs[0]}: a folder takes all, no other --output can be named.")
    folder = Path(outputs[0] if outputs else ".")
    found = [tuple(str(folder / f"{file.stem}{ending}") for ending in endings) for file in files]
    distinct(files, [names[0] for names in found])
    if outputs:
        folder.mkdir(parents=True, exist_ok=True)
    return found


def is_folder(output: str) -> bool:
    """A folder that is there, or a name without a suffix."""
    return output != "-" and (Path(output).is_dir() or not Path(output).suffix)


def distinct(files: tuple[Path, ...], outputs: list[str]) -> None:
    """Refuse files of which one would overwrite what was made of another."""
    made_of: dict[str, Path] = {}
    for file, output in zip(files, outputs, strict=True):
        other = made_of.setdefault(output, file)
        if other is not file:
            raise click.UsageError(
                f"{other} and {file} would both be written to {output}: give each a command, with a folder of its own."
            )


def each(files: tuple[Path, ...], title: str, work: Callable[[int], bool]) -> None:
    """`work(k)` on every file, False where something failed. Of several, those that can't be read are told, and named
    again at the end.
    """
    from crewe._progress import Bar

    if len(files) == 1:
        failed = [] if work(0) else [files[0]]
    else:
        failed = []
        with Bar(title, total=len(files), unit="files") as bar:
            for k, file in enumerate(files):
                try:
                    good = work(k)
                except (OSError, ValueError, ImportError, click.ClickException) as error:
                    told = error.format_message() if isinstance(error, click.ClickException) else words(error)
                    click.echo(f"crewe: {told}" if str(file) in told else f"crewe: {file}: {told}", err=True)
                    good = False
                if not good:
                    failed.append(file)
                bar.add(1)
        if failed:
            click.echo(f"crewe: {len(failed)} of {len(files)} failed: {', '.join(map(str, failed))}", err=True)
    if failed:
        raise click.exceptions.Exit(1)
