"""The pictures of README and pages: shown, described, inside their frames, with the numbers of their pages."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.charts.checks import SVG, check, overlapping

ROOT = Path(__file__).resolve().parents[2]
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = re.compile(r'(?:!\[([^\]]*)\]\(|<img src="|srcset=")([^)"\s]*pictures/[\w-]+\.svg)')


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_a_complete_drawing(path):
    root = check(path.read_text("utf-8"))
    assert root.get("role") == "img"
    title, description = root.find(SVG + "title").text, root.find(SVG + "desc").text
    assert len(title) > 10 and len(description) > len(title)
    assert overlapping(root) == []
    assert path.stat().st_size < 150_000


def test_every_picture_is_shown_and_every_shown_picture_exists():
    shown = set()
    for page in PAGES:
        for alt, target in SHOWN.findall(page.read_text("utf-8")):
            path = (page.parent / target).resolve()
            assert path.is_file(), f"{page.name} shows {target}"
            assert alt or "<picture>" in page.read_text("utf-8")
            shown.add(path)
    assert {path.name for path in PICTURES} == {path.name for path in shown if path.parent.name == "pictures"}


def test_numbers_come_from_the_pages(scripts):
    from pictures import cost
    from pictures.tables import page, table, value

    from avelzoo.charts.scale import number

    row = next(row for row in table("scale.md", "## Unit costs") if "float32" in row[0])
    assert f"{number(round(value(row[1]) * 1e6 / 1e12, 1))} TB as float32" in cost.storage()
    with pytest.raises(LookupError, match="no table below"):
        table("performance.md", "## No such heading")
    with pytest.raises(LookupError, match="0 pages"):
        page("nowhere.md")


def test_a_box_refuses_words_that_do_not_fit(scripts):
    from pictures.sheet import Sheet

    with pytest.raises(ValueError, match="wider than its box"):
        Sheet("title", "description", 200, 100).box(0, 0, 40, 40, "much too long")
