"""The library in a few calls."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
import torch

import avelzoo
from avelzoo import MeanPoolConfig, OptionError, UsageError, WorldsConfig, load_run, recipes, run, sweep
from avelzoo.api import folder_name
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.engine import new_folder
from avelzoo.errors import RunError, StorageError, UnknownNameError
from avelzoo.plugin.default import default_host

SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "encoder.width": 8,
    "memory.size": 2,
    "train.epochs": 1,
    "train.batch_size": 8,
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def small(recipe):
    """The recipe in a blink."""
    return replace(
        recipe,
        dataset=WorldsConfig(train_videos=16, val_videos=8, test_videos=8),
        encoder=MeanPoolConfig(width=8),
        memory=replace(recipe.memory, size=2),
        train=replace(recipe.train, epochs=1, batch_size=8),
    )


def sources(folder):
    slots = json.loads((Path(folder) / "composition.json").read_text())["slots"]
    return {f"{slot}.{name}": source for slot, row in slots.items() for name, source in row["sources"].items()}


def test_recipes_by_name():
    assert set(recipes) == set(default_host().registry.names("recipe"))
    assert len(recipes) == len(set(recipes))
    assert "ead-b" in recipes
    assert "ead-c" not in recipes
    assert 3 not in recipes
    assert recipes["ead-b"]("weak").supervision == "weak"
    assert "ead-b" in repr(recipes)
    with pytest.raises(UnknownNameError, match="did you mean 'ead-b'"):
        recipes["ead-bb"]


def test_a_name_runs_like_the_command_line():
    result = run("ead-b", supervision="weak", encoder="mean-pool", options=SMALL, seed=3)
    assert result.run_dir == "runs/ead-b-mean-pool-weak-seed3"
    assert (result.supervision, result.seed, result.epochs) == ("weak", 3, 1)
    told = sources(result.run_dir)
    assert told["train.seed"] == told["memory.size"] == told["train.epochs"] == "python"
    assert told["optimizer.learning_rate"] == "recipe ead-b"
    assert told["encoder.dropout"] == "default of mean-pool"

    again = load_run(result.run_dir)
    assert again.result == result
    assert again.composition.recipe.encoder == MeanPoolConfig(width=8)
    overrides = [Override(path, value, "python") for path, value in (SMALL | {"train.seed": 3}).items()]
    registry, choices = default_host().registry, {"encoder": "mean-pool"}
    asked = resolve(registry, "ead-b", supervision="weak", choices=choices, overrides=overrides)
    assert again.composition.recipe == asked.recipe


def test_numbers_of_other_libraries(tmp_path):
    """NumPy's and PyTorch's, wherever a number is taken; what is kept is plain."""
    plain = run("ead-b", encoder="mean-pool", options=SMALL, seed=3, out="plain")
    options = {name: np.int64(value) for name, value in SMALL.items()} | {"train.epochs": torch.tensor(1)}
    counts = {"devices": np.int64(1), "nodes": np.array(1), "resume": np.bool_(False), "progress": np.bool_(False)}
    mine = run(
        np.str_("ead-b"), encoder=np.str_("mean-pool"), options=options, seed=np.int64(3), out=Path("mine"),
        device=torch.device("cpu"), **counts,
    )  # fmt: skip
    assert mine.scores == plain.scores
    slots = [json.loads((tmp_path / name / "composition.json").read_text())["slots"] for name in ("plain", "mine")]
    assert slots[0] == slots[1]


def test_a_sweep_over_arrays_and_ranges(tmp_path):
    """Values of any iterable, a row of an array for an option that is a list; cells are plain data."""
    over = {
        "optimizer.learning_rate": np.array([1e-3, 2e-3]),
        "memory.size": range(2, 3),
        "schedule.milestones": np.array([[1, 2]]),
        "head": (name for name in ["single"]),
    }
    choices = {"encoder": "mean-pool", "schedule": "steps"}
    table = sweep("ead-b", over=over, seeds=np.array([3, 4]), choices=choices, out="s",
                  options={name: value for name, value in SMALL.items() if name != "memory.size"})  # fmt: skip
    assert table.complete
    assert [cell.values["optimizer.learning_rate"] for cell in table.cells] == [1e-3, 2e-3]
    plan = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert {trial["seed"] for trial in plan["trials"]} == {3, 4}
    assert plan["trials"][0]["cell"] | {"optimizer.learning_rate": 0} == {
        "optimizer.learning_rate": 0, "memory.size": 2, "schedule.milestones": [1, 2], "head": "single",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"over": {"head": "single"}}, "values of 'head' are not a list"),
        ({"over": {"memory.size": 8}}, "values of 'memory.size' are not a list"),
        ({"over": {"memory.size": np.array(8)}}, "values of 'memory.size' are not a list"),
        ({"over": {"memory.size": np.array([1.5])}}, "'memory.size' does not accept 1.5"),
        ({"seeds": 2.0}, "seeds must be a number of runs"),
        ({"seeds": True}, "seeds must be a number of runs"),
        ({"seeds": []}, "seeds must be a number of runs"),
        ({"seeds": np.array([0.5])}, "seeds must be a number of runs"),
        ({"seeds": "12"}, "seeds must be a number of runs"),
        ({"resume": 3}, "'sweep.resume' does not accept 3"),
    ],
)
def test_faulty_sweeps(tmp_path, values, said):
    with pytest.raises(UsageError, match=said) as fault:
        sweep("ead-b", **values)
    assert fault.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"devices": 0}, "'run.devices' does not accept 0"),
        ({"devices": 1.5}, "'run.devices' does not accept 1.5"),
        ({"nodes": True}, "'run.nodes' does not accept True"),
        ({"resume": "maybe"}, "'run.resume' does not accept 'maybe'"),
        ({"seed": 1.5}, "'train.seed' does not accept 1.5"),
        ({"dataset": WorldsConfig()}, "the dataset is chosen by name"),
    ],
)
def test_faulty_arguments(tmp_path, values, said):
    with pytest.raises(UsageError, match=said):
        run("ead-b", **values)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_recipe_runs_as_it_is():
    recipe = small(recipes["ead-b"]("full"))
    result = run(recipe, out="mine")
    assert result.run_dir == "mine"
    assert load_run("mine").composition.recipe == recipe
    assert set(sources("mine").values()) == {"python"}


def test_overrides_on_top_of_a_recipe():
    recipe = small(recipes["ead-b"]("full"))
    run(recipe, memory="random-bank", options={"memory.size": 3, "optimizer.learning_rate": 1e-3}, seed=9, out="mine")
    found = load_run("mine").composition
    assert found.entries["memory"].name == "random-bank"
    assert found.recipe.memory.size == 3
    assert found.recipe.train == replace(recipe.train, seed=9)
    assert found.recipe.optimizer == replace(recipe.optimizer, learning_rate=1e-3)
    assert found.recipe.encoder == recipe.encoder
    assert found.sources["memory.size"] == "python"
    assert found.sources["memory.context"] == "default of random-bank"


def test_every_run_gets_a_folder_of_its_own():
    name = folder_name(resolve(default_host().registry, "ead-b"))
    assert name == "ead-b-st-fusion-full-seed0"
    with new_folder(name) as first, new_folder(name) as second:
        assert (first, second) == (Path("runs") / name, Path("runs") / f"{name}-2")
        (second / "composition.json").touch()
    assert not first.exists()
    assert second.exists()
    with new_folder(name) as again:
        assert again == first
        with new_folder(name) as third:
            assert third == Path("runs") / f"{name}-3"


def test_runs_that_start_at_once_get_different_folders():
    together, taken = Barrier(8, timeout=60), []

    def claim():
        together.wait()
        with new_folder("same") as folder:
            taken.append(folder)
            together.wait()

    threads = [Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 8
    assert not any(Path().glob("runs/*"))


def test_a_folder_that_cannot_be_made_is_named():
    Path("runs").touch()
    with pytest.raises(StorageError) as caught, new_folder("any"):
        pass
    assert caught.value.where == "runs"


def test_runs_in_threads_get_folders_of_their_own_and_the_same_numbers():
    from concurrent.futures import ThreadPoolExecutor

    recipe = small(recipes["ead-b"]("full"))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: run(recipe), range(3)))
    assert len({result.run_dir for result in found}) == 3
    assert [result.scores for result in found] == [found[0].scores] * 3


def test_resuming_from_python():
    recipe = small(recipes["ead-b"]("full"))
    first = run(recipe, out="mine")
    assert run(recipe, out="mine", resume=True) == first
    with pytest.raises(RunError, match="already holds a run"):
        run(recipe, out="mine")
    with pytest.raises(UsageError, match="resuming needs a run folder"):
        run(recipe, resume=True)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"supervision": "ful"}, UsageError, "did you mean 'full'"),
        ({"encoder": "mean-poll"}, UnknownNameError, "did you mean 'mean-pool'"),
        ({"options": {"memory.sise": 3}}, OptionError, "did you mean 'size'"),
        ({"options": {"train.seed": 1}, "seed": 2}, UsageError, "given twice"),
    ],
)
def test_faulty_overrides(tmp_path, values, error, said):
    for recipe in ("ead-b", recipes["ead-b"]("full")):
        with pytest.raises(error, match=said):
            run(recipe, **values)
    assert list(tmp_path.iterdir()) == []


def test_faulty_recipes(tmp_path):
    full = recipes["ead-b"]("full")
    with pytest.raises(UsageError, match="for full supervision, not weak"):
        run(full, supervision="weak")
    assert list(tmp_path.iterdir()) == []


def test_looking_at_recipes_loads_no_torch():
    code = "from avelzoo import recipes, run; import sys; recipes['ead-b']('weak'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_arguments_of_another_type_are_said_to_be_so(tmp_path):
    class Quiet(avelzoo.Listener):
        """Hears nothing."""

    for listeners in (Quiet(), [Quiet], [Quiet(), 3], Quiet):
        with pytest.raises(UsageError, match="run takes a list of listeners") as fault:
            run("ead-b", encoder="mean-pool", options=SMALL, listeners=listeners)
        assert "Quiet" in fault.value.found or fault.value.found == "3"
    with pytest.raises(UnknownNameError, match="the recipe is chosen by name") as fault:
        run(recipes["ead-b"], options=SMALL)
    assert 'recipes["ead-b"]("full")' in fault.value.expected
    assert list(tmp_path.iterdir()) == []
