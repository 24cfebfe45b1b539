"""Training of AtomID-net: scenes whose columns are known, targets, the network, a run of seconds."""

import math

import numpy as np
import pytest

from crewe.train.atoms.batches import SPACING, batch, batches, spots
from crewe.train.atoms.cells import cell, grain
from crewe.train.atoms.scenes import WIDTHS, draw


def test_batches_depend_on_seed_and_step_alone():
    one, again, other = (batch(seed, 3, count=4, size=64) for seed in (1, 1, 2))
    assert one.images.shape == (4, 3, 64, 64)
    assert one.maps.shape == one.weights.shape == (4, 1, 64, 64)
    assert one.others.shape == (2, 3, 64, 64)
    for a, b in zip(one, again, strict=True):
        assert a.dtype == np.float32
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.images, other.images)
    ahead = batches(1, 2, count=4, size=64)
    next(ahead)
    np.testing.assert_array_equal(next(ahead).images, one.images)
    ahead.close()


def test_structures():
    rng = np.random.default_rng(0)
    for _ in range(200):
        vectors, motif, species = cell(rng)
        places, member = grain(vectors, motif, rng.uniform(0, 6), 30.0, rng.random(2))
        assert len(motif) == len(species)
        assert set(member) <= set(range(len(species)))
        assert len(places) == pytest.approx(46**2 * len(motif) / abs(np.linalg.det(vectors)), rel=0.25)
        apart = np.hypot(*(places[:, None] - places)[np.triu_indices(len(places), 1)].T)
        assert apart.min() > 0.6, "no two columns in one place"


def test_columns_are_bright():
    """The mean image about columns to be found has its maximum at their places, and falls off within a spacing."""
    sums = np.zeros((9, 9))
    for seed in range(30):
        scene = draw(np.random.default_rng(seed), size=128, spacing=12.0)
        image = (scene.image - scene.image.mean()) / max(float(scene.image.std()), 1e-9)
        for y, x in np.rint(scene.places).astype(int):
            if 4 <= y < 124 and 4 <= x < 124:
                sums += image[y - 4 : y + 5, x - 4 : x + 5]
    assert np.unravel_index(sums.argmax(), sums.shape) == (4, 4)
    assert sums[4, 4] > 1.5 * sums[4, 0]


def test_spacing_is_the_mean_distance_of_neighbours():
    checked = 0
    for seed in range(40):
        scene = draw(np.random.default_rng(seed), size=160, spacing=14.0)
        assert (scene.places >= -0.5).all()
        assert (scene.places <= 159.5).all()
        if scene.spacing is not None and len(scene.places) > 60:
            apart = np.hypot(*(scene.places[:, None] - scene.places).transpose(2, 0, 1))
            np.fill_diagonal(apart, np.inf)
            mean = apart.min(axis=1).mean()
            assert scene.spacing == pytest.approx(mean, rel=0.15) or scene.spacing < mean, seed
            checked += 1
    assert checked > 10
    assert WIDTHS == 4


def test_spots():
    """Peak 1 and σ 0.17 spacings at the place, whatever its fraction of a pixel; the highest of two, not their sum."""
    target, weights = spots(np.array([[10.3, 20.6], [10.3, 24.6], [-0.4, 3.0]]), np.array([[30.0, 8.0]]), 12.0, 40)
    y, x = np.indices((40, 40))
    want = [
        np.exp(-((y - py) ** 2 + (x - px) ** 2) / (2 * (0.17 * 12) ** 2))
        for py, px in [(10.3, 20.6), (10.3, 24.6), (-0.4, 3)]
    ]
    np.testing.assert_allclose(target, np.max(want, axis=0), atol=3e-3)
    assert weights[30, 8] == 0
    assert weights[10, 20] == weights[20, 20] == 1


def test_spacings_of_batches_are_logarithms():
    told = np.concatenate([batch(0, k, count=8, size=48).spacings for k in range(4)])
    assert np.median(np.abs(told)) < 0.4
    assert SPACING == 10
    assert np.abs(told).max() < math.log(9.1)


def test_network():
    torch = pytest.importorskip("torch")
    from crewe.train.atoms.network import AtomID

    assert sum(p.numel() for p in AtomID(32).parameters()) == pytest.approx(8.6e6, rel=0.03)
    network = AtomID(4, depth=3).eval()
    x = torch.randn(2, 3, 32, 48)
    found, spacing = network(x)
    assert found.shape == (2, 1, 32, 48)
    assert spacing.shape == (2, 2)
    assert 0 < float(found.detach().min()) <= float(found.detach().max()) < 0.5, "it begins with few columns"
    turned, _ = network(x + 3.0)
    assert not torch.equal(turned, found)


@pytest.fixture
def quick(monkeypatch):
    pytest.importorskip("torch")
    from crewe.train import loop

    monkeypatch.setattr(loop, "REPORT", 2)


def test_a_run_that_was_stopped_goes_on(tmp_path, quick):
    import torch

    from crewe.train.atoms.run import AtomRecipe
    from crewe.train.loop import train

    class Killed(Exception):
        pass

    def kill(report):
        if report.step == 2:
            raise Killed

    recipe = AtomRecipe(steps=3, batch=2, size=32, base=2, depth=2, precision="f32")
    whole = torch.load(train(tmp_path / "whole", recipe, every=0), weights_only=True)
    with pytest.raises(Killed):
        train(tmp_path / "cut", recipe, every=0, tell=kill)
    reports = []
    cut = torch.load(train(tmp_path / "cut", recipe, every=0, tell=reports.append), weights_only=True)
    assert [report.step for report in reports] == [3]
    assert set(reports[0].losses) == {"loss", "map", "near", "any"}
    for name, value in whole["averaged"].items():
        torch.testing.assert_close(cut["averaged"][name], value)
    assert (tmp_path / "cut" / "validation.png").exists()


def test_training_makes_the_losses_smaller(quick):
    from crewe.train.atoms.run import AtomRecipe

    run = AtomRecipe(steps=40, batch=2, rate=0.02, size=48, base=4, depth=3, precision="f32").begin("cpu", 1)
    one = next(iter(run.batches()))
    told = [run.advance(one)["loss"] for _ in range(40)]
    assert told[-1] < 0.7 * told[0], "the same batch again and again"


@pytest.mark.filterwarnings("ignore")  # the exporter of torch warns of its own future
def test_export_and_command(tmp_path, monkeypatch, quick):
    for package in ("onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    import onnxruntime

    from crewe import cli

    monkeypatch.chdir(tmp_path)
    small = ["--steps", "1", "--batch", "2", "--size", "32", "--base", "2", "--depth", "4"]
    assert cli.run(["train", "atomid", *small]) == 0
    session = onnxruntime.InferenceSession("atomid/atoms-unet-atomid.onnx")
    found, spacing = session.run(None, {"views": np.zeros((3, 3, 32, 48), np.float32)})
    assert found.shape == (3, 1, 32, 48)
    assert spacing.shape == (3, 2)
