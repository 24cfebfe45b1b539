"""4D scans by blocks: into Zarr, stopped and gone on with, spread over processes."""

import numpy as np
import pytest

from crewe import sim

zarr = pytest.importorskip("zarr")

OPTICS = {"energy": 200e3, "semiangle": 20.0}


def a_potential(count=2, seed=0):
    rng = np.random.default_rng(seed)
    slices = rng.random((count, 48, 54)).astype(np.float32) * 40
    return sim.Potential.from_array(slices, sampling=0.12, slice_thickness=2.0)


def test_store_holds_the_scan(tmp_path):
    want = sim.scan4d(a_potential(), scan=(5, 6), max_angle=60.0, **OPTICS)
    array = sim.scan4d(a_potential(), scan=(5, 6), max_angle=60.0, store=tmp_path / "a.zarr", **OPTICS)
    assert array.shape == want.shape
    np.testing.assert_array_equal(array[...], want)
    stored = zarr.open_array(str(tmp_path / "a.zarr"), mode="r")
    np.testing.assert_array_equal(stored[...], want)
    assert stored.attrs["crewe"]["energy_eV"] == 200e3
    assert stored.attrs["crewe"]["pixel_mrad"][1] == pytest.approx(sim.wavelength(200e3) / (54 * 0.12) * 1e3)


@pytest.mark.parametrize("positions", [np.zeros((7, 2)), np.zeros((2, 3, 4, 2)), np.zeros(2)])
def test_positions_of_any_shape(tmp_path, positions):
    rng = np.random.default_rng(1)
    positions = positions + rng.random(positions.shape) * 5
    want = sim.scan4d(a_potential(), positions=positions, **OPTICS)
    array = sim.scan4d(a_potential(), positions=positions, store=str(tmp_path / "a.zarr"), **OPTICS)
    np.testing.assert_array_equal(array[...], want)


def test_a_stopped_run_goes_on(tmp_path, monkeypatch):
    from crewe.sim import _distribute

    calls = []
    real = _distribute._patterns

    def interrupted(probes, positions, pattern):
        calls.append(len(positions))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(probes, positions, pattern)

    monkeypatch.setattr(_distribute, "_patterns", interrupted)
    path = tmp_path / "a.zarr"
    with pytest.raises(KeyboardInterrupt):
        sim.scan4d(a_potential(), scan=(6, 5), store=path, **OPTICS)
    assert zarr.open_array(str(path), mode="r").attrs["finished"] == [0, 1, 2]
    calls.clear()
    monkeypatch.setattr(_distribute, "_patterns", lambda *a: calls.append(1) or real(*a))
    array = sim.scan4d(a_potential(), scan=(6, 5), store=path, **OPTICS)
    assert len(calls) == 3, "three lines were there already"
    np.testing.assert_array_equal(array[...], sim.scan4d(a_potential(), scan=(6, 5), **OPTICS))


def test_blocks_of_many_chunks(tmp_path):
    """Transmission functions that don't fit are made once per block, not per chunk."""
    want = sim.scan4d(a_potential(4), scan=(6, 5), **OPTICS)
    array = sim.scan4d(a_potential(4), scan=(6, 5), store=tmp_path / "a.zarr", memory=1, **OPTICS)
    np.testing.assert_array_equal(array[...], want)


def test_another_scan_is_not_overwritten(tmp_path):
    path = tmp_path / "a.zarr"
    sim.scan4d(a_potential(), scan=(2, 2), store=path, **OPTICS)
    for change in ({"semiangle": 19.0}, {"scan": (2, 3)}, {"aberrations": sim.Aberrations(C10=5)}):
        with pytest.raises(ValueError, match="another scan"):
            sim.scan4d(a_potential(), store=path, **({"scan": (2, 2), **OPTICS} | change))
    with pytest.raises(ValueError, match="another scan"):
        sim.scan4d(a_potential(seed=1), scan=(2, 2), store=path, **OPTICS)
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(ValueError, match="Zarr"):
        sim.scan4d(a_potential(), scan=(2, 2), store=tmp_path / "b.zarr", **OPTICS)


class Future:
    def __init__(self, run):
        self.result, self.cancelled = run, False

    def cancel(self):
        self.cancelled = True


class Client:
    """A client in this process, that computes when results are asked for."""

    def scatter(self, what, broadcast):
        return what

    def ncores(self):
        return {"worker": 1}

    def submit(self, function, *arguments, pure):
        return Future(lambda: function(*arguments))


def test_clients_give_the_same(tmp_path):
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("SrTiO", positions=[(1, 1, 1), (3, 1.5, 2.5), (2.2, 4, 3.5)], cell=[5, 6, 4])
    potential = sim.Potential(atoms, gpts=(60, 50), thermal=sim.FrozenPhonons(3, 0.1, seed=0))
    rings = {"a": (0, 20), "b": (30, 60)}
    local = sim.stem(potential, scan=(4, 5), detectors=rings, **OPTICS)
    remote = sim.stem(potential, scan=(4, 5), detectors=rings, client=Client(), **OPTICS)
    for name in rings:
        np.testing.assert_array_equal(remote[name], local[name])
    want = sim.scan4d(potential, scan=(4, 5), **OPTICS)
    np.testing.assert_array_equal(sim.scan4d(potential, scan=(4, 5), client=Client(), **OPTICS), want)
    stored = sim.scan4d(potential, scan=(4, 5), client=Client(), store=tmp_path / "a.zarr", **OPTICS)
    np.testing.assert_array_equal(stored[...], want)
    with pytest.raises(TypeError, match="client"):
        sim.scan4d(potential, scan=(4, 5), client="here", **OPTICS)


def test_two_workers_give_the_same(tmp_path):
    distributed = pytest.importorskip("distributed")
    potential, rings = a_potential(3), {"a": (0, 20), "b": (30, 60)}
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "host": "127.0.0.1"}
    with distributed.Client(**options) as client:
        images = sim.stem(potential, scan=(6, 5), detectors=rings, client=client, **OPTICS)
        stored = sim.scan4d(potential, scan=(6, 5), client=client, store=tmp_path / "a.zarr", **OPTICS)
    want = sim.stem(potential, scan=(6, 5), detectors=rings, **OPTICS)
    for name in rings:
        np.testing.assert_array_equal(images[name], want[name])
    np.testing.assert_array_equal(stored[...], sim.scan4d(potential, scan=(6, 5), **OPTICS))
