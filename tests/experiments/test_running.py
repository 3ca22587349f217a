"""Plans, runs, adopted runs, result files and tables of an experiment."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

import avelzoo
from avelzoo.composition.overrides import Override
from avelzoo.errors import RunError
from avelzoo.experiments.folder import BenchDir
from avelzoo.experiments.request import BenchRequest
from avelzoo.experiments.results import BenchResult
from avelzoo.experiments.tables import latex, markdown
from avelzoo.experiments.writing import recompute
from avelzoo.metrics.signature import Signature


def cells(result):
    return {cell.row: cell for table in result.tables for cell in table.cells}


def test_numbers_are_those_of_the_runs(finished_once):
    path, result = finished_once
    assert result.complete
    assert result.planned == 2
    for name, cell in cells(result).items():
        run = avelzoo.load_run(path / "sweep" / "runs" / f"{name}-full-s0").result
        test = run.scores["test"]
        assert cell.mean == pytest.approx(test.segment_accuracy)
        assert cell.own_category == pytest.approx(test.floors.own_category_all_event)
        assert cell.gain == pytest.approx(test.segment_accuracy - test.floors.own_category_all_event)
        assert (cell.parameters, cell.seeds, cell.std) == (run.parameters, (0,), None)
        signature = Signature.parse(cell.signature)
        assert (signature.dataset, signature.videos, signature.seeds, signature.selection) == ("worlds", 12, 1, "val")
    single, double = cells(result)["single"], cells(result)["double"]
    assert single.difference is None
    assert double.difference.value == pytest.approx(double.mean - single.mean)
    assert double.difference.low <= double.difference.value <= double.difference.high
    assert double.published[0].difference == pytest.approx(0.05)


def test_files_hold_the_result(finished_once):
    path, result = finished_once
    stored = json.loads((path / "results.json").read_text())
    assert stored == json.loads(json.dumps(result.to_dict()))
    assert json.dumps(BenchResult.from_dict(stored).to_dict()) == json.dumps(stored)
    assert (path / "table.md").read_text() == markdown(result)
    assert (path / "table.tex").read_text() == latex(result)
    assert r"double branch & 1 &" in latex(result)
    rows = list(csv.DictReader((path / "table.csv").read_text().splitlines()))
    assert [(row["row"], float(row["mean"])) for row in rows] == [(n, c.mean) for n, c in cells(result).items()]
    assert {row["plan"] for row in rows} == {BenchDir(path).load().hash}
    assert (path / "accuracy-full.svg").read_text().startswith("<svg")


def test_every_number_comes_back_from_the_files_alone(host, folder, finished_once):
    shutil.rmtree(folder / "sweep")
    assert recompute(host.registry, folder).to_dict() == finished_once[1].to_dict()
    (folder / "predictions.npz").write_bytes(b"damaged")
    with pytest.raises(RunError, match="predictions of the experiment cannot be read"):
        recompute(host.registry, folder)


def test_a_folder_keeps_its_plan(bench, folder):
    with pytest.raises(RunError, match="already holds an experiment"):
        bench(folder)
    other = BenchRequest(overrides=(Override("optimizer.learning_rate", 0.01, "--set"),))
    with pytest.raises(RunError, match="holds another plan") as caught:
        bench(folder, request=other, resume=True)
    assert "cell single-full.optimizer.learning_rate is 0.0003, not 0.01" in caught.value.found
    with pytest.raises(RunError, match="holds another plan") as caught:
        bench(folder, request=BenchRequest(rows=("single",)), resume=True)
    assert caught.value.found == "cell double-full missing"


def test_added_seeds_are_an_amendment(bench, folder):
    before = BenchDir(folder).load()
    stamp = (folder / "sweep/runs/single-full-s0/result.json").stat().st_mtime_ns
    result = bench(folder, request=BenchRequest(seeds=2), resume=True)
    plan = BenchDir(folder).load()
    assert [one.what for one in plan.amendments] == ["seeds added: 1"]
    assert plan.first_hash == before.hash == result.first_plan
    assert plan.hash == plan.amendments[0].hash == result.plan != before.hash
    assert cells(result)["single"].seeds == (0, 1)
    assert cells(result)["single"].std is not None
    assert (folder / "sweep/runs/single-full-s0/result.json").stat().st_mtime_ns == stamp
    assert "seeds added: 1" in (folder / "table.md").read_text()


def test_a_plan_changed_by_hand_is_refused(folder):
    plan = folder / "plan.json"
    plan.write_text(plan.read_text().replace('"edition": "tiny"', '"edition": "tidy"'))
    with pytest.raises(RunError, match="changed after it was written"):
        BenchDir(folder).load()


def test_finished_runs_are_adopted(bench, finished_once, tmp_path):
    path, result = finished_once
    again = bench(tmp_path / "again", adopt=[path / "sweep" / "runs"], budget=0.0)
    assert (again.complete, again.adopted, again.left_out) == (True, 2, ())
    assert again.plan == result.plan
    assert cells(again)["double"].mean == cells(result)["double"].mean
    assert "2 of them trained before the plan was written" in (tmp_path / "again" / "table.md").read_text()
    with pytest.raises(RunError, match="holds no finished run"):
        bench(tmp_path / "other", adopt=[tmp_path], budget=0.0)


def test_runs_of_earlier_versions_lack_newer_options(bench, finished_once, tmp_path):
    for run in (finished_once[0] / "sweep" / "runs").iterdir():
        shutil.copytree(run, tmp_path / "earlier" / run.name)
        record = json.loads((run / "composition.json").read_text())
        del record["slots"]["compute"]["options"]["transfer"]
        (tmp_path / "earlier" / run.name / "composition.json").write_text(json.dumps(record))
    again = bench(tmp_path / "again", adopt=[tmp_path / "earlier"], budget=0.0)
    assert (again.complete, again.adopted) == (True, 2)


def test_runs_of_other_values_are_not_adopted(bench, finished_once, tmp_path):
    request = BenchRequest(overrides=(Override("dataset.seed", 1, "--set"),))
    result = bench(tmp_path / "b", request=request, adopt=[finished_once[0] / "sweep" / "runs"], budget=0.0)
    assert (result.finished, len(result.left_out)) == (0, 2)


def test_the_command_line(call, host, folder, monkeypatch):
    for module in ("avelzoo.plugin.default", "avelzoo.cli.commands.bench"):
        monkeypatch.setattr(f"{module}.default_host", lambda: host)
    plan = call("bench", "small", "--dry-run", "--seeds=3", "--json").json
    assert [run["name"] for run in plan["runs"]][:3] == ["single-full-s0", "double-full-s0", "single-full-s1"]
    assert plan["expected_seconds"] == 60.0
    assert plan["power"][0]["videos"] == 12
    assert plan["published"]["double"][0]["segment_accuracy"] == 0.80
    assert "train.epochs=1 instead of 300" in plan["summary"]
    told = call("bench", "small", "--dry-run").out
    assert plan["hash"] not in told  # three seeds are another plan than one
    assert BenchDir(folder).load().hash in told
    assert call("bench", str(folder), "--recompute", "--json").json["complete"] is True
    shown = call("bench", str(folder), "--resume", "--threads=1").out
    assert "double" in shown
    assert "2 of 2 runs are finished" in shown
    refused = call("bench", str(folder), "--resume", "--rows=single")
    assert refused.code == 2
    assert "cannot change its rows" in refused.err
