"""Training of AIRPI: specimens, samples, their store, the network, its losses, a run that is killed; seconds each."""

import numpy as np
import pytest

from crewe.imaging.exit_waves import probe_wave
from crewe.train.airpi import samples, store
from crewe.train.airpi.structures import random_structure
from reference import airpi as reference

pytest.importorskip("ase")
pytest.importorskip("zarr")


@pytest.mark.parametrize("seed", range(40))
def test_structures_stay_apart_and_inside(seed):
    rng = np.random.default_rng(seed)
    edge, thickness = float(rng.uniform(10, 24)), float(rng.uniform(3, 30))
    positions, numbers, kind = random_structure(rng, edge=edge, thickness=thickness)
    assert len(positions) == len(numbers) > 0
    assert numbers.min() >= 1
    assert numbers.max() <= 103
    box = np.array([edge, edge, thickness])
    assert (positions >= 0.5 - 1e-9).all()
    assert (positions <= box - 0.5 + 1e-9).all()
    few = positions[:400]
    apart = np.linalg.norm(few[:, None] - positions, axis=2)
    apart[np.arange(len(few)), np.arange(len(few))] = np.inf
    assert apart.min() > 0.9, kind


def test_every_kind_of_structure_comes():
    rng = np.random.default_rng(0)
    kinds = {random_structure(rng, edge=12.0, thickness=10.0)[2] for _ in range(60)}
    assert kinds == {"crystal", "cubic", "layers", "amorphous", "atoms"}


def test_scans_keep_to_the_table():
    rng = np.random.default_rng(0)
    for _ in range(200):
        scan, grid = samples.random_scan(rng)
        assert scan.energy / 1e3 in samples.ENERGIES
        assert 5 <= scan.semiangle <= 30
        assert 0.1 <= scan.aperture * grid.length / 32 <= 0.95
        assert 10 <= grid.length <= 24
        assert 0.1 <= scan.step * scan.aperture / 0.61 <= 0.9


def test_samples():
    made = [samples.sample(3, k, configurations=2) for k in range(12)]
    again = samples.sample(3, 5, configurations=2)
    np.testing.assert_array_equal(again.patterns, made[5].patterns)
    np.testing.assert_array_equal(again.wave, made[5].wave)
    for number, one in enumerate(made):
        scan, grid = samples.scan_of(one.optics)
        drawn = samples.random_scan(np.random.default_rng([3, number]))
        np.testing.assert_allclose(probe_wave(scan, grid), probe_wave(*drawn), atol=1e-12)
        assert one.patterns.shape == (9, 64, 64)
        assert one.patterns.min() >= 0
        assert (one.patterns.sum((1, 2)) <= 1.0001).all()
        assert 0.3 < (np.abs(one.wave) ** 2).sum() <= 1.0001
        y, x = grid.frequencies()
        disc = np.hypot(y, x) < scan.aperture
        assert one.patterns[4][disc].sum() > 0.5, "most electrons stay in the bright disc"
    assert len({one.patterns.tobytes() for one in made}) == 12


def test_a_thin_light_specimen_is_a_phase_object():
    """The label belongs to the middle of the specimen: over the probe its phase is that of the projected potential."""
    from ase import Atoms

    from crewe import sim
    from crewe.imaging.exit_waves import Grid, Scan

    rng = np.random.default_rng(0)
    scan, grid = Scan(300e3, 25.0, 0.2, 1.4), Grid(64, 14.0)
    atoms = Atoms([6] * 5, positions=rng.uniform((6, 6, 1), (8, 8, 11), (5, 3)), cell=(14, 14, 12))
    potential = sim.Potential(atoms, gpts=128, slice_thickness=1.0, thermal=atoms.positions[None])
    patterns, wave = samples.simulate(potential, scan, grid, thickness=12.0)
    probe = probe_wave(scan, grid)
    phase = np.angle(wave * probe.conj())
    full = sim.interaction(300e3) * potential.slices()[0].sum(0)
    spectrum = np.fft.fftshift(np.fft.fft2(full))[32:96, 32:96]
    want = np.fft.ifft2(np.fft.ifftshift(spectrum)).real / 4
    weight = np.abs(probe) ** 2 / (np.abs(probe) ** 2).sum()
    assert reference.correlation(phase, want, weight) > 0.9
    assert 0.7 < (weight * phase).sum() / (weight * want).sum() < 1.2
    np.testing.assert_allclose(patterns.sum((1, 2)), 1, atol=0.02)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("airpi") / "samples.zarr"
    store.generate(path, 40, seed=1, configurations=1, threads=2)
    return path


def test_the_store_goes_on(stored, tmp_path):
    group, count = store.open_samples(stored)
    assert count == 48, "whole chunks"
    told = []

    class Stopped(Exception):
        pass

    def stop(done):
        told.append(done)
        if done == 16:
            raise Stopped

    path = tmp_path / "part.zarr"
    with pytest.raises(Stopped):
        store.generate(path, 32, seed=1, configurations=1, threads=1, tell=stop)
    assert store.open_samples(path)[1] == 16
    store.generate(path, 32, seed=1, configurations=1, threads=3, tell=told.append)
    assert told == [16, 32]
    for name in ("patterns", "waves", "optics"):
        np.testing.assert_array_equal(store.open_samples(path)[0][name][:32], group[name][:32])
    one = samples.sample(1, 7, configurations=1)
    patterns, waves, optics = store.read(group, np.array([7]))
    np.testing.assert_allclose(patterns[0], one.patterns, rtol=2e-3, atol=1e-12)
    np.testing.assert_allclose(waves[0, 0] + 1j * waves[0, 1], one.wave, atol=2e-4)
    np.testing.assert_array_equal(optics[0], one.optics)


def test_stores_that_are_none(stored, tmp_path):
    with pytest.raises(ValueError, match="seed"):
        store.generate(stored, 16, seed=2, configurations=1)
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="no Zarr group"):
        store.generate(tmp_path / "other", 16)
    with pytest.raises(ValueError, match="airpi-data"):
        store.open_samples(tmp_path / "nothing")


def test_network():
    torch = pytest.importorskip("torch")
    from crewe.train.airpi.network import CHANNELS, ExitWaves

    full = ExitWaves(CHANNELS["full"])
    state = {name: value for name, value in full.state_dict().items() if "num_batches" not in name}
    assert sum(value.numel() for value in state.values()) == 2_142_884 + 577, "the published number, and the first step"
    light = ExitWaves(CHANNELS["light"]).eval()
    rng = np.random.default_rng(0)
    patterns = rng.poisson(2, (2, 9, 64, 64)).astype(np.float32)
    probe = np.stack([rng.random((2, 64, 64)) / 100, rng.uniform(-3, 3, (2, 64, 64))], 1).astype(np.float32)
    step, pitch = np.array([0.1, 0.01], np.float32), np.array([0.7, 3.2], np.float32)
    inputs = [torch.from_numpy(a) for a in (patterns, probe, step, pitch)]
    seen = light.seen(*inputs).numpy()
    for one, p, a, s, d in zip(seen, probe, patterns, step, pitch, strict=True):
        np.testing.assert_allclose(one, reference.seen(a.astype(float), p.astype(float), s, d), atol=2e-4)
    with torch.no_grad():
        wave = light(*inputs).numpy()
        scaled = light(inputs[0] * 1e-4, *inputs[1:]).numpy()
        for head in light.heads:
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.zeros_(head.bias)
        silent = light(*inputs).numpy()
    phase = probe[:, 1] + 0.1 * seen[:, -1]
    np.testing.assert_allclose(silent[:, 0] + 1j * silent[:, 1], probe[:, 0] * np.exp(1j * phase), atol=1e-5)
    np.testing.assert_allclose(wave, scaled, atol=1e-5)


def test_first_step_of_the_object():
    """Nothing of a vacuum; of a weak phase object its phase, less what the disc doesn't transmit."""
    torch = pytest.importorskip("torch")
    from crewe.train.airpi.first_step import FirstStep

    k = np.arange(64) - 32
    disc = np.hypot(k[:, None], k[None, :]) <= 12
    wave = reference.transform(disc / np.sqrt(disc.sum()), np.fft.ifft2)
    pitch = 1.5
    y, x = np.meshgrid(k, k, indexing="ij")
    phase = 0.05 * np.cos(2 * np.pi * 12 / 64 * y) + 0.03 * np.sin(2 * np.pi * 10 / 64 * x)
    places = [(dy * pitch, dx * pitch) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    spectrum = reference.transform(wave, np.fft.fft2)
    probes = [
        reference.transform(spectrum * np.exp(-2j * np.pi * (k[:, None] * a + k[None, :] * b) / 64), np.fft.ifft2)
        for a, b in places
    ]
    step = FirstStep(64)

    def found(phase):
        seen = [np.abs(reference.transform(p * np.exp(1j * phase), np.fft.fft2)) ** 2 for p in probes]
        arrays = (np.stack(seen), np.stack([np.abs(wave), np.angle(wave)]), np.float64(pitch))
        return step(*(torch.from_numpy(np.asarray(a, np.float32)[None]) for a in arrays)).numpy()[0]

    assert np.abs(found(0 * phase)).max() < 1e-5
    weight = np.abs(wave) ** 2
    image = found(phase)[1]
    inner = [a - (weight * a).sum() for a in (image, phase)]
    correlation = (weight * inner[0] * inner[1]).sum() / np.sqrt(np.prod([(weight * a**2).sum() for a in inner]))
    assert correlation > 0.8


def test_losses_are_the_definition():
    torch = pytest.importorskip("torch")
    from crewe.train.airpi import losses

    rng = np.random.default_rng(1)
    amplitude, phase = rng.random((2, 16, 16)) / 10, rng.uniform(-4, 4, (2, 16, 16))
    truth, probe = (rng.normal(size=(2, 2, 16, 16, 2)) / 20).view(complex)[..., 0]
    got = losses.exit_waves(*(torch.from_numpy(a) for a in (amplitude, phase, truth, probe)))
    each = [reference.losses(*one) for one in zip(amplitude, phase, truth, probe, strict=True)]
    assert set(got) == set(each[0])
    for name, value in got.items():
        assert float(value) == pytest.approx(np.mean([one[name] for one in each]), rel=1e-6), name
    same = losses.exit_waves(*(torch.from_numpy(a) for a in (np.abs(truth), np.angle(truth), truth, probe)))
    for name, value in same.items():
        assert name == "bounds" or float(value) < 1e-12, name


def test_turned_samples_are_those_of_turned_specimens():
    """A wave and its nine patterns, mirrored and transposed: still the patterns of that wave at these places."""
    from crewe.train.airpi.run import turned

    rng = np.random.default_rng(2)
    k = np.fft.fftfreq(64)
    envelope = np.exp(-((k[:, None] / 0.05) ** 2) - (k / 0.08) ** 2)
    noise = rng.normal(size=(9, 64, 64, 2)).view(complex)[..., 0]
    waves = np.fft.fftshift(np.fft.ifft2(envelope * noise), axes=(1, 2))
    patterns = np.stack([np.fft.fftshift(np.abs(np.fft.fft2(w)) ** 2) for w in waves])
    for way in range(8):
        which = np.array([way])
        (nine,) = turned(which, patterns[None])
        for place in range(9):
            parts = np.stack([waves[place].real, waves[place].imag])
            (wave,) = turned(which, parts[None])
            pattern = np.fft.fftshift(np.abs(np.fft.fft2(wave[0, 0] + 1j * wave[0, 1])) ** 2)
            found = [np.allclose(pattern, one) for one in nine[0]]
            assert sum(found) == 1
            i, j = divmod(place, 3)
            i, j = (2 - i if way & 1 else i), (2 - j if way & 2 else j)
            i, j = (j, i) if way & 4 else (i, j)
            assert found.index(True) == 3 * i + j


@pytest.fixture
def quick(monkeypatch):
    """Few samples held back, frequent reports."""
    from crewe.train import loop
    from crewe.train.airpi import run

    monkeypatch.setattr(run, "HELD_BACK", 16)
    monkeypatch.setattr(loop, "REPORT", 2)


def test_a_run_that_was_stopped_goes_on(stored, tmp_path, quick):
    torch = pytest.importorskip("torch")
    from crewe.train.airpi.run import AirpiRecipe
    from crewe.train.loop import train

    class Killed(Exception):
        pass

    def kill(report):
        if report.step == 2:
            raise Killed

    recipe = AirpiRecipe(samples=str(stored), steps=4, batch=4, precision="f32")
    whole = torch.load(train(tmp_path / "whole", recipe, every=0), weights_only=True)
    with pytest.raises(Killed):
        train(tmp_path / "cut", recipe, every=0, tell=kill)
    reports = []
    cut = torch.load(train(tmp_path / "cut", recipe, every=0, tell=reports.append), weights_only=True)
    assert [report.step for report in reports] == [4]
    assert -1 <= reports[0].figure <= 1
    for name, value in whole["averaged"].items():
        torch.testing.assert_close(cut["averaged"][name], value)
    with pytest.raises(ValueError, match="at least"):
        train(tmp_path / "large", AirpiRecipe(samples=str(stored), batch=64))


@pytest.mark.filterwarnings("ignore")  # the exporter of torch warns of its own future
def test_commands_and_imaging(tmp_path, monkeypatch, quick):
    """From nothing to a phase image: simulate, train, export, reconstruct."""
    for package in ("torch", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    import onnxruntime

    from crewe import cli, imaging, models
    from crewe.train.airpi.run import options

    monkeypatch.chdir(tmp_path)
    assert cli.run(["train", "airpi-data", "s.zarr", "--count", "32", "--configurations", "1"]) == 0
    assert cli.run(["train", "airpi", "s.zarr", "--steps", "2", "--batch", "2", "--precision", "f32"]) == 0
    content = (tmp_path / "airpi" / "imaging-airpi-light.onnx").read_bytes()
    about = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).get_modelmeta()
    assert "power 0.1" in about.custom_metadata_map["patterns"]
    words = dict.fromkeys(("training_data", "recipe", "figures", "licence"), "none")
    info = models.Info("airpi", "airpi.onnx", "", "", (0.1, 1.0), **words, options=options())
    model = models.Model(info, content, device="cpu", precision="f32", threads=1)
    frames = np.random.default_rng(0).poisson(1, (3, 5, 64, 64)).astype(np.uint8)
    wave = imaging.airpi(frames, energy=300e3, semiangle=20.0, step=0.2, angle_per_pixel=1.4, model=model)
    np.testing.assert_allclose(np.abs(wave), 1, atol=1e-6)
    assert np.abs(np.angle(wave)).max() < 0.1, "hardly trained: still the probe"
