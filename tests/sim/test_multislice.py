"""Waves through slices against the definition in plain NumPy; laws; the same bits however the work is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe import _core, sim
from levels import at_all_levels
from reference import sim as reference

pytestmark = pytest.mark.filterwarnings("ignore:gpts")


def random_potential(shape, count=4, dtype=np.float64, seed=0, sampling=(0.11, 0.13), thickness=2.0, height=40.0):
    rng = np.random.default_rng(seed)
    slices = (rng.random((count, *shape)) * height).astype(dtype)
    return sim.Potential.from_array(slices, sampling=sampling, slice_thickness=thickness)


def reference_wave(potential, energy=200e3, **options):
    return reference.multislice(
        potential.slices().astype(float),
        potential.sampling,
        potential.thickness,
        sim.wavelength(energy),
        sim.interaction(energy),
        **options,
    )


def difference(got, want):
    assert got.shape == want.shape
    return np.linalg.norm(got - want) / np.linalg.norm(want)


SHAPES = [(32, 32), (64, 48), (45, 75), (49, 50), (21, 22), (97, 34), (128, 96), (2, 30), (36, 5), (17, 100)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 2e-13), (np.float32, 2e-6)])
def test_plane_wave(shape, dtype, tolerance):
    potential = random_potential(shape, dtype=dtype)
    got = sim.exit_wave(potential, energy=200e3)
    assert got.dtype == (np.complex64 if dtype == np.float32 else np.complex128)
    assert difference(got, reference_wave(potential)) < tolerance


@given(
    ny=st.integers(2, 90), nx=st.integers(2, 90), count=st.integers(1, 3), seed=st.integers(0, 99), double=st.booleans()
)
@settings(max_examples=40, deadline=None)
def test_any_grid_and_any_wave(ny, nx, count, seed, double):
    """Waves that aren't band-limited too."""
    potential = random_potential((ny, nx), count, np.float64 if double else np.float32, seed)
    rng = np.random.default_rng(seed)
    wave = rng.normal(size=(2, ny, nx)) + 1j * rng.normal(size=(2, ny, nx))
    wave = wave.astype(np.complex128 if double else np.complex64)
    got = sim.exit_wave(potential, energy=100e3, wave=wave)
    for one, out in zip(wave, got, strict=True):
        assert difference(out, reference_wave(potential, 100e3, wave=one)) < (5e-13 if double else 4e-6)


@pytest.mark.parametrize("n", [8, 16, 60, 64, 70, 100, 105, 128, 192, 256, 343, 512])
def test_transforms_come_back(n):
    rng = np.random.default_rng(n)
    wave = rng.normal(size=(n, 24)) + 1j * rng.normal(size=(n, 24))
    for dtype, tolerance in ((np.complex128, 1e-14), (np.complex64, 1e-6)):
        got = wave.astype(dtype)
        _core.sim_transform_pairs(got, 1)
        assert difference(got / got.size, wave.astype(dtype)) < tolerance


def test_large_phases():
    """exp(iσV) far from zero, where the reduction of the argument matters."""
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-3)):
        potential = random_potential((32, 32), 1, dtype, height=3e6)
        assert difference(sim.exit_wave(potential, energy=200e3), reference_wave(potential)) < tolerance


def test_listed_thickness_and_tilt():
    potential = random_potential((40, 36), 3, thickness=[1.0, 2.5, 0.7])
    got = sim.exit_wave(potential, energy=80e3, tilt=(5.0, -11.0))
    assert difference(got, reference_wave(potential, 80e3, tilt=(5e-3, -11e-3))) < 1e-12
    with pytest.raises(ValueError, match="tilt"):
        sim.exit_wave(potential, energy=80e3, tilt=(np.nan, 0))


def test_tilt_moves_the_wave_through_vacuum():
    vacuum = sim.Potential.from_array(np.zeros((5, 64, 64)), sampling=0.2, slice_thickness=10.0)
    probe = sim.probe(energy=200e3, semiangle=15.0, gpts=64, sampling=0.2, positions=[(6.0, 6.0)]).astype(complex)
    straight = sim.exit_wave(vacuum, energy=200e3, wave=probe)[0]
    tilted = sim.exit_wave(vacuum, energy=200e3, wave=probe, tilt=(0.0, 1e3 * np.arctan(0.8 / 50)))[0]
    np.testing.assert_allclose(tilted, np.roll(straight, -4, axis=1), atol=1e-9)


def test_planes_are_shorter_specimens():
    potential = random_potential((40, 36), 5)
    series = sim.exit_wave(potential, energy=200e3, planes=[1, 3, 5])
    assert difference(series, reference_wave(potential, planes=[1, 3, 5])) < 1e-12
    for wrong in ([], [0, 1], [3, 1], [6]):
        with pytest.raises(ValueError, match="planes"):
            sim.exit_wave(potential, energy=200e3, planes=wrong)


def test_energy_is_kept_in_vacuum_and_never_grows():
    vacuum = sim.Potential.from_array(np.zeros((20, 60, 54), np.float32), sampling=0.1, slice_thickness=2.0)
    np.testing.assert_allclose(sim.exit_wave(vacuum, energy=200e3), 1, atol=1e-5)
    potential = random_potential((60, 54), 20, np.float32)
    series = sim.exit_wave(potential, energy=200e3, planes=range(1, 21))
    energy = (np.abs(series.astype(complex)) ** 2).mean(axis=(1, 2))
    assert (np.diff(energy) < 1e-6).all()
    assert energy[0] < 1 + 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_and_memory_don_t_matter(dtype):
    """One wave in several threads, many waves, slices that don't fit: always the same bits."""
    potential = random_potential((64, 60), 7, dtype)
    rng = np.random.default_rng(1)
    wave = rng.normal(size=(5, 64, 60)) + 1j * rng.normal(size=(5, 64, 60))
    wave = wave.astype(np.complex64 if dtype == np.float32 else np.complex128)
    want = sim.exit_wave(potential, energy=200e3, wave=wave, threads=1)
    for options in ({"threads": 2}, {"threads": 7}, {"threads": 1, "memory": 1}, {"threads": 2, "memory": 300_000}):
        np.testing.assert_array_equal(sim.exit_wave(potential, energy=200e3, wave=wave, **options), want)
    for i in range(5):
        np.testing.assert_array_equal(sim.exit_wave(potential, energy=200e3, wave=wave[i], threads=3), want[i])


def test_instruction_sets_don_t_matter():
    """CREWE_ISA=base, v3 and the best one: the same bits of potential, wave and pattern."""
    script = (
        "import numpy as np, hashlib, sys\n"
        "from crewe import _core, sim\n"
        "rng = np.random.default_rng(5)\n"
        "h = hashlib.sha256()\n"
        "for dtype in (np.float32, np.float64):\n"
        "    for shape in [(64, 96), (45, 98), (34, 51)]:\n"
        "        v = (rng.random((3, *shape)) * 50).astype(dtype)\n"
        "        p = sim.Potential.from_array(v, sampling=0.1, slice_thickness=2.0)\n"
        "        h.update(sim.exit_wave(p, energy=200e3).tobytes())\n"
        "        h.update(sim.cbed(p, energy=200e3, semiangle=15.0, positions=[(1.0, 2.0)]).tobytes())\n"
        "        factors = rng.random((2, shape[0] // 2 + 1, shape[1] // 2 + 1))\n"
        "        out = np.empty((3, *shape), dtype)\n"
        "        y, x = rng.random((2, 300))\n"
        "        first = np.array([0, 40, 80, 80, 200, 210, 300])\n"
        "        _core.sim_project(factors, y, x, first, out, 0)\n"
        "        h.update(out.tobytes())\n"
        "print(h.hexdigest())\n"
    )
    at_all_levels(script)


def test_wrong_waves_are_refused():
    potential = random_potential((20, 24), 1, np.float32)
    with pytest.raises(TypeError, match="complex64"):
        sim.exit_wave(potential, energy=200e3, wave=np.ones((20, 24)))
    with pytest.raises(ValueError, match="wave"):
        sim.exit_wave(potential, energy=200e3, wave=np.ones((24, 20), np.complex64))
    with pytest.raises(ValueError, match="wave"):
        sim.exit_wave(potential, energy=200e3, wave=np.full((20, 24), np.nan, np.complex64))
    with pytest.raises(TypeError, match="potential"):
        sim.exit_wave(np.ones((1, 20, 24)), energy=200e3)
    with pytest.raises(ValueError, match="eV"):
        sim.exit_wave(potential, energy=200)
    with pytest.raises(ValueError, match="device"):
        sim.exit_wave(potential, energy=200e3, device="tpu")


def test_a_gpu_that_isn_t_there():
    from crewe import cuda

    if not cuda.available():
        assert cuda.why_not()
        with pytest.raises(sim_device_error(), match="cuda"):
            sim.exit_wave(random_potential((20, 24), 1, np.float32), energy=200e3, device="cuda")


def sim_device_error():
    import crewe

    return crewe.DeviceError


def test_core_guards_its_memory():
    engine = _core.Multislice32((20, 24), (0.1, 0.1), 0.025, 7e-4, [2.0], (0.0, 0.0))
    waves = _core.Waves32(engine, 2)
    one = np.zeros(1, np.uint32)
    with pytest.raises(IndexError):
        waves.advance(one, one, 1)
    with pytest.raises(IndexError):
        engine.load(0, np.zeros((1, 20, 24), np.float32), 1)
    engine.reserve(1)
    with pytest.raises(ValueError, match="potential"):
        engine.load(0, np.zeros((1, 24, 20), np.float32), 1)
    with pytest.raises(TypeError):
        engine.load(0, np.zeros((1, 20, 24)), 1)
    engine.load(0, np.zeros((1, 20, 24), np.float32), 1)
    with pytest.raises(ValueError, match="slice"):
        waves.signals(np.zeros((1, 20, 24), np.float32), 1.0, np.zeros((2, 1)), 1)
    waves.advance(one, one, 1)
    rows, columns = np.zeros(20, np.int32), np.full(24, 3, np.int32)
    with pytest.raises(IndexError):
        waves.intensity(rows, columns, 1.0, np.zeros((2, 1, 3), np.float32), 1)
    with pytest.raises(ValueError, match="out"):
        waves.wave(np.zeros((1, 20, 24), np.complex64), 1)
