"""`crewe compare`: one reference, many images, a table of their differences."""

import csv
import importlib.util
import io as streams
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli import words
from crewe.cli.files import distinct
from crewe.cli.images import read_image
from crewe.cli.options import FILE, PAIR
from crewe.cli.output import WANTS, is_one_of, put

__all__ = ["compare"]

DIFFERENCES = ("mse", "ssim", "cw_ssim", "sift")
NAMES = (*DIFFERENCES, "psnr", "cross_correlation")


@click.command()
@click.argument("reference", metavar="REF", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=FILE)
@click.option(
    "--metric",
    "-m",
    "names",
    multiple=True,
    type=click.Choice(NAMES),
    metavar="NAME",
    help=f"{', '.join(NAMES)}; may come several times. Default: {', '.join(DIFFERENCES)}.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The table: .csv. Default: stdout."
)
@click.option("--maps", type=click.Path(path_type=Path, file_okay=False), help="A folder for the difference maps.")
@click.option("--suffix", default=".npy", show_default=True, help="Of the maps: .npy .png .tif .hspy .zspy .h5")
@click.option("--cell", type=PAIR, metavar="Y,X", help="Maps of mse and sift: the unit cell [pixels]. Default: found.")
@click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores.")
def compare(
    reference: Path,
    images: tuple[Path, ...],
    names: tuple[str, ...],
    output: Path | None,
    maps: Path | None,
    suffix: str,
    cell: tuple[float, float] | None,
    threads: int,
) -> None:
    """How different from the image in REF is each IMAGE?

    .npy, .tif, or what RosettaSciIO reads. The table (CSV) has a row for an image and a column for a metric:
    0 = the same, 1 = as different as can be; psnr [dB]; cross_correlation, 1 = the same. Empty: there is no such
    number, and stderr says why (mse wants pixels >= 0). With --maps also FOLDER/IMAGE-METRIC.npy: ssim and cw_ssim by
    pixel, mse and sift by unit cell. What was compared before Ctrl-C is kept.

    \b
    Examples:
      crewe compare simulated.npy recorded.npy
      crewe compare simulated.npy focus-*.npy --metric ssim --metric cw_ssim --output differences.csv
      crewe compare matrix.tif precipitate.tif --metric sift --maps maps --cell 64,64 --suffix .png
    """
    chosen = _chosen(names)
    if output is not None and output.suffix.lower() != ".csv":
        raise click.UsageError(f"--output {output}: a .csv wanted.")
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"--output {output}: there is no folder {output.parent}.")
    if output is not None and is_one_of(output, (reference, *images)):
        raise click.UsageError(f"--output {output} would overwrite what is read.")
    if suffix.lower() not in WANTS:
        raise click.UsageError(f"--suffix {suffix}: one of {' '.join(WANTS)} wanted.")
    if maps is not None:
        distinct(images, [str(maps / f"{path.stem}-METRIC{suffix}") for path in images])
    first = _finite(reference)
    if maps is not None:
        maps.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    try:
        good = _compare(first, images, chosen, rows, None if maps is None else (maps, suffix, cell), threads)
    finally:
        _write(rows, chosen, output)
    if not good:
        raise click.exceptions.Exit(1)


def _chosen(names: tuple[str, ...]) -> list[str]:
    """The metrics asked for, or those that can be had."""
    there = importlib.util.find_spec("cv2") is not None
    if "sift" in names and not there:
        raise click.UsageError("--metric sift wants OpenCV: pip install 'crewe[metrics]'.")
    if not names and not there:
        click.echo("crewe: no column sift, it wants OpenCV: pip install 'crewe[metrics]'", err=True)
    return [name for name in dict.fromkeys(names or DIFFERENCES) if there or name != "sift"]


def _compare(
    reference: NDArray[np.float32],
    images: tuple[Path, ...],
    chosen: list[str],
    rows: list[dict[str, Any]],
    maps: tuple[Path, str, tuple[float, float] | None] | None,
    threads: int,
) -> bool:
    """A row for every image that can be compared; False if a row or a number in one is missing."""
    from crewe import metrics
    from crewe._progress import Bar

    good = True
    keypoints = metrics.Keypoints(reference, threads=threads) if "sift" in chosen else None

    def number(name: str, image: NDArray[np.float32], path: Path) -> float | None:
        if maps is not None:
            _save_map(reference, image, path, name, *maps, threads)
        if keypoints is not None and name == "sift":
            return keypoints.difference(image)
        found: float = getattr(metrics, name)(reference, image, threads=threads)
        return found

    with Bar("comparing", total=len(images), unit="images") as bar:
        for path in images:
            row: dict[str, Any] = {"image": str(path)}
            try:
                image = _finite(path)
                if image.shape != reference.shape:
                    raise ValueError(f"{path}: shape {reference.shape} wanted, as the reference's, {image.shape} came")
            except (OSError, ValueError) as error:
                good = _refused(words(error))
                bar.add(1)
                continue
            for name in chosen:
                try:
                    row[name] = number(name, image, path)
                except OSError as error:
                    good = _refused(words(error))
                except ValueError as error:
                    good = _refused(f"{path}: no {name}: {_plain(error)}")
            rows.append(row)
            bar.add(1)
    return good


def _finite(path: Path) -> NDArray[np.float32]:
    image = read_image(path)
    if not np.isfinite(image).all():
        raise ValueError(f"{path}: finite pixels wanted, NaN or infinity came")
    return image


def _refused(why: str) -> bool:
    click.echo(f"crewe: {why}", err=True)
    return False


def _plain(error: ValueError) -> str:
    """What a metric says, for those who don't know what it calls its arguments."""
    told = str(error)
    for argument, meant in (("a: ", "reference: "), ("b: ", ""), ("image: ", "")):
        if told.startswith(argument):
            return meant + told.removeprefix(argument)
    return told


def _save_map(
    reference: NDArray[np.float32],
    image: NDArray[np.float32],
    path: Path,
    name: str,
    folder: Path,
    suffix: str,
    cell: tuple[float, float] | None,
    threads: int,
) -> None:
    from crewe import io, metrics

    if name in ("ssim", "cw_ssim"):
        found = getattr(metrics, f"{name}_map")(reference, image, threads=threads)
    elif name in ("mse", "sift"):
        found = metrics.unit_cell_map(reference, image, cell=cell, metric=name, threads=threads).astype(np.float32)
    else:
        return
    io.save(folder / f"{path.stem}-{name}{suffix}", {name: found}, metadata={"image": str(path), "metric": name})


def _write(rows: list[dict[str, Any]], chosen: list[str], output: Path | None) -> None:
    text = streams.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", *chosen])
    for row in rows:
        table.writerow([row["image"], *(_number(row.get(name)) for name in chosen)])
    if output is None:
        click.echo(text.getvalue(), nl=False)
        return
    put(output, text.getvalue().encode())


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if math.isfinite(value) else str(value)
