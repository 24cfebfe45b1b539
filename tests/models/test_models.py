"""The registry of models, and running them."""

import dataclasses
import shutil

import numpy as np
import pytest

import crewe
from crewe import models
from crewe.models import registry

pytest.importorskip("onnxruntime")

NAMES = models.list()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the models that a test may damage."""
    shutil.copytree(registry.FOLDER, tmp_path / "models")
    monkeypatch.setattr(registry, "FOLDER", tmp_path / "models")
    return tmp_path / "models"


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_complete(name):
    about = registry.info(name)
    for field in dataclasses.fields(about):
        assert getattr(about, field.name) or field.name == "options", f"{field.name} is not stated"
    low, high = about.pixel_size
    assert 0 < low < high


def test_every_file_has_an_entry():
    files = {path.name for path in registry.FOLDER.glob("*.onnx")}
    assert files == {registry.info(name).file for name in NAMES}
    assert sum((registry.FOLDER / file).stat().st_size for file in files) < 100e6


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_refused(name, folder):
    file = folder / registry.info(name).file
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(crewe.ModelError, match="sha256"):
        models.load(name)
    file.unlink()
    with pytest.raises(crewe.ModelError, match="can't be read"):
        models.load(name)


def test_no_network_behind_the_right_hash(folder, monkeypatch):
    (folder / "a.onnx").write_bytes(b"no network")
    false = dataclasses.replace(registry.info(NAMES[0]), name="a", file="a.onnx")
    content = b"no network"
    with pytest.raises(crewe.ModelError, match="ONNX Runtime can't load it"):
        models.Model(false, content, device="cpu", precision="f32", threads=1)


@pytest.mark.parametrize("name", ["nobody", "", None, ["stem-hr"]])
def test_unknown_models(name):
    with pytest.raises(crewe.ModelError, match="stem-hr"):
        models.load(name)


def test_what_is_not_there_is_not_replaced():
    import onnxruntime

    there = onnxruntime.get_available_providers()
    for options, provider in (({"device": "cuda"}, "CUDA"), ({"precision": "f16"}, "OpenVINO")):
        if f"{provider}ExecutionProvider" not in there:
            with pytest.raises(crewe.DeviceError, match=provider):
                models.load("stem-hr", **options)
    for options in ({"device": "gpu"}, {"precision": "int8"}, {"device": "cuda", "precision": "f16"}, {"threads": -1}):
        with pytest.raises(ValueError, match="wanted"):
            models.load("stem-hr", **options)


def test_run_checks_its_batches():
    model = models.load("stem-hr", threads=1)
    assert model.provider == "CPUExecutionProvider"
    assert "stem-hr" in repr(model)
    assert model.run(np.zeros((2, 1, 16, 20), np.float32)).shape == (2, 1, 16, 20)
    with pytest.raises(TypeError, match="float32"):
        model.run(np.zeros((2, 1, 16, 20)))
    with pytest.raises(ValueError, match="axes"):
        model.run(np.zeros((16, 20), np.float32))
    with pytest.raises(ValueError, match="inputs"):
        model.run()


def test_a_batch_is_its_images():
    model = models.load("stem-hr", threads=1)
    batch = np.random.default_rng(0).standard_normal((3, 1, 32, 48), dtype=np.float32)
    many = model.run(batch)
    for one, image in zip(many, batch, strict=True):
        np.testing.assert_allclose(one, model.run(image[None])[0], atol=1e-5)


def test_half_precision_is_nearly_the_same():
    onnxruntime = pytest.importorskip("onnxruntime")
    if "OpenVINOExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("wants crewe[openvino]")
    image = np.random.default_rng(0).standard_normal((1, 1, 64, 80), dtype=np.float32)
    half = models.load("stem-hr", precision="f16", threads=1)
    assert half.provider == "OpenVINOExecutionProvider"
    assert np.abs(half.run(image) - models.load("stem-hr", threads=1).run(image)).max() < 0.05
