"""The pages: every link leads somewhere, every module has one, and the examples that need nothing run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
#: Pages whose examples make all they use, in a second or two.
WHOLE = ("imaging", "io", "live", "metrics", "phase", "strain")


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
    if name in ("metrics", "strain"):
        pytest.importorskip({"metrics": "cv2", "strain": "matplotlib"}[name])
    exec("\n".join(blocks), {})
