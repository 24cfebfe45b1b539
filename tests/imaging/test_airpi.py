"""crewe.imaging.airpi without a trained network: a known function in its place, and what the door refuses."""

from types import SimpleNamespace

import numpy as np
import pytest

import crewe
from crewe import optics
from crewe.imaging import airpi, rotate
from crewe.imaging.exit_waves import Grid, Resampler, as_scan, neighbours, plan, probe_wave
from reference import patches as reference

OPTICS = {"energy": 300e3, "semiangle": 20.0, "step": 0.2, "angle_per_pixel": 1.4266}
OPTIONS = {"size": 64, "length": [10.0, 24.0], "fill": [0.1, 0.95]}
ORDER = np.arange(1.0, 10.0) / 45


def known(nine):
    """A phase [rad] for nine patterns (n, 9, y, x), which differs if any two of them are exchanged."""
    total = nine.astype(np.float64).sum((2, 3))
    return total @ ORDER / np.maximum(total.mean(axis=1), 1e-9) - 1


class Known:
    """In the place of a network: the probe times exp(i·known(patterns))."""

    info = SimpleNamespace(options=OPTIONS)
    provider = "none"

    def __init__(self):
        self.batches = []

    def run(self, patterns, probes, step, pitch):
        assert patterns.dtype == probes.dtype == step.dtype == pitch.dtype == np.float32
        assert patterns.shape[1:] == (9, 64, 64)
        assert probes.shape == (1, 2, 64, 64)
        assert step.shape == pitch.shape == (1,)
        self.batches.append(len(patterns))
        waves = probes[:, 0] * np.exp(1j * (probes[:, 1] + known(patterns)[:, None, None]))
        return np.ascontiguousarray(np.stack([waves.real, waves.imag], 1), np.float32)


def counts(shape=(5, 7), detector=(64, 64), seed=0):
    """Patterns of ever different sums."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: detector[0], : detector[1]]
    disc = np.hypot(y - detector[0] / 2, x - detector[1] / 2) < 14
    return rng.poisson(disc * rng.uniform(0.5, 4, (*shape, 1, 1))).astype(np.uint8)


def with_borders(frames):
    """(positions, 9, y, x): each pattern and those around it, the outermost ones repeated."""
    padded = np.pad(frames, ((1, 1), (1, 1), (0, 0), (0, 0)), mode="edge")
    sy, sx = frames.shape[:2]
    nine = [padded[i : i + sy, j : j + sx] for i in range(3) for j in range(3)]
    return np.stack(nine, 2).reshape(sy * sx, 9, *frames.shape[2:])


def wanted(frames, oversample=1, step=0.2):
    """exp(i·phase) by the definition."""
    scan = as_scan(**{**OPTICS, "step": step})
    grid = plan(scan, (64, 64), **OPTIONS)
    probe = probe_wave(scan, grid)
    nine = with_borders(frames)
    seen = nine[:, 4].any((1, 2))
    nine = np.where(nine.any((2, 3), keepdims=True), nine, nine[:, 4:5])
    waves = probe * np.exp(1j * known(nine))[:, None, None]
    pitch = step / oversample * 64 / grid.length
    options = {"pitch": pitch, "reach": int(0.8 / (step / oversample)), "cut": 0.1, "columns": frames.shape[1]}
    total = reference.object_sum(waves * seen[:, None, None], probe, oversample=oversample, **options)
    return np.where(total == 0, 1, total / np.maximum(np.abs(total), 1e-30))


@pytest.mark.parametrize(("oversample", "step"), [(1, 0.2), (2, 0.3), (3, 0.5)])
def test_is_the_definition(oversample, step):
    frames = counts()
    wave = airpi(
        frames, **{**OPTICS, "step": step}, center=(32.0, 32.0), oversample=oversample, model=Known(), threads=1
    )
    assert wave.dtype == np.complex64
    assert wave.shape == (5 * oversample, 7 * oversample)
    np.testing.assert_allclose(np.abs(wave), 1, atol=1e-6)
    np.testing.assert_allclose(wave, wanted(frames, oversample, step), atol=1e-5)


def test_long_lines_go_in_batches():
    frames, model = counts((2, 19)), Known()
    wave = airpi(frames, **OPTICS, center=(32.0, 32.0), model=model)
    assert model.batches == [8, 8, 3, 8, 8, 3]
    np.testing.assert_allclose(wave, wanted(frames), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 2)])
def test_small_scans(shape):
    frames = counts(shape)
    np.testing.assert_allclose(airpi(frames, **OPTICS, center=(32.0, 32.0), model=Known()), wanted(frames), atol=1e-5)


def test_empty_patterns():
    """An empty neighbour is the pattern in the middle; an empty middle adds nothing, its neighbours reach over."""
    frames = counts((6, 6))
    frames[2, 3] = frames[5, 0] = 0
    wave = airpi(frames, **OPTICS, center=(32.0, 32.0), model=Known())
    np.testing.assert_allclose(wave, wanted(frames), atol=1e-5)
    nothing = airpi(np.zeros((3, 4, 64, 64), np.uint16), **OPTICS, model=Known())
    np.testing.assert_array_equal(nothing, np.ones((3, 4)))


def blob(y, x):
    """A smooth pattern without any symmetry, y and x in 1/Å."""
    return np.exp(-((y - 0.3) ** 2) / 0.5 - (x + 0.2) ** 2 / 0.2) + 0.5 * np.exp(
        -((y + 0.5) ** 2 + (x - 0.4) ** 2) / 0.1
    )


@pytest.mark.parametrize(
    ("detector", "finer", "center", "angle", "transpose"),
    [
        ((64, 64), 1, None, 0.0, False),
        ((64, 64), 1, (30.0, 33.5), 0.7, False),
        ((200, 256), 4, (101.0, 120.3), -1.9, True),
        ((97, 120), 1.7, (50.0, 61.0), 2.6, False),
        ((32, 32), 0.5, (15.5, 16.0), 0.4, True),
    ],
)
def test_detectors_of_any_kind(detector, finer, center, angle, transpose):
    """What the network gets is the pattern in scan axes, wherever `rotate` says that they are."""
    scan = as_scan(
        **{**OPTICS, "angle_per_pixel": OPTICS["angle_per_pixel"] / finer}, rotation=angle, transpose=transpose
    )
    grid = Grid(64, 13.8)
    middle = ((detector[0] - 1) / 2, (detector[1] - 1) / 2) if center is None else center
    k = np.stack([p - c for p, c in zip(np.indices(detector), middle, strict=True)], -1) * scan.pixel
    frame = blob(*np.moveaxis(rotate(k, angle, transpose=transpose), -1, 0)).astype(np.float32)
    got = Resampler(scan, grid, detector, middle)(frame[None])[0]
    want = blob(*grid.frequencies())
    got *= want.sum() / got.sum()
    inside = np.hypot(*grid.frequencies()) < 0.4 * min(detector) * scan.pixel
    assert np.abs(got - want)[inside].max() < (0.02 if finer >= 1 else 0.08)


def test_a_detector_that_is_the_grid_is_left_alone():
    frames = counts()[0]
    scan = as_scan(**OPTICS)
    np.testing.assert_array_equal(
        Resampler(scan, plan(scan, (64, 64), **OPTIONS), (64, 64), (32.0, 32.0))(frames), frames
    )


def test_the_grid_keeps_to_what_the_network_knows():
    for pixels, angle in (((64, 64), 1.4), ((256, 256), 0.35), ((512, 128), 0.7), ((64, 64), 0.5), ((48, 48), 2.5)):
        scan = as_scan(**{**OPTICS, "angle_per_pixel": angle})
        grid = plan(scan, pixels, **OPTIONS)
        assert 0.1 <= scan.aperture * grid.length / 32 <= 0.951
        assert 9.99 <= grid.length <= 24.01
    whole = plan(as_scan(**OPTICS), (64, 64), **OPTIONS)
    assert whole.length == pytest.approx(1 / as_scan(**OPTICS).pixel)


def test_the_probe_is_that_of_the_simulation():
    from crewe import sim

    lens = optics.Aberrations(C10=-30.0, C12=20.0, phi12=0.4, C21=300.0, phi21=1.0)
    scan = as_scan(**OPTICS, aberrations=lens)
    grid = plan(scan, (64, 64), **OPTIONS)
    middle = grid.length / 2
    want = sim.probe(
        energy=300e3, semiangle=20.0, gpts=64, sampling=grid.length / 64, positions=(middle, middle), aberrations=lens
    )
    np.testing.assert_allclose(probe_wave(scan, grid), want * 64, atol=2e-6)
    turned = as_scan(**OPTICS, aberrations=lens, rotation=np.pi / 2)
    np.testing.assert_allclose(
        np.abs(probe_wave(turned, grid))[1:, 1:], np.rot90(np.abs(probe_wave(scan, grid))[1:, 1:], -1), atol=1e-6
    )


def test_neighbours_are_in_order():
    lines = np.arange(3 * 5, dtype=np.float32).reshape(3, 5, 1, 1) + 1
    nine, empty = neighbours(*lines, slice(0, 2))
    assert nine[:, :, 0, 0].tolist() == [[1, 1, 2, 6, 6, 7, 11, 11, 12], [1, 2, 3, 6, 7, 8, 11, 12, 13]]
    assert not empty.any()


def test_wrong_input():
    frames, model = np.ones((3, 3, 64, 64), np.uint16), Known()
    with pytest.raises(TypeError, match="energy"):
        airpi(frames, semiangle=20.0, step=0.2, angle_per_pixel=1.4)
    for name in OPTICS:
        for wrong in (0.0, -1.0, np.nan, None):
            with pytest.raises(ValueError, match=name):
                airpi(frames, **{**OPTICS, name: wrong}, model=model)
    with pytest.raises(ValueError, match="probe within the patch"):
        airpi(frames, **OPTICS, aberrations=optics.Aberrations(C10=500.0), model=model)
    with pytest.raises(ValueError, match="probe within the patch"):
        airpi(frames, **{**OPTICS, "angle_per_pixel": 20.0}, model=model)
    with pytest.raises(ValueError, match="step: at most the diameter"):
        airpi(frames, **{**OPTICS, "step": 1.5}, model=model)
    with pytest.raises(ValueError, match="oversample: probes that reach"):
        airpi(frames, **{**OPTICS, "step": 1.1}, oversample=2, model=model)
    with pytest.raises(TypeError, match="dtype"):
        airpi(frames.astype(np.float64), **OPTICS, model=model)
    with pytest.raises(ValueError, match="shape"):
        airpi(frames[0], **OPTICS, model=model)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="oversample"):
            airpi(frames, **OPTICS, oversample=wrong, model=model)
    with pytest.raises(TypeError, match="Aberrations"):
        airpi(frames, **OPTICS, aberrations={"C10": 1.0}, model=model)
    bad = frames.astype(np.float32)
    bad[1, 2, 5, 6] = np.nan
    with pytest.raises(ValueError, match=r"frames\[1\].*\[2, 5, 6\]"):
        airpi(bad, **OPTICS, model=model)


def test_a_model_that_is_not_there():
    if "imaging-airpi" not in crewe.models.list():
        with pytest.raises(crewe.ModelError, match="imaging-airpi"):
            airpi(np.ones((3, 3, 64, 64), np.uint16), **OPTICS)


def test_through_onnx_runtime():
    """A graph that gives the probe back: vacuum, whatever the patterns; by the door that trained networks take."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Split", ["probe"], ["amplitude", "phase"], axis=1, num_outputs=2),
        helper.make_node("Cos", ["phase"], ["cos"]),
        helper.make_node("Sin", ["phase"], ["sin"]),
        helper.make_node("Mul", ["amplitude", "cos"], ["re"]),
        helper.make_node("Mul", ["amplitude", "sin"], ["im"]),
        helper.make_node("Concat", ["re", "im"], ["wave"], axis=1),
        helper.make_node("ReduceMean", ["patterns", "axes"], ["mean"]),
        helper.make_node("Sub", ["mean", "mean"], ["zero"]),  # (n, 1, 1, 1): as many waves as positions
        helper.make_node("Add", ["wave", "zero"], ["waves"]),
    ]
    shapes = {"patterns": ["n", 9, 64, 64], "probe": [1, 2, 64, 64], "step": [1], "pitch": [1]}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    outputs = [helper.make_tensor_value_info("waves", TensorProto.FLOAT, ["n", 2, 64, 64])]
    axes = helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3])
    graph = helper.make_graph(nodes, "vacuum", inputs, outputs, [axes])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()
    onnx.checker.check_model(content)
    words = dict.fromkeys(("training_data", "recipe", "figures", "licence"), "none")
    about = crewe.models.Info("vacuum", "vacuum.onnx", "", "", (0.1, 1.0), **words, options=OPTIONS)
    model = crewe.models.Model(about, content, device="cpu", precision="f32", threads=1)
    wave = airpi(counts((4, 9)), **OPTICS, model=model, threads=1)
    assert np.abs(np.angle(wave)).max() < 1e-5
