"""An idea defined in a cell: run, run again, loaded again, and refused where it would be lost."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import avelzoo
from avelzoo import MeanPoolConfig, UsageError, load_run, recipes, run, sweep
from avelzoo.builtin.launchers.configs import LocalConfig
from avelzoo.errors import OptionError, UnknownNameError
from avelzoo.plugin import defining
from avelzoo.plugin.default import default_host
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import THIS_PROCESS

SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "memory.size": 2,
    "train.epochs": 1,
    "train.batch_size": 8,
}


@pytest.fixture
def cell(root, tmp_path, monkeypatch):
    """Runs the example as a notebook runs a cell; returns its class."""
    monkeypatch.chdir(tmp_path)
    default_host()
    yield lambda: runpy.run_path(str(root / "examples" / "idea.py"))["MyIdea"]
    defining._HERE.clear()
    if any(record.name == THIS_PROCESS for record in default_host().records):
        default_host().remove(THIS_PROCESS)


def test_a_cell_run_twice(cell):
    first = cell()
    one = run("ead-b", encoder="my-idea", options=SMALL | {"encoder.width": 8})
    second = cell()
    assert second is not first
    two = run(replace(recipes["ead-b"]("full"), encoder=second.Config(width=8)), options=SMALL)
    assert two.scores == one.scores
    again = load_run(two.run_dir)
    assert type(again.model.encoder) is second
    assert again.composition.recipe.encoder == second.Config(width=8)
    row = json.loads(Path(two.run_dir, "composition.json").read_text())["slots"]["encoder"]
    assert row["name"] == "this-process/my-idea"
    assert row["defined"]["file"].endswith("idea.py")
    assert row["sources"] == {"width": "python"}


def test_loading_without_the_definition_says_what_is_missing(cell):
    cell()
    result = run("ead-b", encoder="my-idea", options=SMALL | {"encoder.width": 8})
    default_host().remove(THIS_PROCESS)
    with pytest.raises(UnknownNameError, match="encoder 'this-process/my-idea' of this run is not defined") as fault:
        load_run(result.run_dir)
    assert "MyIdea.Config" in fault.value.found
    assert "idea.py, line" in fault.value.found
    assert "--plugin FILE" in fault.value.fix


def test_several_processes_need_a_file(cell, tmp_path):
    cell()
    for start in (
        lambda: run("ead-b", encoder="my-idea", options=SMALL, devices=2, device="cpu", out="x"),
        lambda: sweep("ead-b", choices={"encoder": "my-idea"}, options=SMALL, seeds=2, launcher=LocalConfig(), out="x"),
        lambda: sweep("ead-b", options=SMALL, launcher="local", host=PluginHost(entry_points=False), out="x"),
    ):
        with pytest.raises(UsageError, match="the run needs several processes, but") as fault:
            start()
        assert "--plugin FILE" in fault.value.fix
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_in_this_process_takes_it(cell):
    cell()
    table = sweep("ead-b", over={"encoder.width": [4, 8]}, choices={"encoder": "my-idea"}, options=SMALL, out="s")
    assert table.complete


@dataclass(frozen=True, kw_only=True)
class OwnConfig(MeanPoolConfig):
    """A config that nobody registered."""


def test_a_config_and_a_recipe_that_nobody_registered(cell):
    recipe = replace(recipes["ead-b"]("full"), name="mine", summary="Mine", encoder=OwnConfig(width=8))
    result = run(recipe, options=SMALL)
    assert result.run_dir == "runs/mine-OwnConfig-full-seed0"
    again = load_run(result.run_dir).composition
    assert again.recipe.encoder == OwnConfig(width=8)
    assert (again.recipe.name, again.recipe.summary, again.owner.plugin) == ("mine", "Mine", THIS_PROCESS)
    assert again.sources["encoder.width"] == "python"


def test_a_run_of_a_file_names_the_file_when_it_is_not_loaded(root, cell):
    host = PluginHost(entry_points=False)
    host.add_file(root / "examples" / "idea.py")
    result = run("ead-b", encoder="my-idea", options=SMALL | {"encoder.width": 8}, host=host)
    assert load_run(result.run_dir, host=host).composition.entries["encoder"].plugin == "idea"
    assert "ead-b" in recipes.of(host)
    with pytest.raises(UnknownNameError, match="unknown encoder 'idea/my-idea'") as fault:
        load_run(result.run_dir)
    assert "load its file first: avelzoo --plugin idea.py" in fault.value.fix


def test_a_recipe_with_something_else_in_a_configs_place(cell):
    cls, recipe = cell(), recipes["ead-b"]("full")
    for value, expected in (
        (cls, "MyIdea.Config(...)"),
        ("my-idea", "an instance of EncoderConfig"),
        (recipe.head, "an instance of EncoderConfig"),
    ):
        with pytest.raises(UsageError, match="the recipe's encoder is no config") as fault:
            run(replace(recipe, encoder=value), options=SMALL)
        assert fault.value.expected == expected
    with pytest.raises(UsageError, match="the encoder is chosen by name") as fault:
        sweep("ead-b", choices={"encoder": ["my-idea", "mean-pool"]}, options=SMALL)
    assert "over={'encoder': [...]}" in fault.value.fix


def test_a_run_whose_definition_has_other_options_now_names_the_file(cell):
    cell()
    result = run("ead-b", encoder="my-idea", options=SMALL | {"encoder.width": 8})

    @avelzoo.encoder("my-idea")
    class Other(avelzoo.Encoder):
        """Another idea of that name."""

        def forward(self, audio, visual): ...

    with pytest.raises(OptionError, match=r"unknown option 'encoder.width'") as fault:
        load_run(result.run_dir)
    assert fault.value.where == str(Path(result.run_dir, "composition.json"))


def test_a_recipe_object_keeps_its_own_values(cell):
    recipe = recipes["ead-b"]("full")
    recipe = replace(recipe, head=replace(recipe.head, margin=0.42), dataset=replace(recipe.dataset, train_videos=16))
    found = avelzoo.api.resolve(default_host().registry, recipe, choices={"encoder": "mean-pool"})
    assert found.recipe.head.margin == 0.42
    assert found.recipe.train == recipe.train
    assert found.sources["head.margin"] == found.sources["train.epochs"] == "python"
    assert found.sources["encoder.width"] == "default of mean-pool"


def test_importing_does_nothing_to_the_process():
    code = """
import os, sys, warnings, torch
before = dict(os.environ), list(warnings.filters), torch.get_num_threads(), warnings.showwarning
import avelzoo
for name in avelzoo.__all__:
    getattr(avelzoo, name)
after = dict(os.environ), list(warnings.filters), torch.get_num_threads(), warnings.showwarning
assert before == after, [(a, b) for a, b in zip(before, after) if a != b]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
