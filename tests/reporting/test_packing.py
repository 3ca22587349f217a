"""Compact copies of runs: the same report, without weights and without paths of this machine."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from avelzoo.errors import UsageError
from avelzoo.plugin.default import default_host
from avelzoo.reporting.packing import pack
from avelzoo.reporting.report import ReportRequest, write_report
from avelzoo.reporting.runs import read_runs


@pytest.fixture(scope="module")
def packed(finished, tmp_path_factory):
    """Report of a run and of its compact copy, and the copy's folder."""
    folder = tmp_path_factory.mktemp("packed")
    registry = default_host().registry
    request = ReportRequest(method="pca", resamples=100, pack=folder / "copies")
    first = write_report([finished], folder / "first.html", registry, request)
    second = write_report([folder / "copies"], folder / "second.html", registry, ReportRequest(resamples=100))
    return first, second, first.copies[0]


def test_the_copy_gives_the_same_report(packed):
    first, second, _ = packed
    assert first.sections == second.sections and first.runs == second.runs
    pages = [one.path.read_text("utf-8") for one in (first, second)]
    shown = [re.sub(r'<script type="application/json".*', "", page, flags=re.DOTALL) for page in pages]
    without_command = [re.sub(r"<pre tabindex.*?</pre>", "", page, flags=re.DOTALL) for page in shown]
    assert without_command[0] == without_command[1]


def test_the_copy_has_no_weights_and_no_paths(packed, finished):
    copy = packed[2]
    names = {path.name for path in copy.iterdir()}
    assert names == {"composition.json", "result.json", "metrics.jsonl", "predictions.h5", "report.json"}
    text = "".join(path.read_text("utf-8") for path in copy.glob("*.json"))
    assert str(finished.parent) not in text and json.loads((copy / "result.json").read_text())["run_dir"] == "ead"


def test_decisions_are_kept_exactly_and_scores_in_three_decimals(packed, finished):
    (whole,), (copy,) = read_runs([finished]).runs, read_runs([packed[2]]).runs
    assert (whole.found.segments == copy.found.segments).all() and (whole.found.category == copy.found.category).all()
    assert (whole.labelled.truth.segments == copy.labelled.truth.segments).all()
    np.testing.assert_allclose(whole.found.relevance, copy.found.relevance, atol=5.1e-4)
    assert copy.found.audio_scores is None  # X-rays are shown in their place


def test_a_copy_is_not_overwritten(packed, finished):
    (run,) = read_runs([finished]).runs
    with pytest.raises(UsageError, match="already exists"):
        pack(run, {}, packed[2].parent)
