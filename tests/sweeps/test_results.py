"""Means and spreads against loops."""

from __future__ import annotations

import json
import math
import random

from avelzoo.metrics import score_names
from avelzoo.sweeps.plan import Plan, Trial
from avelzoo.sweeps.results import COSTS, SHOWN, Failure, Spread, summarise


def trial(name, cell, seed):
    return Trial(name=name, cell=cell, seed=seed, composition={})


def result(rng):
    scores = {
        split: {
            "segment_accuracy": rng.random(),
            "floors": {"background": rng.random()},
            "undefined": None,
            "name": "x",
        }
        for split in ("val", "test")
    }
    return {"scores": scores} | {name: rng.randrange(1, 9) for name in COSTS}


def test_spreads_are_those_of_a_loop():
    rng = random.Random(0)  # noqa: S311
    sizes, seeds = (8, 16), range(4)
    trials = [trial(f"{size}-{seed}", {"memory.size": size}, seed) for seed in seeds for size in sizes]
    results = {t.name: result(rng) for t in trials if t.name not in ("8-3", "16-0", "16-2", "16-3")}
    plan = Plan(axes=("memory.size",), trials=tuple(trials), device="cpu", launcher={})
    failures = [Failure("16-0", {"problem": "no"})]
    told = summarise("here", plan, results, failures)
    assert [cell.values["memory.size"] for cell in told.cells] == [8, 16]
    assert [cell.seeds for cell in told.cells] == [(0, 1, 2), (1,)]
    for cell in told.cells:
        for split, name in (("val", "segment_accuracy"), ("test", "segment_accuracy")):
            values = [results[run]["scores"][split][name] for run in cell.runs]
            mean = sum(values) / len(values)
            spread = cell.measures[f"{split}.{name}"]
            assert math.isclose(spread.mean, mean)
            assert (spread.count, spread.min, spread.max) == (len(values), min(values), max(values))
            if len(values) == 1:
                assert spread.std is None
            else:
                assert math.isclose(spread.std, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)))
        assert "test.floors.background" in cell.measures
        assert "seconds" in cell.measures
        assert not [name for name in cell.measures if "undefined" in name or "name" in name]
    assert told.unfinished == ("16-2", "8-3", "16-3")
    assert not told.complete
    assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["failures"][0]["run"] == "16-0"


def test_table_for_people():
    plan = Plan(axes=("head",), trials=(trial("a", {"head": "single"}, 0), trial("b", {"head": "double"}, 0)),
                device="cpu", launcher={})  # fmt: skip
    scores = {"test": {"segment_accuracy": 0.712}, "val": {"segment_accuracy": 0.7}}
    told = summarise("here", plan, {"a": {"scores": scores} | dict.fromkeys(COSTS)})
    assert told.rows() == (
        ["head", "runs", "test segment accuracy %", "val %"],
        [["single", "1", "71.2", "70.0"], ["double", "0", "-", "-"]],
    )
    assert str(told).splitlines()[2] == "| single | 1 | 71.2 | 70.0 |"
    assert Spread.of([0.7, 0.8]).percent() == "75.0 ± 7.1"


def test_the_tables_columns_are_scores():
    assert {name.partition(".")[2] for name in SHOWN} <= score_names()
    assert {"floors.background", "events_iou50.recall", "thresholds.val.distance"} <= score_names()
