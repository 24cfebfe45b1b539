"""`crewe train`: what belongs to training networks."""

from pathlib import Path

import click

from crewe.cli.options import SIZE

__all__ = ["train"]


@click.group()
def train() -> None:
    """Training networks."""


@train.command()
@click.option(
    "--mode", "modes", multiple=True, help="stem-hr, stem-lr, ..., tem-lr; may come several times. Default: all."
)
@click.option("--shape", type=SIZE, default="256x256", show_default=True, help="Of an image [pixels].")
@click.option("--rows", type=click.IntRange(1), default=4, show_default=True)
@click.option("--columns", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where the sheets go.")
@click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores.")
def preview(
    modes: tuple[str, ...], shape: tuple[int, int], rows: int, columns: int, seed: int, folder: Path, threads: int
) -> None:
    """A contact sheet of training pairs per mode: preview-MODE.png, distorted left, undistorted right.

    \b
    Examples:
      crewe train preview
      crewe train preview --mode stem-hr --shape 128x128 --rows 6 --seed 3 --folder sheets
    """
    from crewe import specimen
    from crewe._png import png
    from crewe.train.preview import sheet

    for mode in modes:
        if mode not in specimen.MODES:
            raise click.UsageError(f"--mode {mode}: one of {', '.join(specimen.MODES)} wanted.")
    if not folder.is_dir():
        raise click.UsageError(f"--folder {folder}: there is no such folder.")
    for mode in modes or specimen.MODES:
        path = folder / f"preview-{mode}.png"
        path.write_bytes(png(sheet(mode, shape=shape, rows=rows, columns=columns, seed=seed, threads=threads)))
        click.echo(str(path), err=True)
