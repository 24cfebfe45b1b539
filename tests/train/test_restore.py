"""Training of the restoration network: the data, the losses, the network, a run that is killed; seconds each."""

from pathlib import Path

import numpy as np
import pytest

from crewe.train.contrasts import dark_ground
from crewe.train.restore import Patches, validation
from crewe.train.scenes import columns
from reference import restore as reference


@pytest.mark.parametrize("mode", ["stem-hr", "sem-lr", "tem-hr"])
def test_patches_depend_on_seed_and_step_alone(mode):
    one = Patches(mode, seed=1)
    for step in range(3):
        x, y = one.batch(step, count=2, size=32)
    again, _ = Patches(mode, seed=1).batch(2, count=2, size=32)
    other, _ = Patches(mode, seed=2).batch(2, count=2, size=32)
    assert x.shape == y.shape == (2, 1, 32, 32)
    assert x.dtype == y.dtype == np.float32
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, other)


def test_patches_are_made_ahead():
    stream = Patches("sem-lr", seed=1).batches(4, count=2, size=32)
    next(stream)
    np.testing.assert_array_equal(next(stream)[0], Patches("sem-lr", seed=1).batch(5, count=2, size=32)[0])
    stream.close()


def test_patches_cover_what_is_hard():
    """Faint and strong noise, on vacuum and off it."""
    x, y = Patches("stem-hr", seed=3).batch(0, count=64, size=32)
    error = np.sqrt(((x - y) ** 2).mean(axis=(1, 2, 3)))
    assert error.min() < 0.2
    assert error.max() > 0.7
    assert (y.std(axis=(1, 2, 3)) < 0.2).any()


def test_validation_is_always_the_same():
    for (x, y), (again, _) in zip(validation("sem-lr"), validation("sem-lr"), strict=True):
        assert x.shape == y.shape == (128, 128)
        np.testing.assert_array_equal(x, again)


def test_unknown_mode():
    with pytest.raises(ValueError, match="mode"):
        Patches("afm-hr", seed=0)


@pytest.mark.parametrize("seed", range(8))
def test_columns(seed):
    image = columns(np.random.default_rng(seed), shape=(48, 64), pixel_size=0.15)
    assert image.shape == (48, 64)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0


def test_of_holes_in_a_plane_something_is_left():
    plane = np.ones((32, 32), np.float32)
    plane[3:6, 3:6] = 0.2
    for seed in range(8):
        assert dark_ground(np.random.default_rng(seed), plane).max() > 0


def test_losses_are_the_definition():
    torch = pytest.importorskip("torch")
    from crewe.train import losses

    rng = np.random.default_rng(0)
    g, y = rng.normal(size=(2, 48, 64))
    parts = losses.restoration(*(torch.from_numpy(a[None, None]) for a in (g, y)))
    want = reference.losses(g, y)
    assert set(parts) == set(want)
    for name, value in parts.items():
        assert float(value) == pytest.approx(losses.WEIGHTS[name] * want[name], rel=1e-9), name
    same = torch.from_numpy(y[None, None]).requires_grad_()
    torch.stack(list(losses.restoration(same, same.detach()).values())).sum().backward()
    assert bool(torch.isfinite(same.grad).all())


def test_adversarial_losses_pull_apart():
    torch = pytest.importorskip("torch")
    from crewe.train import losses

    real, made = torch.full((2, 1, 4, 4), 2.0), torch.full((2, 1, 4, 4), -2.0)
    assert losses.told_apart(real, made) < losses.told_apart(made, real)
    assert losses.fooled(made, real) < losses.fooled(real, made)


def test_networks():
    torch = pytest.importorskip("torch")
    from crewe.train import networks

    full = networks.Restorer(networks.FULL)
    assert sum(p.numel() for p in full.parameters()) == 7_035_521, "the published 7.04 M"
    light = networks.Restorer(networks.LIGHT)
    assert 180_000 < sum(p.numel() for p in light.parameters()) < 360_000
    x = torch.randn(2, 1, 34, 40)
    assert torch.equal(light(x), x), "it begins as the identity"
    assert networks.Discriminator(8)(x, x).shape[:2] == (2, 1)


def recipe(**changes):
    from crewe.train.restoration import RestoreRecipe

    return RestoreRecipe(**{"mode": "sem-lr", "steps": 4, "batch": 2, "precision": "f32", "seed": 5, **changes})


@pytest.fixture
def quick(monkeypatch):
    """Few scenes to draw from, frequent reports."""
    from crewe.train import loop, restore

    monkeypatch.setattr(restore, "WINDOW", 4)
    monkeypatch.setattr(loop, "REPORT", 4)


def test_a_run_that_was_stopped_goes_on(tmp_path, quick):
    torch = pytest.importorskip("torch")
    from crewe.train.loop import train

    class Killed(Exception):
        pass

    def kill(report):
        if report.step == 4:
            raise Killed

    whole = torch.load(train(tmp_path / "whole", recipe(steps=6), every=0), weights_only=True)
    with pytest.raises(Killed):
        train(tmp_path / "cut", recipe(steps=6), every=0, tell=kill)
    reports = []
    cut = torch.load(train(tmp_path / "cut", recipe(steps=6), every=0, tell=reports.append), weights_only=True)
    assert [report.step for report in reports] == [6]
    for name, value in whole["averaged"].items():
        torch.testing.assert_close(cut["averaged"][name], value)
    assert (tmp_path / "cut" / "validation.png").exists()
    assert len((tmp_path / "cut" / "log.csv").read_text().splitlines()) == 3
    with pytest.raises(ValueError, match="a run of"):
        train(tmp_path / "cut", recipe(steps=6, batch=3))


def test_begins_with_the_weights_of_a_model():
    torch = pytest.importorskip("torch")
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package)
    from crewe import models

    run = recipe(start="stem-hr").begin("cpu", 1)
    x = np.random.default_rng(0).standard_normal((1, 1, 32, 48), dtype=np.float32)
    with torch.no_grad():
        got = run.trained()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, models.load("stem-hr", threads=1).run(x), atol=1e-4)


def test_adversarial_training(tmp_path, quick):
    torch = pytest.importorskip("torch")
    from crewe.train.loop import train

    state = torch.load(train(tmp_path, recipe(steps=2, adversarial=5e-4)), weights_only=True)
    assert "judge" in state


@pytest.mark.filterwarnings("ignore")  # the exporter of torch warns of its own future
def test_export_and_command(tmp_path, monkeypatch, quick):
    for package in ("torch", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    import onnxruntime

    from crewe import cli

    monkeypatch.chdir(tmp_path)
    arguments = ["train", "restore", "--mode", "sem-lr", "--steps", "2", "--batch", "2", "--threads", "1"]
    assert cli.run(arguments) == 0
    path = Path("restore-sem-lr/restore-cgrdn-sem-lr.onnx")
    assert b".py" not in path.read_bytes(), "no lines of code, nor the folders they lie in"
    session = onnxruntime.InferenceSession(path)
    x = np.zeros((1, 1, 18, 30), np.float32)
    assert session.run(None, {"distorted": x})[0].shape == x.shape
