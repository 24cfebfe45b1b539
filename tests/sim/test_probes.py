"""Probes, patterns, signals and scans against the definition in plain NumPy, and against each other."""

import numpy as np
import pytest

from crewe import sim
from crewe.sim._scan import Pattern
from reference import sim as reference

ENERGY = 100e3
LENS = sim.Aberrations(C10=-60.0, C12=25.0, phi12=0.4, C30=2e5, C23=900.0, phi23=-1.0)
OPTICS = {"energy": ENERGY, "semiangle": 18.0, "aberrations": LENS}
PLACES = np.array([[0.0, 0.0], [1.23, 0.77], [3.9, 1.95], [-2.0, 11.0]])


def a_potential(shape=(60, 72), count=5, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    slices = (rng.random((count, *shape)) * 60).astype(dtype)
    return sim.Potential.from_array(slices, sampling=(0.11, 0.1), slice_thickness=2.0)


def moving(configurations=3, **options):
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("SrTiO", positions=[(1, 1, 1), (3, 1.5, 2.5), (2.2, 4, 3.5)], cell=[5, 6, 4])
    thermal = sim.FrozenPhonons(configurations, 0.1, seed=2) if configurations else None
    return sim.Potential(atoms, gpts=(72, 60), thermal=thermal, **options)


def chi(alpha, phi):
    return LENS.chi(alpha, phi, energy=ENERGY)


def reference_probe(potential, place, **options):
    lam = sim.wavelength(ENERGY)
    return reference.probe(potential.shape, potential.sampling, lam, 18e-3, chi, place, **options)


def reference_pattern(potential, place, **options):
    wave = reference_probe(potential, place)
    constants = sim.wavelength(ENERGY), sim.interaction(ENERGY)
    slices = potential.slices()
    return reference.pattern(
        reference.multislice(slices, potential.sampling, potential.thickness, *constants, wave=wave, **options)
    )


def difference(got, want):
    assert got.shape == want.shape
    return np.linalg.norm(got - want) / np.linalg.norm(want)


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("shape", [(60, 72), (45, 50)])
def test_probe(soft, shape):
    potential = a_potential(shape, 1)
    got = sim.probe(gpts=shape, sampling=(0.11, 0.1), positions=PLACES, soft=soft, **OPTICS)
    assert got.dtype == np.complex64
    for wave, place in zip(got, PLACES, strict=True):
        assert difference(wave, reference_probe(potential, place, soft=soft)) < 1e-6
        assert (np.abs(np.fft.fft2(wave)) ** 2).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(60, 72), (45, 50), (64, 64)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_patterns(shape, dtype, tolerance):
    potential = a_potential(shape, dtype=dtype)
    got = sim.cbed(potential, positions=PLACES, **OPTICS)
    assert got.dtype == dtype
    for pattern, place in zip(got, PLACES, strict=True):
        assert difference(pattern, reference_pattern(potential, place)) < tolerance


def test_patterns_of_a_thickness_series():
    potential = a_potential()
    got = sim.cbed(potential, positions=PLACES[1], planes=[2, 5], **OPTICS)
    assert difference(got, reference_pattern(potential, PLACES[1], planes=[2, 5])) < 1e-12


def test_patterns_are_averaged_over_configurations():
    potential = moving(3, dtype=np.float64)
    got = sim.cbed(potential, positions=PLACES[:2], **OPTICS)
    one_by_one = [
        sim.cbed(
            sim.Potential.from_array(s, sampling=potential.sampling, slice_thickness=potential.thickness),
            positions=PLACES[:2],
            **OPTICS,
        )
        for s in potential.slices()
    ]
    assert difference(got, np.mean(one_by_one, axis=0)) < 1e-12


def test_signals_are_sums_of_patterns():
    potential = moving(2, dtype=np.float64)
    rng = np.random.default_rng(0)
    ky, kx = (np.fft.fftshift(np.fft.fftfreq(n, d)) for n, d in zip(potential.shape, potential.sampling, strict=True))
    alpha = sim.wavelength(ENERGY) * np.hypot(ky[:, None], kx) * 1e3
    mask = rng.random(potential.shape) * (alpha < 100)
    rings = {"bf": (0, 10), "adf": (25, 60.5), "mask": mask, "sector": sim.Sector(10, 50, 0.2, 1.1)}
    got = sim.stem(potential, positions=PLACES.reshape(2, 2, 2), detectors=rings, **OPTICS)
    patterns = sim.cbed(potential, positions=PLACES, **OPTICS)
    phi = np.arctan2(ky[:, None], kx + 0 * ky[:, None])
    weights = {
        "bf": alpha < 10,
        "adf": (alpha >= 25) & (alpha < 60.5),
        "mask": mask,
        "sector": (alpha >= 10) & (alpha < 50) & ((phi - 0.2) % (2 * np.pi) < 1.1),
    }
    for name, weight in weights.items():
        want = (patterns * weight).sum(axis=(1, 2)).reshape(2, 2)
        np.testing.assert_allclose(got[name], want, rtol=1e-6, err_msg=name)


def test_segments_make_up_their_ring():
    potential = a_potential()
    parts = sim.segments(10, 40, 4, start=0.3)
    got = sim.stem(potential, positions=PLACES, detectors={**parts, "ring": (10, 40)}, **OPTICS)
    np.testing.assert_allclose(sum(got[name] for name in parts), got["ring"], rtol=1e-9)


def test_a_thickness_series_of_images():
    potential = a_potential()
    series = sim.stem(potential, positions=PLACES, detectors={"a": (20, 60)}, planes=[1, 5], **OPTICS)["a"]
    assert series.shape == (2, 4)
    full = sim.stem(potential, positions=PLACES, detectors={"a": (20, 60)}, **OPTICS)["a"]
    np.testing.assert_array_equal(series[1], full)


@pytest.mark.parametrize("memory", [2**30, 1, 200_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_memory_don_t_matter(memory, threads):
    potential = moving(3, slice_thickness=1.0)
    rings = {"a": (0, 20), "b": (30, 60)}
    want = sim.stem(potential, positions=PLACES, detectors=rings, threads=2, **OPTICS)
    got = sim.stem(potential, positions=PLACES, detectors=rings, threads=threads, memory=memory, **OPTICS)
    for name in rings:
        np.testing.assert_array_equal(got[name], want[name])
    patterns = sim.cbed(potential, positions=PLACES, threads=threads, memory=memory, **OPTICS)
    np.testing.assert_array_equal(patterns, sim.cbed(potential, positions=PLACES, **OPTICS))


def test_scan_spans_the_cell():
    potential = a_potential()
    rings = {"a": (20, 60)}
    got = sim.stem(potential, scan=(3, 2), detectors=rings, **OPTICS)["a"]
    y, x = np.meshgrid(np.arange(3) * 6.6 / 3, np.arange(2) * 7.2 / 2, indexing="ij")
    want = sim.stem(potential, positions=np.stack([y, x], -1), detectors=rings, **OPTICS)["a"]
    np.testing.assert_array_equal(got, want)
    for wrong in ({}, {"scan": (3, 2), "positions": PLACES}, {"scan": (0, 2)}, {"scan": 3}):
        with pytest.raises(ValueError, match="scan"):
            sim.stem(potential, detectors=rings, **wrong, **OPTICS)


def test_source_size_blurs():
    potential = a_potential()
    rings, optics = {"a": (20, 60)}, OPTICS
    sharp = sim.stem(potential, scan=(12, 12), detectors=rings, **optics)["a"]
    blurred = sim.stem(potential, scan=(12, 12), detectors=rings, source_size=1.5, **optics)["a"]
    assert blurred.mean() == pytest.approx(sharp.mean(), rel=1e-9)
    sigma = 1.5 / np.sqrt(8 * np.log(2))
    ky, kx = np.fft.fftfreq(12, 6.6 / 12)[:, None], np.fft.fftfreq(12, 7.2 / 12)
    want = np.fft.ifft2(np.fft.fft2(sharp) * np.exp(-2 * (np.pi * sigma) ** 2 * (ky**2 + kx**2))).real
    np.testing.assert_allclose(blurred, want, rtol=2e-3)
    with pytest.raises(ValueError, match="grid"):
        sim.stem(potential, positions=PLACES, detectors=rings, source_size=0.5, **optics)
    with pytest.raises(ValueError, match="source_size"):
        sim.stem(potential, scan=(2, 2), detectors=rings, source_size=-1, **optics)


def test_dose_gives_counts():
    potential = a_potential()
    options = {"scan": (8, 8), "detectors": {"a": (0, 60)}, **OPTICS}
    ideal = sim.stem(potential, **options)["a"]
    noisy = sim.stem(potential, electrons=100.0, seed=3, **options)["a"]
    np.testing.assert_allclose(noisy * 100, np.round(noisy * 100), atol=1e-9)
    assert noisy.mean() == pytest.approx(ideal.mean(), rel=0.05)
    np.testing.assert_array_equal(noisy, sim.stem(potential, electrons=100.0, seed=3, **options)["a"])


@pytest.mark.parametrize("shape", [(60, 72), (45, 50)])
@pytest.mark.parametrize("bin", [1, 2, 3])
@pytest.mark.parametrize("max_angle", [None, 40.0])
def test_cropped_and_binned_patterns(shape, bin, max_angle):
    potential = a_potential(shape)
    got = sim.scan4d(potential, positions=PLACES, max_angle=max_angle, bin=bin, **OPTICS)
    full = sim.cbed(potential, positions=PLACES, **OPTICS)
    if max_angle is None and bin == 1:
        np.testing.assert_array_equal(got, full)
        return
    want = np.zeros_like(got)
    centre = [n // 2 for n in got.shape[1:]]
    half = [
        (n - 1) // 2 if max_angle is None else int(max_angle * 1e-3 / sim.wavelength(ENERGY) * n * d)
        for n, d in zip(shape, potential.sampling, strict=True)
    ]
    for y in range(-half[0], half[0] + 1):
        for x in range(-half[1], half[1] + 1):
            place = tuple(c + int(np.floor((k + bin / 2) / bin)) for c, k in zip(centre, (y, x), strict=True))
            want[(slice(None), *place)] += full[:, y + shape[0] // 2, x + shape[1] // 2]
    np.testing.assert_allclose(got, want, rtol=1e-12)
    assert got.sum() == pytest.approx(want.sum())


def test_pattern_map_keeps_every_pixel_once():
    pattern = Pattern.of(a_potential((45, 50)), ENERGY)
    assert sorted(pattern.row) == list(range(45))
    assert pattern.row[0] == 22
    assert pattern.column[0] == 25


def test_neighbours_of_a_probe():
    potential = a_potential(dtype=np.float64)
    got = sim.exit_waves3x3(potential, positions=PLACES[:2], step=0.3, **OPTICS)
    assert got.shape == (2, 3, 3, 60, 72)
    place = PLACES[1] + 0.3 * np.array([-1, 1])
    assert difference(reference.pattern(got[1, 0, 2]), reference_pattern(potential, place)) < 1e-12
    assert sim.exit_waves3x3(moving(2), positions=(1.0, 1.0), step=0.2, **OPTICS).shape == (2, 3, 3, 72, 60)
    with pytest.raises(ValueError, match="step"):
        sim.exit_waves3x3(potential, positions=PLACES, step=0, **OPTICS)


@pytest.mark.parametrize(
    ("match", "change"),
    [
        ("semiangle", {"semiangle": 0}),
        ("semiangle.*band limit", {"semiangle": 300.0}),
        ("positions", {"positions": np.zeros((2, 3))}),
        ("aberrations", {"aberrations": {"C10": 3}}),
        ("ring", {"detectors": {"ring": (20, 10)}}),
        ("ring.*112.2", {"detectors": {"ring": (20, 113)}}),
        ("ring", {"detectors": {"ring": np.zeros((3, 4))}}),
        ("ring.*112.2 mrad.*a sampling of", {"detectors": {"ring": np.ones((60, 72))}}),
        ("ring", {"detectors": {"ring": sim.Sector(1, 2, 0, 7)}}),
        ("detectors", {"detectors": {}}),
        ("electrons", {"electrons": -1}),
        ("planes", {"planes": [9]}),
    ],
)
def test_wrong_arguments_are_named(match, change):
    options = {"positions": PLACES, "detectors": {"a": (0, 20)}, **OPTICS} | change
    with pytest.raises((ValueError, TypeError), match=match):
        sim.stem(a_potential(), **options)


def test_elastic_and_diffuse_parts():
    """|mean of Ψ|² and what is left of the mean of |Ψ|²."""
    potential = moving(3, dtype=np.float64)
    total, elastic, diffuse = (
        sim.cbed(potential, positions=PLACES[:2], part=part, **OPTICS) for part in ("total", "elastic", "diffuse")
    )
    waves = sim.exit_waves3x3(potential, positions=PLACES[:2], step=0.1, **OPTICS)[:, :, 1, 1]
    np.testing.assert_allclose(elastic, reference.pattern(waves.mean(axis=0)), atol=1e-15)
    np.testing.assert_allclose(total, reference.pattern(waves).mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(diffuse, total - elastic, atol=1e-15)
    still = moving(0, dtype=np.float64)
    assert sim.cbed(still, positions=PLACES[0], part="diffuse", **OPTICS).max() < 1e-15
    with pytest.raises(ValueError, match="part"):
        sim.cbed(potential, positions=PLACES, part="both", **OPTICS)


def test_diffraction_of_a_plane_wave():
    potential = moving(3, dtype=np.float64)
    waves = sim.exit_wave(potential, energy=ENERGY)
    patterns = reference.pattern(waves) / waves[0].size ** 2
    np.testing.assert_allclose(sim.diffraction(potential, energy=ENERGY), patterns.mean(axis=0), atol=1e-15)
    elastic = sim.diffraction(potential, energy=ENERGY, part="elastic")
    np.testing.assert_allclose(elastic, reference.pattern(waves.mean(axis=0)) / waves[0].size ** 2, atol=1e-15)
    series = sim.diffraction(moving(0), energy=ENERGY, planes=[1, 2])
    assert series.shape == (2, 72, 60)
    assert series.dtype == np.float32
    np.testing.assert_allclose(series.sum(axis=(1, 2)), 1, atol=0.02)


def test_position_average():
    potential = moving(2)
    got = sim.pacbed(potential, scan=(3, 4), **OPTICS)
    want = sim.scan4d(potential, scan=(3, 4), **OPTICS).mean(axis=(0, 1), dtype=float)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-12)


def test_waves_advance_in_small_pieces_with_the_same_bits(monkeypatch):
    """Ctrl-C is heard between calls of the core, so none of them may take long."""
    from crewe.sim import _propagate

    potential = a_potential((48, 54), 7, np.float32)
    whole = sim.cbed(potential, positions=PLACES, **OPTICS)
    calls = []
    real = _propagate._core.Waves32.advance

    class Counted(_propagate._core.Waves32):
        def advance(self, transmission, propagator, threads):
            calls.append(self.count * len(transmission))
            real(self, transmission, propagator, threads)

    monkeypatch.setattr(_propagate._core, "Waves32", Counted)
    monkeypatch.setattr(_propagate, "BREATH", 48 * 54 * 6)
    np.testing.assert_array_equal(sim.cbed(potential, positions=PLACES, **OPTICS), whole)
    assert sum(calls) == 4 * 7
    assert max(calls) <= 6
