"""The pages: every link leads somewhere, every module has one, and the examples that need nothing run."""

import importlib.util
import math
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
#: Pages whose examples make all they use, in a second or two.
WHOLE = (
    "airpi",
    "atoms",
    "atoms_fit",
    "compare",
    "cuda",
    "imaging",
    "io",
    "live",
    "metrics",
    "noise",
    "phase",
    "strain",
)
WANTED = {"airpi": "onnxruntime", "metrics": "cv2", "strain": "matplotlib"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).is_file(), link


def test_every_page_is_in_the_gallery():
    gallery = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in PAGES:
        assert f": {page.name}\n" in menu
        assert page.stem == "index" or f"({page.name})" in gallery


@pytest.mark.parametrize("name", WHOLE)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    if name in WANTED:
        pytest.importorskip(WANTED[name])
    exec("\n".join(blocks), {})


def test_comparison_of_methods():
    """The script of compare.md, small: without noise all phases agree with the truth, and each image with itself."""
    pytest.importorskip("ase")
    pytest.importorskip("onnxruntime")
    spec = importlib.util.spec_from_file_location("pictures_compare", ROOT / "docs" / "pictures_compare.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    frames, truth = script.simulate(20)
    found = script.compare(frames, truth, (math.inf, 1e5), draws=2)
    assert found[math.inf]["ADF"][1] == pytest.approx(1.0)
    for row in found.values():
        for name, (image, agreement, spread) in row.items():
            assert image.shape == truth.shape, name
            assert agreement > 0.8, name
            assert spread < 0.1, name
