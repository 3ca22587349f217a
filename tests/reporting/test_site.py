"""Reports of the committed runs: each is small, complete, free of paths, and has its page on the site."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import ROOT

SITE = runpy.run_path(str(ROOT / "scripts" / "site_reports.py"))
COPIES = sorted(path.parent for path in SITE["RUNS"].glob("*/*/composition.json"))


def test_there_are_committed_runs():
    assert COPIES


@pytest.mark.parametrize("copy", COPIES, ids=lambda path: path.name)
def test_a_committed_run_is_small_and_has_no_paths(copy):
    assert sum(path.stat().st_size for path in copy.iterdir()) < 200_000
    text = "".join(path.read_text("utf-8") for path in copy.glob("*.json*"))
    assert '"/' not in text


def test_the_site_gets_a_report_for_every_folder(tmp_path):
    written = SITE["write_reports"](tmp_path, resamples=100)
    assert [path.stem for path in written] == sorted({copy.parent.name for copy in COPIES})
    page = written[0].read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>") and all(f'id="{name}"' in page for name in ("overview", "composition"))
