"""`crewe restore`: images without noise and scan distortions, a file of the same shape for each file."""

import errno
import json
import os
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli.files import each, in_folders, outputs_of
from crewe.cli.images import pixel_size, read_images, side_by_side
from crewe.cli.options import FILE
from crewe.cli.output import Part, plan_output, put, write

__all__ = ["restore"]

SMALL = 2**26  # pixels that are drawn without being asked for
ENDINGS = ("-restored.npy", "-restored.png")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=FILE)
@click.option("--model", default="stem-hr", show_default=True, help="One of `crewe models`.")
@click.option(
    "--output", "-o", "outputs", multiple=True, help="Where to write: .npy .png .tif .hspy .zspy .h5, -, or a folder."
)
@click.option("--shifts", type=click.Path(path_type=Path), help="The shift of every scan line (y, x) [pixels]: .npy.")
@click.option("--figure", type=click.Path(path_type=Path), help="Before and after, side by side: .png.")
@click.option("--tile", type=click.IntRange(64), help="Edge of a tile [pixels]. Default: 640.")
@click.option("--refine/--no-refine", default=True, help="Put lines back, keep electrons; or only the network.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--precision", type=click.Choice(["f32", "f16"]), help="f16 on the CPU is OpenVINO's. Default: f32.")
@click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores.")
def restore(
    files: tuple[Path, ...],
    model: str,
    outputs: tuple[str, ...],
    shifts: Path | None,
    figure: Path | None,
    tile: int | None,
    refine: bool,
    device: str,
    precision: str | None,
    threads: int,
) -> None:
    """Restore the images in each FILE (.npy, .tif, .dm4, .hspy, or what else RosettaSciIO reads): no noise, no jitter.

    FILE may hold one image (y, x) or any number of them (..., y, x). These go to one .npy, image by image: if the
    command is interrupted, the same command goes on where it stopped. Without --output: FILE's name with
    -restored.npy, and .png for one image, in the current folder; --output may name another folder.

    FILE may be a folder: all images in it. Of several, one that is broken is named at the end, the others are done;
    the same command, started again, does those that are missing, new or changed (.crewe.jsonl there notes what was
    made of what).

    \b
    Examples:
      crewe restore scan.dm4
      crewe restore scan.tif --output clean.tif --figure pair.png --shifts lines.npy
      crewe restore series.npy --output clean.npy
      crewe restore haadf --output clean
    """
    from crewe import models

    files = in_folders(files, ENDINGS)
    for path, suffix in ((shifts, ".npy"), (figure, ".png")):
        if path is not None and len(files) > 1:
            raise click.UsageError(f"{path}: of one file only, {len(files)} came.")
        if path is not None and (path.suffix.lower() != suffix or not path.parent.is_dir()):
            raise click.UsageError(f"{path}: a {suffix} in a folder that is there wanted.")
    batch = outputs_of(files, outputs, ENDINGS)

    network = models.load(model, device=device, precision=precision, threads=threads)
    click.echo(f"{network.info.name} ({network.info.file}) on {network.provider}", err=True)
    options: dict[str, Any] = {"tile": tile, "refine": refine, "threads": threads}

    def one(k: int) -> tuple[str, ...]:
        images = read_images(files[k])
        names = batch.outputs[k]
        if batch.record is not None and (images.ndim > 2 or images.size > SMALL):
            names = names[:1]
        plan = [part for name in names for part in plan_output(name, ["restored"], *files)]
        good = _restore(files[k], images, plan, network, options, shifts, figure, show=len(files) == 1)
        return names if good else ()

    settings = {"command": "restore", "model": network.info.file, "tile": tile, "refine": refine}
    each(batch, "restoring", {**settings, "device": device, "precision": precision}, one)


def _restore(
    file: Path,
    images: Any,
    plan: list[Part],
    network: Any,
    options: dict[str, Any],
    shifts: Path | None,
    figure: Path | None,
    *,
    show: bool,
) -> bool:
    """One file; False if something isn't written."""
    import crewe.restore

    one = images.ndim == 2
    for path in (shifts, figure):
        if path is not None and not one:
            raise click.UsageError(f"{path}: of one image (y, x) only; {file} holds {images.shape}.")
    arrays = [part for part in plan if part.path is not None and part.path.suffix.lower() == ".npy"]
    others = [part for part in plan if part not in arrays]
    if not one and (len(arrays) != 1 or others):
        raise click.UsageError(f"--output: one .npy wanted for the {images.shape} of {file}.")
    step = pixel_size(file) if one and any(part.path and part.path.suffix != ".png" for part in others) else None
    if arrays and arrays[0].path is not None:
        restored = _into_file(arrays[0].path, images, file, network, options, show)
    else:
        restored = crewe.restore.restore(np.asarray(images), model=network, **options)
    metadata = {"model": network.info.file} | ({} if step is None else {"step": step})
    good = write(others + arrays[1:], {"restored": restored}, metadata)
    if shifts is not None:
        found = crewe.restore.scan_shifts(np.asarray(images), restored, threads=options["threads"])
        good &= write([Part(shifts, ["shifts"])], {"shifts": found}, {})
    if figure is not None:
        from crewe._png import png

        put(figure, png(side_by_side([np.asarray(images, np.float32), restored])))
    return good


def _into_file(
    path: Path, images: Any, source: Path, network: Any, options: dict[str, Any], show: bool
) -> NDArray[np.float32]:
    """Image by image into a .npy, which may be larger than the memory; what comes back lies in the file.

    Images that are done are noted in a .json beside the unfinished file, from where the same command goes on.
    """
    from crewe._progress import Bar
    from crewe.restore.images import restore_into

    part, note = (path.with_name(f".{path.name}.{suffix}") for suffix in ("part", "json"))
    state = source.stat()
    job = {"file": str(source.resolve()), "size": state.st_size, "changed": state.st_mtime_ns, **options}
    job |= {"model": network.info.sha256, "provider": network.provider, "shape": list(images.shape)}
    done = _done(part, note, job)
    mode: Literal["r+", "w+"] = "r+" if done else "w+"
    places = list(np.ndindex(images.shape[:-2]))
    if done:
        click.echo(f"{done} of {len(places)} images are restored already", err=True)
    try:
        out = np.lib.format.open_memmap(part, mode=mode, dtype=np.float32, shape=images.shape)
        _take_room(part)
        with Bar("restoring", total=len(places), unit="images", show=show) as bar:
            bar.set(done)
            for place in places[done:]:
                restore_into(out[place], np.asanyarray(images[place]), network, **options)
                out.flush()
                done += 1
                _write_note(note, {**job, "done": done})
                bar.add(1)
    except BaseException as error:
        if done == 0:
            part.unlink(missing_ok=True)
        elif isinstance(error, KeyboardInterrupt):
            click.echo(
                f"{done} of {len(places)} images are restored; the same command goes on with the others", err=True
            )
        full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if isinstance(error, OSError) and (error.filename == str(part) or error.errno in full):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    os.replace(part, path)
    note.unlink()
    click.echo(f"wrote {path}", err=True)
    return out


def _take_room(part: Path) -> None:
    """All of the file on the disk: a full one is told now, not by a signal that ends us while its pages are filled."""
    with part.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, part.stat().st_size)


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
