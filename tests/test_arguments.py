"""Wrong arguments of public functions: a TypeError or ValueError that names the argument; never a guess, never a crash.

Every function is called once as it should be, then with each of its arguments replaced by what it can't be: numbers by
text, NaN and lists, arrays by arrays of other types and shapes, names by unknown ones.
"""

import importlib
import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest

import crewe
from crewe import atoms, imaging, live, metrics, noise, optics, plot, restore, sim, specimen, strain

rng = np.random.default_rng(0)
FRAMES = rng.poisson(9, (4, 4, 16, 16)).astype(np.uint8)
COM = rng.normal(size=(6, 5, 2)).astype(np.float32)
IMAGE = rng.random((24, 32), np.float32)
LATTICE = np.stack(np.meshgrid(10.0 * np.arange(6), 12.0 * np.arange(6), indexing="ij"), -1).reshape(-1, 2)
VACUUM = sim.Potential.from_array(np.zeros((1, 32, 32), np.float32), sampling=0.1, slice_thickness=2.0)
COLUMNS = atoms.Columns([[8.0, 9.0], [15.0, 20.0]], [9.0, 5.0], 2.0)
ATOM = SimpleNamespace(numbers=[14], positions=[[1.0, 0.5, 0.0]])
GRATING = (np.sin(np.arange(32) / 2)[:, None] + np.sin(np.arange(32) / 3)).astype(np.float32)

BEAM = {"energy": 200e3, "semiangle": 20.0}
PHASE = {**BEAM, "step": 0.25, "angle_per_pixel": 4.0}
HALTS = {"tilt": (1.0, 2.0), "planes": [1]}
WAVES = {"threads": 1, "memory": 2**28}
DRAWN = {"seed": 1, "threads": 1}

#: Function → its arguments, by name.
CALLS = {
    imaging.com: {"frames": FRAMES, "center": (7.0, 8.0), "mask": np.ones((16, 16)), "threads": 1},
    imaging.virtual_image: {"frames": FRAMES, "inner": 1.0, "outer": 4.0, "center": (7.0, 8.0), "threads": 1},
    imaging.rotate: {"com": COM, "angle": 0.3},
    imaging.fit_rotation: {"com": COM},
    imaging.ricom: {"com": COM, "kernel": 5, "low": 0.01, "high": 0.4, "step": 0.5, "threads": 1},
    imaging.ricom_kernel: {"kernel": 5, "low": 0.01, "high": 0.4, "shape": (8, 8)},
    imaging.ricom_transfer: {"kernel": 5, "low": 0.01, "high": 0.4, "shape": (8, 8)},
    imaging.icom: {"com": COM, "step": 0.5, "high_pass": 0.02, "threads": 1},
    imaging.idpc: {
        "segments": np.ones((4, 5, 5), np.float32),
        "angles": np.array([0.0, 1.5, 3.0, 4.5]),
        "radius": 2.0,
        "step": 0.5,
        "high_pass": 0.02,
        "threads": 1,
    },
    imaging.electric_field: {"com": COM, "energy": 200e3, "angle_per_pixel": 0.1},
    imaging.ssb: {"frames": FRAMES, **PHASE, "rotation": 0.1, "center": (7.0, 8.0), "wiener": 1.0, "threads": 1},
    imaging.airpi: {"frames": FRAMES, **PHASE, "rotation": 0.1, "center": (7.0, 8.0), "oversample": 1, "threads": 1},
    optics.wavelength: {"energy": 200e3},
    optics.interaction: {"energy": 200e3},
    optics.scherzer: {"Cs": 1e7, "energy": 200e3},
    sim.probe: {**BEAM, "gpts": 32, "sampling": 0.1, "positions": [(1.0, 2.0)]},
    sim.exit_wave: {"potential": VACUUM, "energy": 200e3, **HALTS, **WAVES},
    sim.hrtem: {
        "wave_or_potential": np.ones((32, 32), np.complex64),
        "energy": 200e3,
        "aperture": 20.0,
        "focal_spread": 30.0,
        "angular_spread": 0.1,
        "mode": "envelope",
        "sampling": 0.1,
        **WAVES,
    },
    sim.cbed: {"potential": VACUUM, **BEAM, "positions": [(1.0, 2.0)], **HALTS, "part": "total", **WAVES},
    sim.diffraction: {"potential": VACUUM, "energy": 200e3, **HALTS, "part": "total", **WAVES},
    sim.pacbed: {"potential": VACUUM, **BEAM, "scan": (2, 2), "tilt": (1.0, 2.0), **WAVES},
    sim.scan4d: {"potential": VACUUM, **BEAM, "scan": (2, 2), "max_angle": 30.0, "bin": 2, "tilt": (1.0, 2.0), **WAVES},
    sim.stem: {
        "potential": VACUUM,
        **BEAM,
        "scan": (2, 2),
        "detectors": {"all": (0, 40)},
        "source_size": 0.5,
        "electrons": 10.0,
        "seed": 1,
        **HALTS,
        **WAVES,
    },
    sim.exit_waves3x3: {"potential": VACUUM, **BEAM, "positions": [(1.0, 2.0)], "step": 0.2, **WAVES},
    sim.estimate: {"potential": VACUUM, "energy": 200e3, "waves": 2, **WAVES},
    sim.Prism: {"potential": VACUUM, **BEAM, "interpolation": 1, **WAVES},
    sim.scattering_factor: {"symbol": "Si", "g": 0.1, "parametrization": "kirkland"},
    sim.segments: {"inner": 5.0, "outer": 20.0, "count": 4, "start": 0.1},
    sim.FrozenPhonons: {"configurations": 2, "sigma": 0.1, "seed": 1},
    sim.DebyeWaller: {"sigma": 0.1},
    noise.shot: {"image": IMAGE, **DRAWN},
    noise.pmt: {"image": IMAGE, "width": 0.2, "pedestal": 0.1, **DRAWN},
    noise.pmt_width: {"photons": 100.0, "efficiency": 0.25, "gain": 4.0},
    noise.jitter: {"image": IMAGE, "sigma": 0.3, "phi": 0.5, "pixel_size": 1.0, **DRAWN},
    noise.unshift: {"data": IMAGE, "shifts": np.zeros((24, 2)), "threads": 1},
    noise.fast_scan: {"image": IMAGE, "alpha": 2.0, "beta": 1.0, "gamma": 10.0, "theta": 0.7, "threads": 1},
    noise.row_lines: {"image": IMAGE, "count": 2, "length": (0.1, 0.2), "factor": (0.5, 1.0), **DRAWN},
    noise.mtf: {"image": IMAGE, "a": 0.5, "b": 0.5, "c": 0.5, "threads": 1},
    noise.fixed_pattern: {"image": IMAGE, "sigma": 0.1, "sensor": 1, "threads": 1},
    noise.dark_current: {"image": IMAGE, "mean": 1.0, "std": 0.5, "hot": 0.01, "sensor": 1, **DRAWN},
    noise.thermal: {"image": IMAGE, "sigma": 0.1, **DRAWN},
    noise.flicker: {"image": IMAGE, "sigma": 0.1, **DRAWN},
    noise.reset: {"image": IMAGE, "sigma": 0.1, **DRAWN},
    noise.black_pixels: {"image": IMAGE, "count": 2, "steps": 1, "level": (0.1, 0.2), **DRAWN},
    noise.zingers: {"image": IMAGE, "count": 2, "steps": 1, "gain": (3.0, 4.0), **DRAWN},
    noise.clip: {"image": IMAGE, "maximum": 0.5, "threads": 1},
    noise.quantise: {"image": IMAGE, "bits": 8, "full_scale": 1.0, "offset": 0.1, "threads": 1},
    noise.gaussian_blur: {"image": IMAGE, "sigma": 1.0, "threads": 1},
    noise.interpolate: {"image": IMAGE, "matrix": np.eye(2), "threads": 1},
    noise.crop: {"image": IMAGE, "box": (1, 1, 9, 9), "fill": 0.5, "threads": 1},
    noise.annotate: {"image": IMAGE, "kind": "bar", "at": (1, 1), "size": (2, 9), "value": 1.0, "text": "2 nm"},
    noise.stem: {"image": IMAGE, "pixel_size": 0.2, "electrons_per_pixel": 9.0, **DRAWN, "bits": 8},
    noise.sem: {"image": IMAGE, "pixel_size": 0.2, "electrons_per_pixel": 9.0, **DRAWN, "bits": 8},
    noise.tem: {"image": IMAGE, "electrons_per_pixel": 9.0, **DRAWN, "sensor": 1, "thermal": {"sigma": 0.1}, "bits": 8},
    noise.random_settings: {"kind": "stem", "seed": 1, "shape": (64, 64)},
    specimen.random_specimen: {"kind": "low", "shape": (32, 32), "pixel_size": 0.5, **DRAWN},
    specimen.render: {
        "atoms": ATOM, "shape": (8, 8), "pixel_size": 0.5, "model": {14: (1.0, 0.0, 0.0, 4.0, 0.3)}, "threads": 1,
    },
    specimen.random_model: {"numbers": [8, 38], "seed": 1},
    specimen.pairs: {"mode": "stem-lr", "shape": (32, 32), "batch": 1, **DRAWN},
    specimen.place: {
        "crystal": "Au", "shape": (8, 8), "pixel_size": 0.5, "zone": (0, 0, 1), "thickness": 9.0, "rotation": 0.1,
    },
    restore.scan_shifts: {"raw": IMAGE, "restored": IMAGE, "threads": 1},
    restore.restore: {"image": np.ones((8, 8), np.uint8), "tile": 64, "threads": 1},
    atoms.find: {"image": IMAGE, "model": "log", "threshold": 0.5, "window": 3},
    atoms.propose: {"image": IMAGE, "model": "log", "threshold": 0.5, "window": 3},
    atoms.nms: {"boxes": np.array([[0.0, 0, 2, 2]]), "scores": np.array([1.0]), "iou": 0.3},
    atoms.fit: {"image": COLUMNS.image((24, 32)), "positions": COLUMNS.positions, "pixel_size": 1.0, "threads": 1},
    atoms.crlb: {"columns": COLUMNS, "shape": (24, 32), "dose": 9.0, "pixel_size": 1.0, "threads": 1},
    COLUMNS.image: {"shape": (24, 32), "pixel_size": 1.0, "threads": 1},
    atoms.count: {"scs": np.array([1.0, 2.0, 1.1, 2.1]), "components": 2},
    atoms.count_series: {"scs": np.array([[1.0, 2.0, 1.1, 2.1]] * 3), "components": 2},
    atoms.score: {"found": LATTICE, "truth": LATTICE, "tolerance": 1.0},
    atoms.label: {"images": np.stack([GRATING, GRATING])},
    strain.lattice: {"positions": LATTICE},
    strain.displacement: {"positions": LATTICE, "basis": np.diag([10.0, 12.0]), "indices": LATTICE.round()},
    strain.from_positions: {"positions": LATTICE, "reference": np.diag([10.0, 12.0]), "reach": 1.1, "precision": 0.1},
    strain.burgers: {"positions": LATTICE, "around": (25.0, 30.0), "radius": 20.0, "basis": np.diag([10.0, 12.0])},
    strain.gpa: {"image": GRATING, "g1": (0.08, 0.0), "g2": (0.0, 0.05), "sigma": 0.02, "threads": 1},
    metrics.mse: {"a": IMAGE, "b": IMAGE, "threads": 1},
    metrics.psnr: {"truth": IMAGE, "image": IMAGE, "peak": 2.0, "threads": 1},
    metrics.cross_correlation: {"a": IMAGE, "b": IMAGE, "threads": 1},
    metrics.ssim: {"a": IMAGE, "b": IMAGE, "radius": 4, "threads": 1},
    metrics.ssim_map: {"a": IMAGE, "b": IMAGE, "radius": 4, "threads": 1},
    metrics.cw_ssim: {"a": GRATING, "b": GRATING, "scales": 2, "orientations": 4, "threads": 1},
    metrics.cw_ssim_map: {"a": GRATING, "b": GRATING, "scales": 2, "orientations": 4, "threads": 1},
    metrics.unit_cell: {"reference": np.tile(GRATING[:, :19], (2, 3))},
    metrics.unit_cell_map: {"reference": IMAGE, "image": IMAGE, "cell": 8.0, "metric": "mse", "threads": 1},
    metrics.precipitate_size: {"map": np.array([[0.1, 0.5]]), "cell": 5.0, "threshold": 0.2, "background": 0.1},
    metrics.fit_threshold: {
        "maps": np.array([[0.1, 0.5]]), "inside": np.array([[False, True]]), "background": 0.1,
    },
    plot.vectors: {"field": COM, "largest": 1.0},
    plot.show: {"images": {"a": IMAGE}, "step": 0.5, "columns": 2, "size": 3.0},
    plot.strain: {"parts": rng.normal(size=(4, 8, 8)), "limit": 0.1, "size": 3.0},
    live.RiCOM: {"kernel": 5, "low": 0.01, "high": 0.4},
    live.VirtualDetector: {"inner": 1.0, "outer": 4.0},
    live.ICOM: {"high_pass": 0.02},
    live.ElectricField: {"energy": 200e3, "angle_per_pixel": 0.1},
    live.SSB: {**PHASE, "wiener": 1.0},
    live.AIRPI: {**PHASE, "ahead": 4},
    live.Session: {
        "scan": (4, 4),
        "detector": (16, 16),
        "images": {"sum": live.VirtualDetector()},
        "center": (7.0, 8.0),
        "rotation": 0.1,
        "threads": 1,
        "on_full": "block",
        "dead_pixels": np.zeros((16, 16), bool),
        "dark": np.zeros((16, 16)),
        "com_radii": (1.0, 4.0),
        "order": "raster",
        "flyback": 1,
        "skip": 1,
        "queue": 4,
    },
}  # fmt: skip


def wrong_numbers(value):
    """What no argument that is a number takes; `value`: what this one takes."""
    yield from (f"{value}", [value, value, value], 1j, float("nan"), 10**400)
    if isinstance(value, int):
        yield from (1.5, True, 2**70)


def wrong_rows(value):
    """What no argument that is two or more numbers takes."""
    yield from (value[:1], "ab", tuple("a" for _ in value), tuple(float("nan") for _ in value))


def wrong_arrays(value):
    """What no argument that is an array takes; of other types, without axes, text, with a NaN."""
    yield from (np.full(value.shape, "a"), value.astype(object), np.array(1.0)[()], "abc")
    if value.dtype.kind in "fu":
        yield value.astype(complex)
    if value.dtype.kind in "fc":
        broken = value.copy()
        broken.flat[0] = np.nan
        yield broken


def wrong_values(value):
    """What can't stand where this value can."""
    if isinstance(value, np.ndarray):
        return wrong_arrays(value)
    if isinstance(value, str):
        return ("no such", 3, ["a"])
    if isinstance(value, int | float):
        return wrong_numbers(value)
    if isinstance(value, tuple):
        return wrong_rows(value)
    return ("abc", 3)


#: NaN is drawn or left out.
NAN_TOO = {
    *("rotate.com", "unshift.data", "precipitate_size.map", "fit_threshold.maps", "vectors.field", "strain.parts"),
}
#: Arrays do as well as numbers.
ARRAYS_TOO = {"scattering_factor.g", "FrozenPhonons.sigma"}
#: Masks of any type, any text, any image.
ANYTHING = {"fit_threshold.inside", "annotate.text", "show.images"}


def complaint(function, arguments):
    """What a function says to these arguments; empty where it takes them."""
    try:
        function(**arguments)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__qualname__)
def test_wrong_arguments_are_named(function):
    right, parameters = CALLS[function], inspect.signature(function).parameters
    function(**right)
    for name, value in right.items():
        place = f"{function.__qualname__}.{name}"
        wrong = [] if place in ANYTHING else [*wrong_values(value)]
        if parameters[name].default is not None:
            wrong.append(None)
        for bad in wrong:
            if place in NAN_TOO and np.asarray(bad).dtype.kind == "f" and np.isnan(bad).any():
                continue
            if place in ARRAYS_TOO and isinstance(bad, list):
                continue
            assert re.search(rf"\b{name}\b", complaint(function, right | {name: bad})), f"{name}={bad!r}"


#: Files, sockets, GPUs, networks and sources: their own tests look at what goes wrong.
ELSEWHERE = {
    *("asarray", "available", "devices", "pinned", "why_not"),
    *("decode_mib", "decode_tpx3", "feed", "list", "listen", "load", "load_statstem", "open", "replay", "run", "save"),
    *("multislice", "save_columns", "sift", "slab", "structure"),
}


def test_all_functions_are_looked_at():
    public = {
        name
        for module in crewe._MODULES
        for name in importlib.import_module(f"crewe.{module}").__all__
        if inspect.isfunction(getattr(importlib.import_module(f"crewe.{module}"), name))
    }
    assert public - {function.__name__ for function in CALLS} - ELSEWHERE == set()


@pytest.mark.parametrize(
    "function",
    [function for function in CALLS if "out" in inspect.signature(function).parameters],
    ids=lambda function: function.__name__,
)
def test_wrong_room_for_results_is_refused(function):
    closed = IMAGE.copy()
    closed.flags.writeable = False
    for out in ([0.0], IMAGE.astype(np.float64), IMAGE[1:].copy(), IMAGE.repeat(2, axis=1)[:, ::2], closed):
        assert "out" in complaint(function, CALLS[function] | {"out": out})
