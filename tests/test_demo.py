"""The demo's model against the physics that it stands for."""

import re

import numpy as np
import pytest

from crewe.demo.model import Model, electrons
from crewe.demo.run import demo

SMALL = Model(cells=2, steps=12, pixels=96)


def com_of(model):
    patterns = model.patterns()
    k = np.arange(model.pixels) - model.pixels // 2
    com = np.stack([(patterns.sum(3) * k).sum(2), (patterns.sum(2) * k).sum(2)], -1)
    return com / patterns.sum((-2, -1))[..., None] / (model.cells * 3.905)  # 1/Å


def test_centre_of_mass_of_a_thin_crystal_is_the_gradient_of_the_phase():
    """⟨k⟩ = ⟨∇φ⟩/2π (Ehrenfest), exact for a phase object: its Fourier integral is the truth."""
    thin = Model(cells=2, layers=1, steps=12, pixels=96, configurations=0)
    com = np.tile(com_of(thin), (thin.cells, thin.cells, 1))
    qy, qx = np.fft.fftfreq(thin.scan[0], thin.step)[:, None], np.fft.fftfreq(thin.scan[1], thin.step)
    squared = qy**2 + qx**2
    squared[0, 0] = 1.0
    spectrum = np.fft.fft2(com, axes=(0, 1))
    phase = 2 * np.pi * np.fft.ifft2((qy * spectrum[..., 0] + qx * spectrum[..., 1]) / (2j * np.pi * squared)).real
    truth = thin.truth()
    assert np.abs(phase - (truth - truth.mean())).max() < 0.05 * np.ptp(truth)


def test_the_beam_is_where_the_model_says():
    com = com_of(Model(cells=2, steps=8, pixels=96, configurations=0))
    assert np.abs(com.mean((0, 1))).max() < 1e-4, "no deflection on average over a cell"


def test_heavy_columns_scatter_far_and_oxygen_is_seen_in_the_phase():
    patterns, half = SMALL.patterns(), SMALL.steps // 2
    k = np.arange(SMALL.pixels) - SMALL.pixels // 2
    far = (np.hypot(k[:, None], k) * SMALL.angle_per_pixel > 50)[None, None]
    dark_field = (patterns * far).sum((-2, -1))
    strontium, titanium, oxygen = dark_field[0, 0], dark_field[half, half], dark_field[0, half]
    assert strontium > titanium > 3 * oxygen > 0
    phase = SMALL.truth()[: SMALL.steps, : SMALL.steps]
    assert phase[0, half] > phase[0, half // 2], "a maximum at the oxygen column"


def test_electrons_follow_the_patterns():
    seen = []
    events = electrons(SMALL, 200, seed=1, tick=seen.append)
    positions = SMALL.scan[0] * SMALL.scan[1]
    assert sum(seen) == positions
    assert np.array_equal(events, electrons(SMALL, 200, seed=1))
    assert np.all(np.diff(events["position"].astype(np.int64)) >= 0)
    counts = np.bincount(events["position"], minlength=positions)
    assert counts.mean() == pytest.approx(200, abs=5)
    assert counts.var() == pytest.approx(200, rel=0.2)
    first = np.isin(events["position"] % SMALL.scan[1], (0, SMALL.steps)) & (
        np.isin(events["position"] // SMALL.scan[1], (0, SMALL.steps))
    )
    want = SMALL.patterns()[0, 0]
    want /= want.sum()
    got = np.zeros_like(want)
    np.add.at(got, (events["y"][first], events["x"][first]), 1.0)
    rows = np.abs(got.sum(1) / got.sum() - want.sum(1)).sum()
    assert rows < 0.2, "the row sums of 800 electrons"


@pytest.mark.parametrize("model", [Model(cells=2, steps=8)], ids=["16x16"])
def test_the_whole_demo(model, tmp_path):
    """Both streams arrive whole, give the same images, and show the model; every file named in the report is there."""
    told = []
    assert demo(tmp_path / "made" / "here", model=model, dose=300, say=told.append)
    folder = tmp_path / "made" / "here"
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "256 of 256" in report
    for file in re.findall(r"\]\(([^)]+)\)", report):
        assert (folder / file).stat().st_size > 0
        assert (folder / file).with_suffix(".npy").exists()
    truth = np.load(folder / "truth.npy")
    for name in ("ricom", "icom", "adf", "bf", "com", "field", "sum"):
        frames, single = (np.load(folder / f"{stream}-{name}.npy") for stream in ("merlin", "tpx3"))
        assert np.abs(frames - single).max() <= 1e-6 * np.abs(frames).max(), name
    assert np.corrcoef(np.load(folder / "tpx3-icom.npy").ravel(), truth.ravel())[0, 1] > 0.9
    assert (folder / "overview.png").read_bytes().startswith(b"\x89PNG")
    assert len(told) == 3


def test_an_interrupted_demo_saves_what_is_there(tmp_path, monkeypatch):
    def feed(session, source, **_):
        first, frames = next(source.raw_blocks())
        session.push(np.ascontiguousarray(frames, source.dtype), first=first)
        raise KeyboardInterrupt

    monkeypatch.setattr("crewe.live.feed", feed)
    assert not demo(tmp_path, model=Model(cells=1, steps=12), dose=100)
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Interrupted" in report
    assert "of 144 |" in report
    assert np.load(tmp_path / "merlin-bf.npy").any()
