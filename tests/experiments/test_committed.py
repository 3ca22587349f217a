"""The committed results: their scores come from their predictions, and their plans have their hashes."""

from __future__ import annotations

import pytest

from avelzoo.experiments.folder import BenchDir
from avelzoo.experiments.results import BenchResult
from avelzoo.experiments.writing import measured_of
from avelzoo.metrics import segment_accuracy
from avelzoo.system.files import read_json
from tests.conftest import ROOT

FOLDERS = sorted(path.parent for path in ROOT.glob("docs/results/*/plan.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scores_come_from_the_predictions(folder):
    bench = BenchDir(folder)
    stored = BenchResult.from_dict(read_json(folder, "results.json"))
    measured = measured_of(bench, stored)
    assert bench.load().hash == stored.plan
    assert stored.finished > 0
    for table in stored.tables:
        for cell in table.cells:
            if not cell.seeds:
                continue
            own = measured.cells[cell.name]
            truth = measured.labelled[own.data].truth
            found = [segment_accuracy(segments, truth) for segments in own.segments]
            assert found == pytest.approx([run.test["segment_accuracy"] for run in own.runs])
            assert cell.values == pytest.approx(tuple(found))
            assert cell.mean == pytest.approx(sum(found) / len(found))
            assert cell.low <= cell.mean <= cell.high
