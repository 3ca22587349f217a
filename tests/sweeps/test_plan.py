"""Axes and seeds become trials; what cannot be run is refused as a whole."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest

from avelzoo.composition.request import RunRequest
from avelzoo.composition.resolving import from_dict
from avelzoo.errors import RunError, UsageError
from avelzoo.plugin.default import default_host
from avelzoo.sweeps.expanding import expand
from avelzoo.sweeps.folder import SweepDir, sweep_name
from avelzoo.sweeps.plan import Axis, Plan

REGISTRY = default_host().registry


def trials(*axes, seeds=None):
    return expand(REGISTRY, [Axis.parse(text) for text in axes], seeds, RunRequest("ead-b"))


def test_every_combination_with_every_seed_once():
    found = trials("memory.size=8,16,32", "head=single,double", seeds=2)
    cells = [(t.cell["memory.size"], t.cell["head"], t.seed) for t in found]
    assert cells == [(m, h, s) for s, m, h in itertools.product((0, 1), (8, 16, 32), ("single", "double"))]
    assert len({t.name for t in found}) == len({t.identity for t in found}) == 12
    for trial in found:
        recipe = from_dict(REGISTRY, json.loads(json.dumps(trial.composition))).recipe
        assert recipe.memory.size == trial.cell["memory.size"]
        assert REGISTRY.entry_of(recipe.head).name == trial.cell["head"]
        assert recipe.train.seed == trial.seed
        assert trial.composition["slots"]["memory"]["sources"]["size"] == "sweep"


def test_without_axes_seeds_alone_differ():
    found = trials(seeds=3)
    assert [(t.name, dict(t.cell), t.seed) for t in found] == [(f"seed={i}", {}, i) for i in range(3)]
    assert [t.seed for t in trials(seeds=[7, 3])] == [7, 3]
    assert [t.seed for t in trials()] == [0]


def test_a_swept_seed_is_no_cell():
    found = trials("train.seed=4,9", "memory.size=1,2")
    assert {tuple(t.cell) for t in found} == {("memory.size",)}
    assert sorted((t.cell["memory.size"], t.seed) for t in found) == [(1, 4), (1, 9), (2, 4), (2, 9)]


def test_recipes_and_supervision_can_vary():
    found = trials("recipe=ead-b,single-branch", "supervision=full,weak")
    assert [(t.composition["recipe"], t.composition["supervision"]) for t in found] == [
        (f"avelzoo/{name}", setting) for name in ("ead-b", "single-branch") for setting in ("full", "weak")
    ]
    assert sweep_name(found) == "ead-b-single-branch-sweep"


def test_values_that_hold_commas():
    found = trials("schedule=steps", "schedule.milestones=10,20;30", "train.clip_norm=none,1")
    assert [t.cell["schedule.milestones"] for t in found] == [[10, 20], [10, 20], [30], [30]]
    assert [t.cell["train.clip_norm"] for t in found] == [None, 1.0, None, 1.0]
    assert all(set(t.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789N._=+-") for t in found)


def test_a_plan_survives_json():
    found = trials("memory.size=8,16", seeds=2)
    axes = [Axis.parse("memory.size=8,16")]
    launcher = {"name": "inline", "options": {}}
    plan = Plan.of(axes, found, device="cpu", launcher=launcher, plugins=[], command=["avelzoo", "run"])
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@pytest.mark.parametrize(
    ("axes", "seeds", "message"),
    [
        (["epochs=1,2"], None, "did you mean 'train.epochs'"),
        (["memory.size"], None, "cannot read the sweep"),
        (["memory.size=1,,2"], None, "cannot read the sweep"),
        (["memory.size=1,2", "memory.size=3"], None, "swept twice"),
        (["memory.size=8,8"], None, "has a duplicate value"),
        (["train.seed=1,2"], 3, "seeds are given twice"),
        (["head=single"], 0, "1 or more"),
        (["train=a"], None, "'train' cannot be swept"),
        (["memory.size=8,08"], None, "are the same run"),
        (["recipe=ead-b,nonsense"], None, "1 of the sweep's 2 combinations cannot be run"),
        (["memory.sice=8"], None, "unknown option 'memory.sice'"),
        (["supervision=full,half"], None, "1 of the sweep's 2"),
    ],
)
def test_refusals(axes, seeds, message):
    with pytest.raises(UsageError, match=message):
        trials(*axes, seeds=seeds)


def test_all_impossible_pairings_are_named_at_once():
    with pytest.raises(UsageError, match="2 of the sweep's 8 combinations cannot be run") as fault:
        trials("head=event-aware,double", "memory=none,jsd-bank", "train.epochs=1,2")
    told = fault.value.found.split("; ")
    assert [line.split(":")[0] for line in told] == [
        "head=event-aware, memory=none, train.epochs=1",
        "head=event-aware, memory=none, train.epochs=2",
    ]
    assert "--memory jsd-bank" in fault.value.fix


def test_a_fault_of_what_all_share_is_told_as_it_is():
    with pytest.raises(UsageError, match=r"^unknown recipe 'nonsense'"):
        expand(REGISTRY, [Axis("memory.size", (1, 2))], None, RunRequest("nonsense"))


def folder_with(path, found):
    path.mkdir()
    plan = Plan(axes=(), trials=tuple(found), device="cpu", launcher={"name": "inline", "options": {}})
    return SweepDir(path), SweepDir(path).keep(plan, resume=False)


def test_a_folder_keeps_its_plan(tmp_path):
    folder, plan = folder_with(tmp_path / "s", trials(seeds=2))
    assert folder.load() == plan
    with pytest.raises(RunError, match="already holds a sweep"):
        folder.keep(plan, resume=False)
    assert folder.keep(plan, resume=True) == plan


def test_a_sweep_can_grow_and_keeps_its_names(tmp_path):
    folder, plan = folder_with(tmp_path / "s", trials(seeds=2))
    grown = folder.keep(replace(plan, trials=tuple(trials("memory.size=16,8", seeds=3))), resume=True)
    names = [t.name for t in grown.trials]
    assert len(set(names)) == 6
    assert {t.identity: t.name for t in plan.trials}.items() <= {t.identity: t.name for t in grown.trials}.items()
    with pytest.raises(RunError, match="other runs than requested") as fault:
        folder.keep(plan, resume=True)
    assert "--resume" in fault.value.fix


def test_names_stay_apart_when_a_sweep_grows(tmp_path):
    """The same name for another run: both are kept."""
    first = [replace(t, name="taken") for t in trials("memory.size=4")]
    folder, plan = folder_with(tmp_path / "s", first)
    other = [replace(t, name="taken") for t in trials("memory.size=5")]
    grown = folder.keep(replace(plan, trials=(*first, *other)), resume=True)
    assert [t.name for t in grown.trials] == ["taken", "taken-new"]


def test_a_run_is_not_swept_over(tmp_path):
    (tmp_path / "composition.json").write_text("{}")
    with pytest.raises(RunError, match="already holds a run"):
        SweepDir(tmp_path).keep(
            Plan(axes=(), trials=(), device="cpu", launcher={"name": "inline", "options": {}}), resume=True
        )


def test_a_damaged_plan_is_told(tmp_path):
    (tmp_path / "sweep.json").write_text('{"axes": []}')
    with pytest.raises(RunError, match="incomplete"):
        SweepDir(tmp_path).load()
