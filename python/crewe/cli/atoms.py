"""`crewe atoms`: images in, their columns out: where they are, how much they scatter, how they are strained."""

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from crewe.cli.files import Batch, each, in_folders, outputs_of
from crewe.cli.images import Image, read_image
from crewe.cli.images import pixel_size as stated
from crewe.cli.options import FILE
from crewe.cli.output import is_one_of, put

__all__ = ["atoms"]

Table = dict[str, NDArray[Any]]

_TABLES, _PICTURES = (".csv", ".h5", ".hdf5"), (".hspy",)
_WANTS_H5PY = (".h5", ".hdf5", ".hspy")
_ENDINGS = ("-atoms.csv", "-atoms.png")
_MARK = np.array([255, 48, 48], np.uint8)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="IMAGE...", type=FILE)
@click.option("--model", type=click.Choice(["log", "atomid"]), default="log", show_default=True)
@click.option(
    "--threshold", type=click.FloatRange(0), help="Lowest confidence, 1 = a typical column; default: by itself."
)
@click.option("--window", type=click.IntRange(1), help="Least distance of two columns is half of it [pixels].")
@click.option("--pixel-size", type=click.FloatRange(0, min_open=True), help="[Å]; default: what the file says.")
@click.option(
    "--fit", is_flag=True, help="Fit Gaussians to all columns at once: heights, widths, cross-sections, errors."
)
@click.option("--count", is_flag=True, help="Count the atoms in each column by its cross-section; fits.")
@click.option("--strain", is_flag=True, help="Strain and rotation at each column, against the mean lattice.")
@click.option(
    "--output", "-o", "outputs", multiple=True, help="Where to write: .csv .h5 .hspy, - (.csv on stdout), or a folder."
)
@click.option("--figure", type=click.Path(path_type=Path), help="The image with its columns marked: .png.")
def atoms(
    files: tuple[Path, ...],
    model: Any,
    threshold: float | None,
    window: int | None,
    pixel_size: float | None,
    fit: bool,
    count: bool,
    strain: bool,
    outputs: tuple[str, ...],
    figure: Path | None,
) -> None:
    """Find the atomic columns of each IMAGE (.npy, .tif, or what RosettaSciIO reads), bright on dark.

    One line per column: y, x in pixels from the middle of the first one, and what the options add. .hspy holds the
    image with the columns as markers. Without --output and --figure: IMAGE's name with -atoms.csv and -atoms.png, in
    the current folder; --output may name another folder.

    IMAGE may be a folder: all images in it. Of several, one that is broken is named at the end, the others are done;
    the same command, started again, does those that are missing, new or changed (.crewe.jsonl there notes what was
    made of what).

    \b
    Examples:
      crewe atoms haadf.tif
      crewe atoms haadf --output columns
      crewe atoms haadf.dm4 --fit --output columns.h5 --figure columns.png
      crewe atoms particle.npy --count --pixel-size 0.22 --output - | sort -t, -k13 -n
      crewe atoms film.hspy --strain --output film-columns.hspy
    """
    files = in_folders(files, _ENDINGS)
    if figure is not None and len(files) > 1:
        raise click.UsageError(f"--figure {figure}: of one image only, {len(files)} came.")
    batch = outputs_of(files, outputs, _ENDINGS) if outputs or figure is None else Batch(files, [()], None)
    from crewe.atoms import propose

    def one(k: int) -> tuple[str, ...]:
        names, drawn = batch.outputs[k], figure
        if batch.record is not None:
            names, drawn = names[:1], figure or Path(names[1])
        _check(files, names, drawn)
        source, size = read_image(files[k]), pixel_size
        if size is None and (fit or count or any(Path(name).suffix.lower() in _PICTURES for name in names)):
            size = stated(files[k])
            if size is not None:
                click.echo(f"pixel size {size:.4g} Å", err=True)
        if size is None and (fit or count):
            raise click.UsageError("--fit and --count want --pixel-size [Å]: the file states none.")
        found = propose(source, model=model, threshold=threshold, window=window)
        positions = found.columns()
        click.echo(f"{len(positions)} columns, {found.spacing:.4g} pixels apart", err=True)
        table: Table = {"y [pixel]": positions[:, 0], "x [pixel]": positions[:, 1]}
        if size is not None and (fit or count) and len(positions):
            table = _fitted(source, positions, size, count)
        if strain and len(positions):
            table |= _strained(positions)
        for output in names:
            _write(output, table, source, size)
        if drawn is not None:
            from crewe._png import png

            put(drawn, png(marked(source, positions)))
        return (*names, str(drawn))

    options = {"command": "atoms", "model": model, "threshold": threshold, "window": window, "pixel_size": pixel_size}
    each(batch, "finding columns", {**options, "fit": fit, "count": count, "strain": strain}, one)


def _check(files: tuple[Path, ...], outputs: tuple[str, ...], figure: Path | None) -> None:
    import importlib.util

    for name in [*outputs, *([str(figure)] if figure else [])]:
        if name == "-":
            continue
        path, wanted = Path(name), (".png",) if figure is not None and name == str(figure) else _TABLES + _PICTURES
        option = "--figure" if wanted == (".png",) else "--output"
        if path.suffix.lower() not in wanted:
            raise click.UsageError(f"{option} {name}: a suffix of {' '.join(wanted)} wanted.")
        if path.suffix.lower() in _WANTS_H5PY and importlib.util.find_spec("h5py") is None:
            raise click.UsageError(f"{option} {name}: h5py isn't installed; pip install 'crewe[io]'.")
        if not path.parent.is_dir():
            raise click.UsageError(f"{option} {name}: there is no folder {path.parent}.")
        if is_one_of(path, files):
            raise click.UsageError(f"{option} {name} would overwrite what is read.")


def _fitted(source: Image, positions: NDArray[np.float64], pixel_size: float, count: bool) -> Table:
    from crewe import atoms
    from crewe.atoms.save import columns_table

    columns = atoms.fit(source, positions, pixel_size=pixel_size)
    click.echo(f"width {columns.widths[0]:.4g} Å, background {columns.background:.4g}", err=True)
    counts = None
    if count:
        counts = atoms.count(columns.scs).counts
        click.echo(f"{counts.sum()} atoms, at most {counts.max()} in a column", err=True)
    return columns_table(columns, pixel_size, counts)


def _strained(positions: NDArray[np.float64]) -> Table:
    from crewe.strain import from_positions

    found = from_positions(positions)
    return {"eps_yy": found.eps_yy, "eps_xx": found.eps_xx, "eps_xy": found.eps_xy, "omega [rad]": found.omega}


def _write(output: str, table: Table, source: Image, pixel_size: float | None) -> None:
    if output == "-":
        click.echo(_csv(table), nl=False)
        return
    path = Path(output)
    if path.suffix.lower() == ".csv":
        put(path, _csv(table).encode())
    elif path.suffix.lower() == ".hspy":
        put(path, _hspy(table, source, pixel_size))
    else:
        put(path, _h5(table))


def _csv(table: Table) -> str:
    text = StringIO()
    np.savetxt(text, np.stack(list(table.values()), axis=1), "%.10g", ",", header=",".join(table), comments="")
    return text.getvalue()


def _h5(table: Table) -> bytes:
    import h5py

    memory = BytesIO()
    with h5py.File(memory, "w") as file:
        for name, values in table.items():
            file[f"columns/{name}"] = values
    return memory.getvalue()


def _hspy(table: Table, source: Image, pixel_size: float | None) -> bytes:
    """The image as `crewe.io.save` writes it, with the columns as permanent markers of HyperSpy 2 and as a table."""
    import h5py

    from crewe.io.save import hspy

    memory = BytesIO(hspy({"image": source}, {} if pixel_size is None else {"step": pixel_size}))
    with h5py.File(memory, "a") as file:
        metadata = file["Experiments/image/metadata"]
        markers = metadata.create_group("Markers/columns")
        markers.attrs.update({"class": "Points", "name": "columns", "plot_on_signal": True})
        markers.attrs.update({"offset_transform": "data", "transform": "display"})
        kwargs = markers.create_group("kwargs")
        kwargs["offsets"] = np.stack([table["x [pixel]"], table["y [pixel]"]], axis=1) * (pixel_size or 1.0)  # in data
        kwargs["sizes"] = np.array([4.0])
        kwargs.attrs["color"] = "red"
        for name, values in table.items():
            metadata[f"columns/{name}"] = values
    return memory.getvalue()


def marked(image: Image, positions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The image in grey, enlarged to 512 pixels or more, a cross at each position."""
    from crewe._color import picture

    times = -(-512 // max(image.shape))
    grey = picture(image).repeat(times, axis=0).repeat(times, axis=1)
    colored = np.repeat(grey[:, :, None], 3, axis=2)
    middles = np.rint(times * (positions + 0.5) - 0.5).astype(int)
    for step in range(-2, 3):  # the arms of the cross
        for y, x in ((middles + np.array(arm)).T for arm in ((step, 0), (0, step))):
            inside = (y >= 0) & (y < grey.shape[0]) & (x >= 0) & (x < grey.shape[1])
            colored[y[inside], x[inside]] = _MARK
    return colored
