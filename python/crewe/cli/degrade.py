"""`crewe degrade`: one undistorted image in, what a microscope would record out."""

import inspect
import json
from pathlib import Path
from typing import Any

import click

from crewe.cli.files import outputs_of
from crewe.cli.images import read_image, side_by_side
from crewe.cli.output import plan_output, put, write

__all__ = ["degrade"]


class _Setting(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``jitter.sigma=0.3``, ``bits=12``, ``clip=off``."""

    name = "STAGE.OPTION=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        place, sign, text = str(value).partition("=")
        if not place or not sign or place.count(".") > 1:
            self.fail(f"{self.name} wanted, as in jitter.sigma=0.3, bits=12 or clip=off; {value!r} came", param, ctx)
        if text == "off":
            return place, None
        try:
            numbers = [int(part) if part.strip().lstrip("+-").isdigit() else float(part) for part in text.split(",")]
        except ValueError:
            self.fail(f"{place}: a number, or numbers with commas, or off wanted, {text!r} came", param, ctx)
        return place, numbers[0] if len(numbers) == 1 else numbers


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(["stem", "sem", "tem"]), default="stem", show_default=True)
@click.option("--electrons", type=float, default=20.0, show_default=True, help="Mean per pixel.")
@click.option("--pixel-size", type=float, default=0.2, show_default=True, help="[Å]; the unit of jitter's sigma.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--sensor", type=click.IntRange(0), default=0, help="tem: which camera.")
@click.option("--random", "drawn", is_flag=True, help="Start from random published settings, drawn from --seed.")
@click.option(
    "--set",
    "changes",
    type=_Setting(),
    multiple=True,
    help="One knob of a stage; may come several times. STAGE=off switches it off.",
)
@click.option(
    "--output", "-o", "outputs", multiple=True, help="Where to write: .npy .png .tif .hspy .zspy .h5, -, or a folder."
)
@click.option("--figure", type=click.Path(path_type=Path), help="Before and after, side by side: .png.")
@click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores.")
def degrade(
    image: Path,
    kind: str,
    electrons: float,
    pixel_size: float,
    seed: int,
    sensor: int,
    drawn: bool,
    changes: tuple[tuple[str, Any], ...],
    outputs: tuple[str, ...],
    figure: Path | None,
    threads: int,
) -> None:
    """Do to the IMAGE (.npy, .tif, or what RosettaSciIO reads) what a microscope does.

    Stages and their options are those of crewe.noise: stem and sem have jitter, detector (pmt), fast_scan, row_lines,
    black (stem), zingers, clip, bits; tem has mtf, fixed_pattern, dark_current, thermal, flicker, reset, black,
    zingers, clip, bits. The settings used go to stderr, as JSON. Without --output: IMAGE's name with -degraded.npy
    and .png, in the current folder; --output may name another folder.

    \b
    Examples:
      crewe degrade clean.npy --electrons 5 --set jitter.sigma=0.1,0.2 --set jitter.phi=0.5 --figure pair.png
      crewe degrade clean.tif --kind tem --electrons 50 --set thermal.sigma=1.5 --set bits=12 -o camera.npy
      crewe degrade clean.npy --random --seed 7 --set clip=off --output - | my-viewer
    """
    from crewe import noise

    batch = outputs_of((image,), outputs, ("-degraded.npy", "-degraded.png"))
    plan = [part for output in batch.outputs[0] for part in plan_output(output, ["degraded"], image)]
    if figure is not None and (figure.suffix.lower() != ".png" or not figure.parent.is_dir()):
        raise click.UsageError(f"--figure {figure}: a .png in a folder that is there wanted.")
    source = read_image(image)
    entry = None if batch.record is None else batch.record.entry(image, {"command": "degrade"})
    settings: dict[str, Any] = {"electrons_per_pixel": electrons}
    if drawn:
        settings = noise.random_settings(kind, seed=seed, shape=source.shape)
        if click.get_current_context().get_parameter_source("electrons") == click.core.ParameterSource.COMMANDLINE:
            settings["electrons_per_pixel"] = electrons
    chain = getattr(noise, kind)
    _apply(settings, changes, chain)
    if kind == "tem":
        settings["sensor"] = sensor
    else:
        settings["pixel_size"] = pixel_size
    try:
        result = chain(source, seed=seed, threads=threads, **settings)
    except TypeError as error:
        raise click.UsageError(f"--set: {error}") from None
    click.echo(json.dumps(result.settings, default=float), err=True)
    metadata: dict[str, Any] = {
        "settings": result.settings,
        "electrons_per_pixel": result.electrons_per_pixel,
        "kind": kind,
    }
    if kind != "tem":
        metadata["step"] = pixel_size
    good = write(plan, {"degraded": result.image}, metadata)
    if batch.record is not None and entry is not None:
        batch.record.add([part.path for part in plan if part.path is not None and part.path.is_file()], entry)
    if figure is not None:
        from crewe._png import png

        put(figure, png(side_by_side([source, result.image])))
    if not good:
        raise click.exceptions.Exit(1)


#: Arguments of a chain that are no stages: the command has options for them.
_OTHERS = ("image", "pixel_size", "electrons_per_pixel", "seed", "sensor", "threads")


def _apply(settings: dict[str, Any], changes: tuple[tuple[str, Any], ...], chain: Any) -> None:
    stages = [name for name in inspect.signature(chain).parameters if name not in _OTHERS]
    for place, value in changes:
        stage, _, option = place.partition(".")
        if stage not in stages:
            raise click.UsageError(f"--set {place}: a stage of {chain.__name__} wanted: {', '.join(stages)}.")
        if not option:
            settings[stage] = value
        elif isinstance(settings.get(stage), dict):
            settings[stage][option] = value
        else:
            settings[stage] = {option: value}
