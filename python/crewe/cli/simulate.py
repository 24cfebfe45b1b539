"""`crewe simulate`: a structure in, images, patterns or a 4D scan out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from crewe.cli.options import PAIR, SIZE
from crewe.cli.output import Part, plan_output, write
from crewe.cli.scan_file import write_scan

if TYPE_CHECKING:
    from crewe.sim import Potential

MODES = ("stem", "hrtem", "cbed", "scan4d", "wave", "potential")


class _Named(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``NAME=NUMBER`` or, for rings, ``NAME=INNER:OUTER``."""

    def __init__(self, numbers: int) -> None:
        self.numbers = numbers
        self.name = "NAME=A" if numbers == 1 else "NAME=A:B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        name, _, text = str(value).partition("=")
        try:
            numbers = tuple(float(part) for part in text.split(":"))
        except ValueError:
            numbers = ()
        if not name or len(numbers) != self.numbers:
            self.fail(f"{self.name} wanted, {value!r} came", param, ctx)
        return name, numbers


class _Zone(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """``1,1,0``."""

    name = "U,V,W"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            zone = tuple(int(part) for part in (value if isinstance(value, list | tuple) else str(value).split(",")))
        except ValueError:
            zone = ()
        if len(zone) != 3 or not any(zone):
            self.fail(f"three whole numbers wanted, as in 1,1,0; {value!r} came", param, ctx)
        return zone


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Options from a YAML file; those on the command line win."""
    if path is None:
        return None
    try:
        import yaml
    except ImportError:
        raise click.UsageError("--config: PyYAML isn't installed; pip install 'crewe[sim]'.") from None
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.UsageError(f"--config {path}: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"--config {path}: a mapping of options wanted.")
    names = {option.lstrip("-"): parameter for parameter in ctx.command.params for option in parameter.opts}
    defaults: dict[str, Any] = {}
    for key, value in found.items():
        parameter = names.get(str(key).replace("_", "-"), names.get(str(key)))
        if parameter is None or parameter.name in ("config", None):
            raise click.UsageError(f"--config {path}: there is no option {key}.")
        many = isinstance(value, dict)
        defaults[str(parameter.name)] = [_pair(k, v) for k, v in value.items()] if many else value
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path


def _pair(name: Any, value: Any) -> str:
    return f"{name}={':'.join(str(v) for v in value) if isinstance(value, list) else value}"


@click.command()
@click.argument("structure", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), is_eager=True, callback=_read_config, help="Options as YAML."
)
@click.option("--mode", type=click.Choice(MODES), default="stem", show_default=True, help="What to make.")
@click.option("--output", "-o", help="Where to write; default: STRUCTURE's name with the mode's, .npy and .png.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take.")
@click.option("--zone", type=_Zone(), help="Lattice direction along the beam.  [default: the cell as it is]")
@click.option("--thickness", type=float, help="Of the slab [Å].")
@click.option("--size", type=PAIR, metavar="Y,X", help="Of the field, at least [Å].")
@click.option("--rotation", type=float, default=0.0, help="Of the slab about the beam [rad].")
@click.option("--sampling", type=float, help="Size of a pixel [Å].  [default: 0.05]")
@click.option("--gpts", type=SIZE, help="Pixels instead of the sampling.")
@click.option("--slice-thickness", type=float, default=2.0, show_default=True, help="[Å]")
@click.option("--table", type=click.Choice(["lobato2014", "kirkland"]), default="lobato2014", show_default=True)
@click.option("--phonons", type=click.IntRange(0), default=0, show_default=True, help="Configurations of moving atoms.")
@click.option("--sigma", type=_Named(1), multiple=True, help="Rms displacement [Å] of an element (all: *=0.08).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of phonons and counting noise.")
@click.option("--energy", type=float, default=300e3, show_default=True, help="[eV]")
@click.option("--semiangle", type=float, default=20.0, show_default=True, help="Of the probe [mrad].")
@click.option("--defocus", type=float, default=0.0, show_default=True, help="Underfocus is positive [Å].")
@click.option("--aberration", type=_Named(1), multiple=True, help="C30=1e5, C12=20, phi12=0.5, … [Å, rad]")
@click.option("--scan", type=SIZE, default="32x32", show_default=True, help="Positions over the cell (stem, scan4d).")
@click.option("--position", type=PAIR, multiple=True, metavar="Y,X", help="Of the probe [Å] (cbed).")
@click.option("--detector", type=_Named(2), multiple=True, help="Ring [mrad], as in adf=40:100 (stem).")
@click.option("--source-size", type=float, default=0.0, show_default=True, help="FWHM [Å] (stem).")
@click.option("--electrons", type=float, help="Per position: counting noise (stem).")
@click.option("--max-angle", type=float, help="Of the patterns kept [mrad] (scan4d).")
@click.option("--bin", type=click.IntRange(1), default=1, show_default=True, help="Pixels added up (scan4d).")
@click.option("--aperture", type=float, help="Objective aperture [mrad] (hrtem).")
@click.option("--focal-spread", type=float, default=0.0, show_default=True, help="1/e half width [Å] (hrtem).")
@click.option("--angular-spread", type=float, default=0.0, show_default=True, help="1/e half width [mrad] (hrtem).")
@click.option(
    "--coherence", type=click.Choice(["envelope", "explicit", "coherent"]), default="envelope", help="(hrtem)"
)
@click.option("--threads", type=click.IntRange(0), default=0, show_default=True, help="0: all cores.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:1.")
@click.option("--memory", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, help="[GiB]")
def simulate(structure: Path, mode: str, output: str | None, dry_run: bool, **options: Any) -> None:
    """Simulate what a microscope sees of STRUCTURE: CIF, XYZ, POSCAR, all that ase reads.

    4D scans go to .zarr block by block: after Ctrl-C the same command goes on where it was.

    \b
    Examples:
      crewe simulate SrTiO3.cif --thickness 200 --size 16,16 --detector adf=40:100 --output adf.png
      crewe simulate Si.cif --zone 1,1,0 --thickness 100 --mode cbed --position 3,4 --phonons 8 --sigma Si=0.078
      crewe simulate SrTiO3.cif --thickness 80 --size 16,16 --mode scan4d --scan 64x64 --output scan.zarr
      crewe simulate Nb3Sn.cif --mode hrtem --energy 80e3 --thickness 100 --defocus -60 --aperture 30
    """
    from crewe import sim
    from crewe._device import as_device

    potential = _potential(structure, options)
    names = [name for name, _ in options["detector"]] or ["bf", "adf"]
    made = names if mode == "stem" else [mode]
    plan: list[Part] = []
    if mode in ("scan4d", "wave"):
        output = output or f"{structure.stem}-{mode}.{'zarr' if mode == 'scan4d' else 'npy'}"
        _check_output(output, (".zarr", ".hspy", ".zspy", ".npy") if mode == "scan4d" else (".npy",))
    else:
        outputs = (output,) if output else (f"{structure.stem}-{{image}}.npy", f"{structure.stem}-{{image}}.png")
        plan = [part for one in outputs for part in plan_output(one, made, structure)]
    count = {
        "stem": np.prod(options["scan"]),
        "scan4d": np.prod(options["scan"]),
        "cbed": len(options["position"]) or 1,
    }
    memory = int(options["memory"] * 2**30)
    cost = {"energy": options["energy"], "threads": options["threads"], "memory": memory}
    on_cpu = as_device(options["device"]) is None
    foreseen = sim.estimate(potential, waves=int(count.get(mode, 1)), **cost) if on_cpu else f"on {options['device']}"
    click.echo(f"{potential}\n{foreseen}{_result_size(mode, potential, options)}", err=True)
    if dry_run:
        return
    images, step = _run(mode, potential, options, memory, output)
    metadata = {"program": "crewe simulate", "structure": str(structure), "mode": mode, "potential": repr(potential)}
    metadata |= {key: value for key, value in options.items() if value not in (None, ()) and key != "config"}
    if step is not None:
        metadata["step"] = step
    if mode == "scan4d":
        _finish(Path(str(output)), images, potential, options, metadata)
    elif mode == "wave":
        with Path(str(output)).open("wb") as file:
            np.save(file, images)
        click.echo(f"wrote {output}", err=True)
    elif not write(plan, images, metadata):
        raise click.exceptions.Exit(1)


def _result_size(mode: str, potential: "Potential", options: dict[str, Any]) -> str:
    """Of the results that may be large."""
    from crewe.sim._scan import Pattern

    if mode == "scan4d":
        pattern = Pattern.of(potential, options["energy"], options["max_angle"], options["bin"])
        shape: tuple[int, ...] = (*options["scan"], *pattern.shape)
    elif mode == "wave":
        shape = (potential.configurations or 1, *potential.shape, 2)
    else:
        return ""
    return f"; the result takes {4 * np.prod(shape, dtype=float) / 2**20:,.0f} MiB"


def _check_output(output: str, suffixes: tuple[str, ...]) -> None:
    path = Path(output)
    if path.suffix not in suffixes:
        raise click.UsageError(f"--output {output}: a suffix of {' '.join(suffixes)} wanted with this mode.")
    if not path.parent.is_dir():
        raise click.UsageError(f"--output {output}: there is no folder {path.parent}.")


def _potential(structure: Path, options: dict[str, Any]) -> "Potential":
    from crewe import sim
    from crewe.sim.slab import read_atoms

    if not structure.is_file():
        raise click.UsageError(f"there is no file {structure}.")
    if options["zone"] is None and options["thickness"] is None:
        atoms = read_atoms(structure)
        if np.abs(atoms.cell - np.diag(np.diag(atoms.cell))).max() > 1e-6:
            raise click.UsageError(f"the cell of {structure} isn't orthogonal; with --thickness a slab is cut.")
    elif options["thickness"] is None:
        raise click.UsageError("--thickness wanted with --zone.")
    else:
        zone = options["zone"] or (0, 0, 1)
        atoms = sim.slab(
            structure, zone=zone, thickness=options["thickness"], size=options["size"], rotation=options["rotation"]
        )
    thermal: Any = None
    sigma = {name: numbers[0] for name, numbers in options["sigma"]}
    if options["phonons"]:
        spread = sigma.get("*", sigma) if "*" in sigma else sigma
        if not sigma:
            raise click.UsageError("--sigma wanted with --phonons, as in --sigma Si=0.078.")
        thermal = sim.FrozenPhonons(options["phonons"], spread, seed=options["seed"])
    gpts = options["gpts"]
    sampling = 0.05 if gpts is None and options["sampling"] is None else options["sampling"]
    return sim.Potential(
        atoms,
        sampling=sampling,
        gpts=gpts,
        slice_thickness=options["slice_thickness"],
        parametrization=options["table"],
        thermal=thermal,
    )


def _lens(options: dict[str, Any]) -> Any:
    from crewe.optics import Aberrations

    terms = {name: numbers[0] for name, numbers in options["aberration"]}
    if options["defocus"]:
        terms["C10"] = terms.get("C10", 0.0) - options["defocus"]
    try:
        return Aberrations(**terms)
    except TypeError as error:
        raise click.UsageError(f"--aberration: {error}") from None


def _run(mode: str, potential: "Potential", options: dict[str, Any], memory: int, store: str | None) -> Any:
    """The images by name, and the size of their pixels [Å] where they have one."""
    from crewe import sim

    common = {name: options[name] for name in ("energy", "threads", "device")} | {"memory": memory}
    if mode == "potential":
        slices = potential.slices(threads=options["threads"])
        return {mode: slices.sum(axis=-3).reshape(-1, *potential.shape).mean(axis=0)}, potential.sampling
    if mode == "wave":
        return sim.exit_wave(potential, **common), None
    lens = _lens(options)
    if mode == "hrtem":
        image = sim.hrtem(
            potential,
            aberrations=lens,
            aperture=options["aperture"],
            focal_spread=options["focal_spread"],
            angular_spread=options["angular_spread"],
            mode=options["coherence"],
            **common,
        )
        return {mode: image}, potential.sampling
    probe = {"semiangle": options["semiangle"], "aberrations": lens, **common}
    if mode == "cbed":
        places = options["position"] or [(potential.extent[0] / 2, potential.extent[1] / 2)]
        patterns = sim.cbed(potential, positions=np.array(places), **probe)
        return {mode: patterns.mean(axis=0)}, None
    step = tuple(length / n for length, n in zip(potential.extent, options["scan"], strict=True))
    if mode == "scan4d":
        path = str(store) if str(store).endswith(".zarr") else f"{store}.part.zarr"
        limits = {"max_angle": options["max_angle"], "bin": options["bin"]}
        return sim.scan4d(potential, scan=options["scan"], store=path, progress=True, **limits, **probe), step
    images = sim.stem(
        potential,
        scan=options["scan"],
        detectors=dict(options["detector"])
        or {"bf": (0.0, options["semiangle"] / 4), "adf": _ring(potential, options)},
        source_size=options["source_size"],
        electrons=options["electrons"],
        seed=options["seed"],
        progress=True,
        **probe,
    )
    return images, step


def _ring(potential: "Potential", options: dict[str, Any]) -> tuple[float, float]:
    """From twice the probe's angle to the band limit."""
    from crewe.sim._check import band_limit

    limit = band_limit(potential.sampling, options["energy"])
    return min(2 * options["semiangle"], 0.8 * limit), 0.999 * limit


def _finish(path: Path, array: Any, potential: "Potential", options: dict[str, Any], metadata: dict[str, Any]) -> None:
    """The finished Zarr array; for other formats turned into theirs."""
    if path.suffix == ".zarr":
        array.attrs["simulation"] = {key: _plain(value) for key, value in metadata.items()}
        click.echo(f"wrote {path}", err=True)
        return
    import shutil

    steps = [length / n for length, n in zip(potential.extent, options["scan"], strict=True)]
    write_scan(path, array, [*steps, *array.attrs["crewe"]["pixel_mrad"]], metadata)
    shutil.rmtree(f"{path}.part.zarr")
    click.echo(f"wrote {path}", err=True)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
