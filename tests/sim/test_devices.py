"""The multislice on every device against the definition in plain NumPy: float32, sums in whatever order."""

import numpy as np
import pytest

from crewe import sim
from crewe.errors import DeviceError
from crewe.sim._scan import Pattern, Probes
from reference import sim as reference

ENERGY = 100e3
LENS = sim.Aberrations(C10=-60.0, C12=25.0, phi12=0.4, C30=2e5)
OPTICS = {"energy": ENERGY, "semiangle": 18.0, "aberrations": LENS}
PLACES = np.array([[0.0, 0.0], [1.23, 0.77], [-2.0, 11.0]])
DETECTORS = {"bf": (0, 9), "adf": (30.0, 90.0), "sector": sim.Sector(10, 60, 0.3, 1.1)}


def a_potential(shape=(30, 28), count=3, seed=0):
    slices = (np.random.default_rng(seed).random((count, *shape)) * 60).astype(np.float32)
    return sim.Potential.from_array(slices, sampling=(0.12, 0.1), slice_thickness=[2.0, 1.5, 2.5][:count])


def moving(configurations=3, **options):
    """Atoms of three kinds, one of which stands alone in its slice; even and odd grids."""
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("SrTiO2", positions=[(1, 1, 1), (3, 1.5, 2.5), (2.2, 4, 3.5), (0.1, 2.0, 3.1)], cell=[5, 6, 4])
    thermal = sim.FrozenPhonons(configurations, 0.1, seed=2) if configurations else None
    return sim.Potential(atoms, **{"gpts": (48, 45), "thermal": thermal} | options)


def through(slices, potential, **options):
    constants = sim.wavelength(ENERGY), sim.interaction(ENERGY)
    return reference.multislice(slices.astype(float), potential.sampling, potential.thickness, *constants, **options)


def patterns_of(potential, places=PLACES, **options):
    """(places, ny, nx), averaged over configurations."""
    stacks = potential.slices().reshape(-1, len(potential), *potential.shape)
    total = np.zeros((len(places), *potential.shape))
    for stack in stacks:
        for pattern, place in zip(total, places, strict=True):
            wave = reference.probe(
                potential.shape,
                potential.sampling,
                sim.wavelength(ENERGY),
                18e-3,
                lambda alpha, phi: LENS.chi(alpha, phi, energy=ENERGY),
                place,
            )
            pattern += reference.pattern(through(stack, potential, wave=wave, **options)) / len(stacks)
    return total


def difference(got, want):
    assert got.shape == want.shape
    return np.linalg.norm(got - want) / np.linalg.norm(want)


@pytest.mark.parametrize("shape", [(32, 32), (30, 28), (21, 40), (49, 16), (2, 30), (36, 5), (15, 56), (64, 25)])
def test_plane_wave(device, shape):
    potential = a_potential(shape)
    got = sim.exit_wave(potential, energy=ENERGY, device=device.name)
    assert got.dtype == np.complex64
    assert difference(got, through(potential.slices(), potential)) < 3e-6


@pytest.mark.parametrize("shape", [(24, 20), (35, 27)])
def test_any_wave(device, shape):
    """Waves that aren't band-limited, several planes, a tilted beam."""
    potential, rng = a_potential(shape), np.random.default_rng(1)
    waves = (rng.normal(size=(2, 3, *shape)) + 1j * rng.normal(size=(2, 3, *shape))).astype(np.complex64)
    got = sim.exit_wave(potential, energy=ENERGY, wave=waves, planes=[1, 3], tilt=(3.0, -5.0), device=device.name)
    assert got.shape == (2, 2, 3, *shape)
    for i, j in np.ndindex(2, 3):
        for plane, halt in enumerate((1, 3)):
            want = through(potential.slices(), potential, wave=waves[i, j], tilt=(3e-3, -5e-3), planes=[halt])
            assert difference(got[plane, i, j], np.squeeze(want)) < 5e-6


@pytest.mark.parametrize("gpts", [(48, 45), (45, 42), (40, 64)])
def test_atoms(device, gpts):
    """Structure factors, at even and odd numbers of pixels."""
    potential = moving(0, gpts=gpts, slice_thickness=[1.5, 0.5, 2.0])
    got = sim.exit_wave(potential, energy=ENERGY, device=device.name)
    assert difference(got, through(potential.slices(), potential)) < 5e-6


def test_patterns_of_moving_atoms(device):
    potential = moving()
    got = sim.cbed(potential, positions=PLACES, planes=[1, 2], device=device.name, **OPTICS)
    assert got.shape == (2, 3, 48, 45)
    assert got.dtype == np.float32
    assert difference(got[1], patterns_of(potential)) < 1e-5
    one = sim.cbed(potential, positions=PLACES, planes=[1], **OPTICS)
    assert difference(got[0], one[0]) < 1e-5


def test_parts_of_patterns(device):
    """The diffuse part is a small difference: its error is that of the whole."""
    options = {"positions": PLACES[:2], **OPTICS}
    whole = np.linalg.norm(sim.cbed(moving(), **options))
    for part in ("elastic", "diffuse"):
        got, want = (sim.cbed(moving(), part=part, device=d, **options) for d in (device.name, "cpu"))
        assert np.linalg.norm(got - want) / whole < 1e-5


def test_signals(device):
    """Detectors against the patterns that they see; they don't depend on what is asked for beside them."""
    potential = moving()
    y, x = np.ogrid[-24:24, -22:23]
    mask = np.where(np.hypot(y, x) < 12, np.random.default_rng(0).random(potential.shape), 0).astype(np.float32)
    got = sim.stem(potential, positions=PLACES, detectors={**DETECTORS, "mask": mask}, device=device.name, **OPTICS)
    want = sim.stem(potential, positions=PLACES, detectors=DETECTORS, **OPTICS)
    for name in DETECTORS:
        assert difference(got[name], want[name]) < 1e-5
    patterns = sim.cbed(potential, positions=PLACES, **OPTICS)
    assert difference(got["mask"], (patterns * mask).sum(axis=(1, 2))) < 1e-5


def test_little_memory(device):
    """Slices that don't fit are made again; waves go in parts."""
    potential = moving(2, slice_thickness=0.5)
    options = {"positions": PLACES, "detectors": DETECTORS, "device": device.name, **OPTICS}
    want, got = sim.stem(potential, **options), sim.stem(potential, memory=200_000, **options)
    for name in DETECTORS:
        assert difference(got[name], want[name]) < 1e-6
    series = {"positions": PLACES, "planes": [2, 4, 6, 8], "device": device.name, **OPTICS}
    assert difference(sim.cbed(potential, memory=400_000, **series), sim.cbed(potential, **series)) < 1e-6
    stack = a_potential((30, 28))
    want, got = (sim.exit_wave(stack, energy=ENERGY, device=device.name, memory=m) for m in (2**26, 30_000))
    assert difference(got, want) < 1e-6


def test_scan(device):
    """4D scans, binned; their mean; with a bar on a terminal that isn't there."""
    potential, scan = moving(2), {"scan": (2, 3), "device": device.name, **OPTICS}
    places = np.stack(np.meshgrid([0.0, 3.0], [0.0, 5 / 3, 10 / 3], indexing="ij"), axis=-1)
    full = sim.cbed(potential, positions=places, device=device.name, **OPTICS)
    assert difference(sim.pacbed(potential, **scan), full.mean(axis=(0, 1))) < 1e-5
    assert difference(sim.scan4d(potential, **scan), full) < 1e-6
    binned, want = (
        sim.scan4d(potential, max_angle=60.0, bin=3, progress=d != "cpu", **scan | {"device": d})
        for d in (device.name, "cpu")
    )
    assert difference(binned, want) < 1e-5


def test_patterns_and_waves_at_once(device):
    """What AIRPI's samples are made of."""
    potential = moving(2)
    pattern = Pattern.of(potential, ENERGY, 60.0)
    got = Probes.of(potential, device=device.name, **OPTICS).means(PLACES, pattern)
    want = sim.scan4d(potential, positions=PLACES, max_angle=60.0, **OPTICS)
    assert difference(got[0], want) < 1e-5
    assert difference(got[1], Probes.of(potential, planes=[2], **OPTICS).exit_waves(PLACES)[:, 0].mean(axis=0)) < 1e-5


def test_exit_waves3x3(device):
    options = {"positions": (1.0, 2.0), "step": 0.3, **OPTICS}
    got, want = (sim.exit_waves3x3(moving(2), device=d, **options) for d in (device.name, "cpu"))
    assert got.shape == (2, 3, 3, 48, 45)
    assert difference(got, want) < 1e-5


def test_images_and_diffraction(device):
    potential = moving(2)
    got, want = (sim.diffraction(potential, energy=ENERGY, device=d) for d in (device.name, "cpu"))
    assert difference(got, want) < 1e-5
    got, want = (sim.hrtem(potential, energy=ENERGY, aberrations=LENS, device=d) for d in (device.name, "cpu"))
    assert difference(got, want) < 1e-5


def test_the_same_bits_every_time(device):
    first, again = (
        sim.stem(moving(), positions=PLACES, detectors=DETECTORS, device=device.name, **OPTICS) for _ in range(2)
    )
    for name in DETECTORS:
        assert np.array_equal(first[name], again[name])


def test_the_second_gpu(gpu):
    from crewe import cuda

    if len(cuda.devices()) < 2:
        pytest.skip("one GPU only")
    got, want = (sim.exit_wave(a_potential(), energy=ENERGY, device=d) for d in ("cuda:1", "cuda"))
    assert np.array_equal(got, want)
    with pytest.raises(DeviceError, match="devices"):
        sim.exit_wave(a_potential(), energy=ENERGY, device="cuda:99")


def test_what_a_gpu_refuses(gpu):
    double = sim.Potential.from_array(np.zeros((1, 32, 32)), sampling=0.1, slice_thickness=1.0)
    with pytest.raises(TypeError, match="potential: float32"):
        sim.exit_wave(double, energy=ENERGY, device="cuda")
    with pytest.raises(ValueError, match=r"22 pixels along y.*factors"):
        sim.exit_wave(a_potential((22, 30)), energy=ENERGY, device="cuda")
    with pytest.raises(ValueError, match="device"):
        sim.stem(a_potential(), positions=PLACES, detectors=DETECTORS, device="gpu", **OPTICS)


def test_command(gpu, tmp_path, monkeypatch):
    """The same numbers as on the CPU."""
    ase = pytest.importorskip("ase")
    from crewe.cli import run

    ase.Atoms("Si", positions=[(1, 1, 1)], cell=[4, 4, 2], pbc=True).write(tmp_path / "one.xyz")
    monkeypatch.chdir(tmp_path)
    options = ["--gpts", "32x32", "--scan", "2x2", "--detector", "bf=0:20"]
    for device in ("cpu", "cuda"):
        assert run(["simulate", "one.xyz", *options, "--device", device, "--output", f"{device}.npy"]) == 0
    np.testing.assert_allclose(np.load("cuda.npy"), np.load("cpu.npy"), rtol=1e-5)
