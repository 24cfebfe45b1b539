"""`crewe train`: what belongs to training networks."""

from pathlib import Path
from typing import Any

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


@train.command()
@click.option("--mode", default="stem-hr", show_default=True, help="stem-hr, stem-lr, ..., tem-lr.")
@click.option("--network", type=click.Choice(["light", "full"]), default="light", show_default=True)
@click.option("--start", default="", help="A model of the package whose weights to begin with. Default: random ones.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Of the run. Default: restore-MODE.")
@click.option("--steps", type=click.IntRange(1), default=5000, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="Patches per step.")
@click.option("--rate", type=float, default=1e-3, show_default=True, help="Highest learning rate.")
@click.option("--adversarial", type=click.FloatRange(0), default=0.0, show_default=True, help="Weight of that loss.")
@click.option("--precision", type=click.Choice(["bf16", "f32"]), default="bf16", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(0), default=0, help="Of torch; 0: its own choice.")
def restore(folder: Path | None, device: str, threads: int, **recipe: Any) -> None:
    """Train a restoration network and export it; a run that was stopped goes on where it was.

    The folder gets checkpoint.pt, log.csv, validation.png and, at the end, restore-cgrdn-MODE.onnx.

    \b
    Examples:
      crewe train restore --mode stem-hr
      crewe train restore --mode tem-hr --start stem-hr --steps 1500 --rate 7e-4
      crewe train restore --mode sem-hr --network full --device cuda --steps 100000 --adversarial 0.0005
    """
    from crewe.train.restoration import RestoreRecipe

    wanted = RestoreRecipe(**recipe)
    folder = folder or Path(f"restore-{wanted.mode}")
    _train(folder, wanted, f"restore-cgrdn-{wanted.mode}.onnx", "dB gained", device, threads)


@train.command()
@click.option("--base", type=click.IntRange(1), default=8, show_default=True, help="Channels; 32 for a GPU.")
@click.option("--depth", type=click.IntRange(1, 4), default=4, show_default=True, help="Halvings.")
@click.option("--size", type=click.IntRange(32), default=128, show_default=True, help="Of a picture [pixels].")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default="atomid", show_default=True)
@click.option("--steps", type=click.IntRange(1), default=3800, show_default=True)
@click.option("--batch", type=click.IntRange(2), default=16, show_default=True, help="Pictures per step.")
@click.option("--rate", type=float, default=3e-3, show_default=True, help="Highest learning rate.")
@click.option("--precision", type=click.Choice(["bf16", "f32"]), default="bf16", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def atomid(folder: Path, device: str, **recipe: Any) -> None:
    """Train the network that finds atomic columns, and export it; a run that was stopped goes on where it was.

    The folder gets checkpoint.pt, log.csv, validation.png and, at the end, atoms-unet-atomid.onnx.

    \b
    Examples:
      crewe train atomid
      crewe train atomid --base 32 --size 256 --device cuda --steps 100000
    """
    from crewe.train.atoms.run import AtomRecipe

    _train(Path(folder), AtomRecipe(**recipe), "atoms-unet-atomid.onnx", "mean F1", device, 1)


@train.command("airpi-data")
@click.argument("path", type=click.Path(path_type=Path), default="airpi-samples.zarr")
@click.option("--count", type=click.IntRange(1), default=20_000, show_default=True, help="Samples; 90 KB each.")
@click.option("--configurations", type=click.IntRange(1), default=30, show_default=True, help="Of moving atoms.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(0), default=0, help="Samples made at a time; 0: one per core.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
def airpi_data(path: Path, count: int, configurations: int, seed: int, threads: int, device: str) -> None:
    """Simulate what AIRPI is trained on: patterns of random specimens, and the waves behind them, as a Zarr group.

    About three samples per second and core. A run that was stopped goes on where it was; a larger --count adds more.

    \b
    Examples:
      crewe train airpi-data
      crewe train airpi-data more.zarr --count 100000 --configurations 10 --seed 7
    """
    from crewe._progress import Bar
    from crewe.train.airpi.store import generate

    with Bar("simulating", total=count, unit="samples") as bar:
        generate(path, count, seed=seed, configurations=configurations, threads=threads, device=device, tell=bar.set)
    click.echo(str(path), err=True)


@train.command()
@click.argument("samples", type=click.Path(), default="airpi-samples.zarr")
@click.option("--network", type=click.Choice(["light", "full"]), default="light", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default="airpi", show_default=True)
@click.option("--steps", type=click.IntRange(1), default=4200, show_default=True)
@click.option("--batch", type=click.IntRange(2), default=32, show_default=True, help="Samples per step.")
@click.option("--rate", type=float, default=1.5e-3, show_default=True, help="Highest learning rate.")
@click.option("--precision", type=click.Choice(["bf16", "f32"]), default="bf16", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def airpi(folder: Path, device: str, **recipe: Any) -> None:
    """Train the network behind imaging.airpi, and export it; a run that was stopped goes on where it was.

    SAMPLES is what `crewe train airpi-data` wrote. The folder gets checkpoint.pt, log.csv, validation.png (the phase of
    the object under the probe: true, and at 20, 200 and 10⁶ electrons per pattern) and, at the end,
    imaging-airpi-NETWORK.onnx.

    \b
    Examples:
      crewe train airpi-data --count 8480 --configurations 10 && crewe train airpi
      crewe train airpi --network full --device cuda --batch 256 --steps 100000
    """
    from crewe.train.airpi.run import AirpiRecipe

    wanted = AirpiRecipe(**recipe)
    _train(Path(folder), wanted, f"imaging-airpi-{wanted.network}.onnx", "mean correlation", device, 1)


def _train(folder: Path, recipe: Any, file: str, figure: str, device: str, threads: int) -> None:
    from crewe._progress import Bar
    from crewe.train.export import export
    from crewe.train.loop import Report
    from crewe.train.loop import train as run

    with Bar("training", total=recipe.steps, unit="steps") as bar:

        def tell(report: Report) -> None:
            bar.set(report.step)
            if report.figure is not None:
                click.echo(f"step {report.step}: {report.figure:.3f} {figure}, {report.losses}", err=True)

        checkpoint = run(folder, recipe, device=device, threads=threads, tell=tell)
    difference = export(checkpoint, folder / file, type(recipe))
    click.echo(f"wrote {folder / file}; ONNX Runtime and torch differ by {difference:.1e}", err=True)
