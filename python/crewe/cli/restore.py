"""`crewe restore`: images of a file without noise and scan distortions, in a file of the same shape."""

import json
import os
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli.images import read_images, side_by_side
from crewe.cli.output import plan_output, write

__all__ = ["restore"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--model", default="stem-hr", show_default=True, help="One of `crewe models`.")
@click.option("--output", "-o", "outputs", multiple=True, help="Where to write: .npy .png .tif .hspy .zspy .h5, or -.")
@click.option("--shifts", type=click.Path(path_type=Path), help="The shift of every scan line (y, x) [pixels]: .npy.")
@click.option("--figure", type=click.Path(path_type=Path), help="Before and after, side by side: .png.")
@click.option("--tile", type=click.IntRange(64), help="Edge of a tile [pixels]. Default: 640.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--precision", type=click.Choice(["f32", "f16"]), help="f16 on the CPU is OpenVINO's. Default: f32.")
@click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores.")
def restore(
    file: Path,
    model: str,
    outputs: tuple[str, ...],
    shifts: Path | None,
    figure: Path | None,
    tile: int | None,
    device: str,
    precision: str | None,
    threads: int,
) -> None:
    """Restore the images in FILE (.npy, .tif, .dm4, .hspy, or what else RosettaSciIO reads): no noise, no jitter.

    FILE may hold one image (y, x) or any number of them (..., y, x). Several go to one .npy, image by image: if the
    command is interrupted, the same command goes on where it stopped. Without --output: FILE's name with -restored.npy,
    and .png for one image, in the current folder.

    \b
    Examples:
      crewe restore scan.dm4
      crewe restore scan.tif --output clean.tif --figure pair.png --shifts lines.npy
      crewe restore series.npy --output clean.npy
    """
    from crewe import models

    images = read_images(file)
    one = images.ndim == 2
    for path, suffix in ((shifts, ".npy"), (figure, ".png")):
        if path is not None and not one:
            raise click.UsageError(f"{path}: of one image (y, x) only; {file} holds {images.shape}.")
        if path is not None and (path.suffix.lower() != suffix or not path.parent.is_dir()):
            raise click.UsageError(f"{path}: a {suffix} in a folder that is there wanted.")
    beside = (f"{file.stem}-restored.npy", f"{file.stem}-restored.png") if one else (f"{file.stem}-restored.npy",)
    plan = [part for output in outputs or beside for part in plan_output(output, ["restored"], file)]
    network = models.load(model, device=device, precision=precision, threads=threads)
    click.echo(f"{network.info.name} ({network.info.file}) on {network.provider}", err=True)
    if not one:
        _many(file, images, plan, network, tile)
        return
    good = _one(np.asarray(images), plan, network, tile, shifts, figure, threads)
    if not good:
        raise click.exceptions.Exit(1)


def _one(
    image: NDArray[Any],
    plan: list[Any],
    network: Any,
    tile: int | None,
    shifts: Path | None,
    figure: Path | None,
    threads: int,
) -> bool:
    import crewe.restore

    restored = crewe.restore.restore(image, model=network, tile=tile)
    good = write(plan, {"restored": restored}, {"model": network.info.file, "provider": network.provider})
    if shifts is not None:
        np.save(shifts, crewe.restore.scan_shifts(image, restored, threads=threads))
        click.echo(f"wrote {shifts}", err=True)
    if figure is not None:
        from crewe._png import png

        figure.write_bytes(png(side_by_side([np.asarray(image, np.float32), restored])))
        click.echo(f"wrote {figure}", err=True)
    return good


def _many(file: Path, images: Any, plan: list[Any], network: Any, tile: int | None) -> None:
    """All images into one .npy; what is done is noted in a .json beside the unfinished file."""
    from crewe._progress import Bar
    from crewe.restore.images import restore_into

    if len(plan) != 1 or plan[0].path is None or plan[0].path.suffix.lower() != ".npy":
        raise click.UsageError(f"--output: one .npy wanted for the {images.shape} of {file}.")
    path = plan[0].path
    part, note = (path.with_name(f".{path.name}.{suffix}") for suffix in ("part", "json"))
    state = file.stat()
    job = {"file": str(file.resolve()), "size": state.st_size, "changed": state.st_mtime_ns, "tile": tile}
    job |= {"model": network.info.sha256, "provider": network.provider, "shape": list(images.shape)}
    done = _done(part, note, job)
    mode = "r+" if done else "w+"
    out = np.lib.format.open_memmap(part, mode=mode, dtype=np.float32, shape=images.shape)
    places = list(np.ndindex(images.shape[:-2]))
    if done:
        click.echo(f"{done} of {len(places)} images are restored already", err=True)
    with Bar("restoring", total=len(places), unit="images") as bar:
        bar.set(done)
        for place in places[done:]:
            restore_into(out[place], np.asarray(images[place]), network, tile=tile)
            out.flush()
            done += 1
            _write_note(note, {**job, "done": done})
            bar.add(1)
    del out
    os.replace(part, path)
    note.unlink()
    click.echo(f"wrote {path}", err=True)


def _done(part: Path, note: Path, job: dict[str, Any]) -> int:
    """Images that an interrupted command for the same job left."""
    try:
        left = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    done = left.pop("done", 0) if isinstance(left, dict) else 0
    return int(done) if left == job and part.exists() else 0


def _write_note(note: Path, content: dict[str, Any]) -> None:
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    os.replace(fresh, note)
