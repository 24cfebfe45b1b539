"""`crewe degrade` and `crewe train preview`."""

import importlib.util
import itertools
import json

import numpy as np
import pytest

from crewe.cli import run


@pytest.fixture
def clean(tmp_path):
    y, x = np.mgrid[:40, :50]
    image = (0.1 + np.exp(-((y % 10 - 5) ** 2 + (x % 10 - 5) ** 2) / 6)).astype(np.float32)
    np.save(tmp_path / "clean.npy", image)
    return tmp_path / "clean.npy"


@pytest.mark.parametrize("kind", ["stem", "sem", "tem"])
def test_degrade(clean, kind, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure = tmp_path / "pair.png"
    assert run(["degrade", str(clean), "--kind", kind, "--random", "--seed", "3", "--figure", str(figure)]) == 0
    made = np.load(tmp_path / "clean-degraded.npy")
    assert made.shape == (40, 50)
    assert not np.array_equal(made, np.load(clean))
    assert figure.read_bytes().startswith(b"\x89PNG")
    used = json.loads(next(line for line in capsys.readouterr().err.splitlines() if line.startswith("{")))
    assert used["seed"] == 3


def test_degrade_by_hand_is_the_chain(clean, tmp_path):
    from crewe import noise

    out = tmp_path / "out.npy"
    knobs = ["--set", "jitter.sigma=0.1,0.2", "--set", "jitter.phi=0.5", "--set", "bits=8", "--electrons", "5"]
    assert run(["degrade", str(clean), *knobs, "--seed", "4", "--output", str(out)]) == 0
    want = noise.stem(
        np.load(clean),
        pixel_size=0.2,
        electrons_per_pixel=5.0,
        seed=4,
        jitter={"sigma": (0.1, 0.2), "phi": 0.5},
        bits=8,
    )
    assert np.array_equal(np.load(out), want.image)


def test_degrade_reads_tiff(clean, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "clean.tif", (1000 * np.load(clean)).astype(np.uint16))
    assert run(["degrade", str(tmp_path / "clean.tif"), "--output", str(tmp_path / "out.npy")]) == 0
    assert np.load(tmp_path / "out.npy").mean() == pytest.approx(1000 * np.load(clean).mean(), rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "jitter"], 2, "STAGE.OPTION=VALUE"),
        (["--set", "jitter.sigmma=1"], 2, "sigmma"),
        (["--set", "haze.depth=1"], 2, "haze"),
        (["--set", "seed=3"], 2, "a stage of stem wanted: jitter"),
        (["--set", "jitter.sigma=much"], 2, "number"),
        (["--set", "jitter.sigma=-.1"], 1, "sigma"),
        (["--electrons", "-3"], 1, "electrons_per_pixel"),
        (["--figure", "pair.jpg"], 2, ".png"),
        (["--output", "out.doc"], 2, "suffix"),
    ],
)
def test_degrade_says_what_is_wrong(clean, arguments, code, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["degrade", str(clean), *arguments]) == code
    assert words in capsys.readouterr().err


def test_degrade_wants_one_image(tmp_path, capsys):
    np.save(tmp_path / "stack.npy", np.ones((3, 4, 5)))
    assert run(["degrade", str(tmp_path / "stack.npy"), "--output", str(tmp_path / "out.npy")]) == 1
    assert "one image (y, x)" in capsys.readouterr().err
    (tmp_path / "words.npy").write_text("words")
    assert run(["degrade", str(tmp_path / "words.npy"), "--output", str(tmp_path / "out.npy")]) == 1
    assert "a NumPy file" in capsys.readouterr().err
    assert run(["degrade", str(tmp_path / "nothing.npy"), "--output", str(tmp_path / "out.npy")]) == 1
    assert run(["degrade", str(tmp_path / "nothing.xyz"), "--output", str(tmp_path / "out.npy")]) == 1


def test_preview(tmp_path, capsys):
    options = ["--shape", "32x48", "--rows", "2", "--columns", "1", "--folder", str(tmp_path)]
    assert run(["train", "preview", "--mode", "stem-lr", "--mode", "tem-hr", *options]) == 0
    for mode in ("stem-lr", "tem-hr"):
        assert (tmp_path / f"preview-{mode}.png").read_bytes().startswith(b"\x89PNG")
    assert run(["train", "preview", "--mode", "xray-hr", *options]) == 2
    assert "xray-hr" in capsys.readouterr().err


def test_data_set_says_what_it_wants():
    from crewe import train

    if importlib.util.find_spec("torch") is None:
        with pytest.raises(ImportError, match="crewe\\[train\\]"):
            train.dataset("stem-hr", shape=(16, 16), batch=1, seed=1)


def test_workers_of_a_loader_draw_pairs_of_their_own():
    torch = pytest.importorskip("torch")
    from crewe import train

    def draw(workers):
        data = train.dataset("stem-lr", shape=(16, 24), batch=2, seed=1, threads=1)
        loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
        return list(itertools.islice(loader, 6))

    drawn = {workers: draw(workers) for workers in (0, 2)}
    for batches in drawn.values():
        for distorted, undistorted in batches:
            assert distorted.shape == undistorted.shape == (2, 1, 16, 24)
            assert distorted.dtype == undistorted.dtype == torch.float32
        assert len({image.numpy().tobytes() for _, batch in batches for image in batch}) == 12, "every pair is new"
    assert all(
        torch.equal(a, b) for one, two in zip(drawn[2], draw(2), strict=True) for a, b in zip(one, two, strict=True)
    )
