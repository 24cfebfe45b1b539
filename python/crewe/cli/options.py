"""Options that several commands share, and what they mean to `crewe.live`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

__all__ = [
    "CENTER",
    "FILE",
    "PAIR",
    "SIZE",
    "Sections",
    "apply",
    "as_images",
    "image_options",
    "opened",
    "source_options",
    "wait_options",
]

Command = TypeVar("Command", bound=Callable[..., Any])


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]  # generic from click 8.2 on
else:
    _ParamType = click.ParamType


class Size(_ParamType):
    """``256x128``: rows x columns."""

    name = "ROWSxCOLS"

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

#: One of several files: that it can't be read is told when its turn comes.
FILE = click.Path(path_type=Path, readable=False)


def apply(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several option decorators as one, shown in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class Sections(click.Command):
    """A command whose --help shows the options under headings: those of `SECTIONS`, the rest first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{title: [] for title in SECTIONS}}
        for param in self.get_params(ctx):
            title = next((title for title, names in SECTIONS.items() if param.name in names), "Options")
            if isinstance(param, click.Option) and (row := param.get_help_record(ctx)) is not None:
                rows[title].append(row)
        for title, some in rows.items():
            if some:
                with formatter.section(title):
                    formatter.write_dl(some)


#: What phases want to be known: option → unit.
CALIBRATION = {"energy": "eV", "angle": "mrad per detector pixel", "semiangle": "mrad", "step": "Å"}

SECTIONS = {
    "Images": {"names", "kernel", "low", "high", "inner", "outer", "com_radii", *CALIBRATION, "device"},
    "Source": {"scan", "detector", "dwell", "acceptance", "skip", "flyback", "serpentine", "timeout", "command_port"},
    "Geometry": {"center", "rotation", "transpose", "fit_rotation", "descan"},
    "Detector": {"dead_pixels", "dark", "gain"},
}

_array = click.Path(path_type=Path)

source_options = apply(
    click.option(
        "--scan", type=SIZE, metavar="ROWSxCOLS", help="Probe positions, as 256x256; default: what the data say."
    ),
    click.option("--detector", type=SIZE, metavar="ROWSxCOLS", help="Pixels of an event detector, as 512x512."),
    click.option("--dwell", type=float, metavar="S", help="Events: time per position [s]; default: by line triggers."),
    click.option("--acceptance", type=float, metavar="S", help="Events: only those so early in a dwell [s]."),
    click.option("--skip", type=int, metavar="N", help="Frames before the first position, left out."),
    click.option("--flyback", type=int, metavar="N", help="Frames after every scan line, left out."),
)

wait_options = apply(
    click.option("--timeout", type=click.FloatRange(0, min_open=True), metavar="S", help="Longest wait for data [s]."),
    click.option(
        "--command-port", type=click.IntRange(1, 65535), metavar="N", help="Merlin: start the acquisition there."
    ),
)

_IMAGES = ("ricom", "icom", "ssb", "airpi", "com", "field", "adf", "bf", "sum")

image_options = apply(
    click.option(
        *("--image", "-i", "names"),
        multiple=True,
        type=click.Choice(_IMAGES),
        metavar="NAME",
        help=f"What to make: {', '.join(_IMAGES)}; may come several times. Default: ricom.",
    ),
    click.option("--kernel", type=int, default=61, metavar="N", help="ricom: full width, odd [positions]; default 61."),
    click.option("--low", type=float, metavar="F", help="ricom, icom: lowest frequency kept [cycles/position]."),
    click.option("--high", type=float, metavar="F", help="ricom: highest frequency kept [cycles/position]."),
    click.option("--inner", type=float, metavar="R", help="bf: up to this radius; adf: from it on [detector pixels]."),
    click.option("--outer", type=float, metavar="R", help="adf: up to this radius [detector pixels]; default: all."),
    click.option("--com-radii", type=PAIR, metavar="R,R", help="Centre of mass of a ring only [detector pixels]."),
    click.option("--energy", type=float, metavar="E", help="field, ssb, airpi: of the electrons [eV]."),
    click.option("--angle", type=float, metavar="A", help="field, ssb, airpi: seen by one detector pixel [mrad]."),
    click.option("--semiangle", type=float, metavar="A", help="ssb, airpi: of the bright disc [mrad]."),
    click.option("--step", type=float, metavar="D", help="ssb, airpi: distance of probe positions [Å]."),
    click.option("--device", type=click.Choice(("cpu", "cuda")), default="cpu", help="airpi: where the network runs."),
    click.option(
        "--center",
        type=CENTER,
        default="auto",
        metavar="Y,X",
        help="Of the pattern [detector pixels]; default: the mean centre of mass.",
    ),
    click.option("--rotation", type=float, default=0.0, metavar="A", help="Of the scan against the detector [rad]."),
    click.option("--transpose", is_flag=True, help="The detector's axes are exchanged."),
    click.option("--fit-rotation", is_flag=True, help="Find rotation and transpose by the least curl, at the end."),
    click.option("--descan", is_flag=True, help="Fit and take out the plane by which the pattern wanders."),
    click.option("--serpentine", is_flag=True, help="Every second scan line runs backwards."),
    click.option("--dead-pixels", type=_array, metavar="FILE", help="Left out: .npy (ky, kx), not 0 = dead or hot."),
    click.option("--dark", type=_array, metavar="FILE", help="Dark frame, subtracted: .npy (ky, kx)."),
    click.option("--gain", type=_array, metavar="FILE", help="Gain, multiplied: .npy (ky, kx)."),
    click.option("--threads", type=int, default=0, metavar="N", help="Default: all cores."),
)


def opened(reader: Callable[..., Any], name: Any, given: dict[str, Any]) -> Any:
    """The source that `crewe.io.open` or `listen` gives with these options, None: not given; a missing scan is asked
    for by the option's name.
    """
    try:
        return reader(name, **{key: value for key, value in given.items() if value is not None})
    except ValueError as error:
        what, _, why = str(error).partition(" wanted, because ")
        if given["scan"] is not None or not what.startswith("scan: ") or not why:
            raise
        raise click.UsageError(f"--scan ROWSxCOLS wanted, as in --scan 256x256, because {why}.") from None


def as_images(names: tuple[str, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The image kinds of `crewe.live` that were asked for, by name."""
    from crewe import live

    for name in names:
        if name in ("adf", "bf") and options["inner"] is None:
            raise click.UsageError(f"--image {name} wants --inner, the radius between bf and adf [detector pixels].")
        wanted = {"field": ("energy", "angle"), "ssb": CALIBRATION, "airpi": CALIBRATION}.get(name, ())
        if any(options[key] is None for key in wanted):
            words = [f"--{key} [{CALIBRATION[key]}]" for key in wanted]
            raise click.UsageError(f"--image {name} wants {', '.join(words[:-1])} and {words[-1]}.")

    def optics() -> dict[str, Any]:
        return {"angle_per_pixel": options["angle"], **{key: options[key] for key in ("energy", "semiangle", "step")}}

    made: dict[str, Callable[[], Any]] = {
        "ricom": lambda: live.RiCOM(kernel=options["kernel"], low=options["low"], high=options["high"]),
        "icom": lambda: live.ICOM(high_pass=options["low"] or 0.0),
        "ssb": lambda: live.SSB(**optics()),
        "airpi": lambda: live.AIRPI(**optics()),
        "com": live.CenterOfMass,
        "field": lambda: live.ElectricField(energy=options["energy"], angle_per_pixel=options["angle"]),
        "adf": lambda: live.VirtualDetector(inner=options["inner"], outer=options["outer"]),
        "bf": lambda: live.VirtualDetector(inner=0.0, outer=options["inner"]),
        "sum": live.Sum,
    }
    return {name: made[name]() for name in dict.fromkeys(names or ("ricom",))}
