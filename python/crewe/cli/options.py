"""Options that several commands share, and what they mean to `crewe.live`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

__all__ = ["CENTER", "PAIR", "SIZE", "apply", "as_images", "image_options", "source_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]  # generic from click 8.2 on
else:
    _ParamType = click.ParamType


class Size(_ParamType):
    """``256x128``: rows x columns."""

    name = "YxX"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        parts = str(value).lower().replace("×", "x").split("x")
        try:
            sy, sx = (int(part) for part in parts)
        except ValueError:
            sy = sx = 0
        if sy < 1 or sx < 1:
            self.fail(f"rows x columns wanted, as in 256x256; {value!r} came", param, ctx)
        return sy, sx


class Pair(_ParamType):
    """Two numbers, ``127.5,127.5``."""

    name = "A,B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            a, b = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"two numbers wanted, as in 127.5,127.5; {value!r} came", param, ctx)
        return a, b


class Center(Pair):
    """``auto`` or ``y,x`` in detector pixels."""

    name = "auto|Y,X"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return "auto" if value == "auto" else super().convert(value, param, ctx)


SIZE, PAIR, CENTER = Size(), Pair(), Center()


def apply(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several option decorators as one, shown in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


source_options = apply(
    click.option("--scan", type=SIZE, help="Probe positions, as 256x256; default: what the data say."),
    click.option("--detector", type=SIZE, help="Pixels of an event detector, as 512x512."),
    click.option("--dwell", type=float, metavar="S", help="Events: time per position [s]; default: by line triggers."),
    click.option("--acceptance", type=float, metavar="S", help="Events: only those so early in a dwell [s]."),
    click.option("--skip", type=click.IntRange(0), help="Frames before the first position, left out."),
    click.option("--flyback", type=click.IntRange(0), help="Frames after every scan line, left out."),
)

image_options = apply(
    click.option(
        "--image",
        "-i",
        "names",
        multiple=True,
        type=click.Choice(["ricom", "icom", "com", "field", "adf", "bf", "sum"]),
        help="What to make; may come several times. Default: ricom.",
    ),
    click.option("--kernel", type=int, default=61, show_default=True, help="ricom: full width, odd [positions]."),
    click.option("--low", type=float, help="ricom, icom: lowest frequency kept [cycles/position]."),
    click.option("--high", type=float, help="ricom: highest frequency kept [cycles/position]."),
    click.option("--inner", type=float, help="bf: up to this radius; adf: from it on [detector pixels]."),
    click.option("--outer", type=float, help="adf: up to this radius [detector pixels]; default: the corners."),
    click.option("--energy", type=float, help="field: of the electrons [eV]."),
    click.option("--angle", type=float, help="field: seen by one detector pixel [mrad]."),
    click.option("--center", type=CENTER, default="auto", show_default=True, help="Of the pattern [detector pixels]."),
    click.option("--rotation", type=float, default=0.0, help="Of the scan against the detector [rad]."),
    click.option("--transpose", is_flag=True, help="The detector's axes are exchanged."),
    click.option("--fit-rotation", is_flag=True, help="Find rotation and transpose by the least curl, at the end."),
    click.option("--descan", is_flag=True, help="Fit and take out the plane by which the pattern wanders."),
    click.option("--serpentine", is_flag=True, help="Every second scan line runs backwards."),
    click.option("--com-radii", type=PAIR, help="Annular centre of mass: inner,outer [detector pixels]."),
    click.option("--dead-pixels", type=click.Path(path_type=Path), help="Left out: .npy (ky, kx), not 0 = dead, hot."),
    click.option("--dark", type=click.Path(path_type=Path), help="Dark frame, subtracted: .npy (ky, kx)."),
    click.option("--gain", type=click.Path(path_type=Path), help="Gain, multiplied: .npy (ky, kx)."),
    click.option("--threads", type=click.IntRange(0), default=0, help="0: all cores."),
)


def as_images(names: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The image kinds of `crewe.live` that were asked for, by name."""
    from crewe import live

    for name in names:
        if name in ("adf", "bf") and options["inner"] is None:
            raise click.UsageError(f"--image {name} wants --inner, the radius between bf and adf [detector pixels].")
        if name == "field" and (options["energy"] is None or options["angle"] is None):
            raise click.UsageError("--image field wants --energy [eV] and --angle [mrad per detector pixel].")
    made: dict[str, Callable[[], Any]] = {
        "ricom": lambda: live.RiCOM(kernel=options["kernel"], low=options["low"], high=options["high"]),
        "icom": lambda: live.ICOM(high_pass=options["low"] or 0.0),
        "com": live.CenterOfMass,
        "field": lambda: live.ElectricField(energy=options["energy"], angle_per_pixel=options["angle"]),
        "adf": lambda: live.VirtualDetector(inner=options["inner"], outer=options["outer"]),
        "bf": lambda: live.VirtualDetector(inner=0.0, outer=options["inner"]),
        "sum": live.Sum,
    }
    return {name: made[name]() for name in dict.fromkeys(names or ("ricom",))}
