"""Quick start and tutorials are followed from first to last command, in a smaller edition where the page says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from avelzoo.plugin.default import as_default
from avelzoo.plugin.host import PluginHost
from tests.walking import Walk, with_options

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = [
    DOCS / "quick-start.md",
    *sorted(page for page in (DOCS / "tutorials").glob("*.md") if page.name != "your-videos.md"),  # test_demo_video.py
    DOCS / "how-to" / "errors.md",
]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_can_be_followed(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with as_default(PluginHost()):
        assert Walk().follow(page) >= 1


def test_a_shortened_command_keeps_its_other_options() -> None:
    typed = ["run", "ead-b", "--epochs", "10", "--set", "a.b=1", "--out", "x"]
    assert with_options(typed, ("--epochs", "1", "--set", "c.d=2")) == (
        ["run", "ead-b", "--set", "a.b=1", "--out", "x", "--epochs", "1", "--set", "c.d=2"]
    )


@pytest.mark.parametrize("shown", ["run folder  elsewhere", "another line"])
def test_a_line_that_is_not_printed_is_found(shown: str) -> None:
    walk = Walk()
    walk.printed = "epoch  1 of 1\nrun folder  runs/x\n"
    walk.compare("page", ["epoch  9 of 10"])
    with pytest.raises(AssertionError, match="not printed"):
        walk.compare("page", [shown])
