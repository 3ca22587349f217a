"""`run`: from arguments to a composition. Nothing here trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from avelzoo.composition.recipe import MOVED, SLOTS
from avelzoo.composition.resolving import resolve
from avelzoo.config import options
from avelzoo.plugin.default import default_host


def dry(call, *argv):
    told = call("run", *argv, "--dry-run", "--json")
    assert told.code == 0, told.err
    assert told.err == ""
    return told.json["slots"]


def test_slot_and_value(call):
    slots = dry(call, "ead-b", "--encoder", "mean-pool", "--set", "memory.size=5")
    assert slots["encoder"]["name"] == "avelzoo/mean-pool"
    assert slots["encoder"]["sources"]["width"] == "default of mean-pool"
    assert slots["memory"]["options"]["size"] == 5
    assert slots["memory"]["sources"] | {"size": ""} == dict.fromkeys(slots["memory"]["options"], "recipe ead-b") | {
        "size": ""
    }


@pytest.mark.parametrize(
    ("words", "path", "value"),
    [
        (("--memory.size", "7"), "memory.size", 7),
        (("--memory.size=7",), "memory.size", 7),
        (("--head.dropout-at", "features"), "head.dropout_at", "features"),
        (("--encoder.spatial_fusion", "false"), "encoder.spatial_fusion", False),
        (("--train.clip_norm", "none"), "train.clip_norm", None),
        (("--schedule.warmup-epochs", "3"), "schedule.warmup_epochs", 3),
        (("--epochs", "2"), "train.epochs", 2),
        (("--batch-size", "4"), "train.batch_size", 4),
        (("--limit-batches", "1"), "train.limit_batches", 1),
        (("--seed", "9"), "train.seed", 9),
        (("--precision", "64"), "compute.precision", "64"),
    ],
)
def test_every_spelling_reaches_its_option(call, words, path, value):
    slots = dry(call, "ead-b", *words)
    slot, _, name = path.partition(".")
    assert slots[slot]["options"][name] == value
    flag = words[0].partition("=")[0]
    assert slots[slot]["sources"][name] == (f"--{path}" if "." in flag else flag)


def test_same_value_twice_is_no_contradiction(call):
    assert dry(call, "ead-b", "--epochs", "2", "--set", "train.epochs=2")["train"]["options"]["epochs"] == 2


def test_data_folder_means_the_public_layout(call):
    slots = dry(call, "ead-b", "--data", "somewhere")
    assert slots["dataset"]["name"] == "avelzoo/ave"
    assert slots["dataset"]["options"]["root"] == str(Path("somewhere").absolute())
    assert slots["dataset"]["sources"]["root"] == "--data"
    assert slots["train"]["options"]["epochs"] == 300, "training values for the embedded data must not stay"


def test_parts_of_training_are_chosen_like_any_part(call, tmp_path):
    words = ("--optimizer", "adamw", "--schedule=steps", "--schedule.milestones", "3,5", "--sampler", "sequential")
    slots = dry(call, "ead-b", *words)
    names = {slot: slots[slot]["name"] for slot in ("optimizer", "schedule", "sampler", "transform")}
    assert names == {
        "optimizer": "avelzoo/adamw",
        "schedule": "avelzoo/steps",
        "sampler": "avelzoo/sequential",
        "transform": "avelzoo/none",
    }
    assert slots["schedule"]["options"]["milestones"] == [3, 5]
    assert slots["optimizer"]["sources"] == {"learning_rate": "recipe ead-b", "weight_decay": "default of adamw"}
    file = tmp_path / "mine.toml"
    file.write_text(
        '[optimizer]\nname = "sgd"\nmomentum = 0.5\n[train]\nema_decay = 0.9\n[compute]\nprecision = "64"\n'
    )
    slots = dry(call, "ead-b", "--config", file)
    assert (slots["optimizer"]["name"], slots["optimizer"]["options"]["momentum"]) == ("avelzoo/sgd", 0.5)
    assert (slots["train"]["options"]["ema_decay"], slots["compute"]["options"]["precision"]) == (0.9, "64")


@pytest.mark.parametrize("path", MOVED)
def test_a_former_name_is_refused_with_the_new_one(call, path):
    for words in ((f"--{path}", "1"), ("--set", f"{path}=1")):
        told = call("run", "ead-b", *words, "--dry-run")
        assert told.code == 2
        assert f"{path} is now {MOVED[path]}" in told.err


def test_config_file_stands_between_recipe_and_arguments(call, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[encoder]\nname = "mean-pool"\nwidth = 12\n[train]\nepochs = 4\nseed = 1\n')
    slots = dry(call, "ead-b", "--config", file, "--seed", "2")
    assert slots["encoder"]["options"]["width"] == 12
    assert slots["encoder"]["sources"]["width"] == f"file {file}"
    assert (slots["train"]["options"]["epochs"], slots["train"]["options"]["seed"]) == (4, 2)
    assert dry(call, "ead-b", "--config", file, "--encoder.width=3")["encoder"]["options"]["width"] == 3


def test_dry_run_prints_every_value_with_its_source(call):
    text = call("run", "ead-b", "--dry-run", "--seed", "3").out
    recipe = default_host().registry.get("recipe", "ead-b").target("full")
    for slot in SLOTS:
        for option in options(type(recipe.slot(slot))):
            assert f"{slot}.{option.name} " in text
    assert "--seed" in text


def test_dry_run_refuses_what_does_not_fit(call):
    told = call("run", "ead-b", "--memory", "none", "--dry-run")
    assert told.code == 2
    assert "reads memory" in told.err
    assert "--memory jsd-bank" in told.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("run",), "no recipe given"),
        (("run", "--memory.size", "3"), "no recipe given"),
        (("run", "ead-c"), "did you mean 'ead-b'?"),
        (("run", "ead-b", "--encoder", "st-fusoin"), "did you mean 'st-fusion'?"),
        (("run", "ead-b", "--encodr", "st-fusion"), "--encoder"),
        (("run", "ead-b", "--memory.sise", "3"), "--memory.size"),
        (("run", "ead-b", "--set", "memory.sise=3"), "did you mean 'size'?"),
        (("run", "ead-b", "--set", "memroy.size=3"), "did you mean 'memory'?"),
        (("run", "ead-b", "--set", "memory"), "slot.option=value"),
        (("run", "ead-b", "--memory.size", "0"), "int >= 1"),
        (("run", "ead-b", "--memory.size", "many"), "int >= 1"),
        (("run", "ead-b", "--memory.context", "sequenc"), "did you mean 'sequence'?"),
        (("run", "ead-b", "--encoder.spatial_fusion", "maybe"), "bool"),
        (("run", "ead-b", "--epochs", "3", "--train.epochs", "4"), "given twice"),
        (("run", "ead-b", "--set", "memory.size=3", "--set", "memory.size=4"), "given twice"),
        (("run", "ead-b", "--epochs", "some"), "--epochs"),
        (("run", "ead-b", "--epochs", "3", "--epochs", "4"), "--epochs is given twice"),
        (("run", "ead-b", "--memory.size", "3", "--memory.size=4"), "--memory.size is given twice"),
        (("run", "ead-b", "--encoder", "mean-pool", "--encoder", "st-fusion"), "--encoder is given twice"),
        (("run", "ead-b", "--set", "train.name=adamw"), "unknown option 'train.name'"),
        (("run", "ead-b", "--set", "launcher.workers=3"), "no launcher is chosen"),
        (("run", "ead-b", "--seeds", "2", "--set", "launcher.workers=3", "--dry-run"), "no launcher is chosen"),
        (("show", "encoder", "mean-pool", "--set", "encoder.width=3"), "only recipes take components"),
        (("show", "mean-pool", "--supervision", "weak"), "only recipes take components"),
        (("run", "ead-b", "--supervision", "ful"), "did you mean 'full'?"),
        (("run", "ead-b", "--dataset", "worlds", "--data", "x"), "dataset.root"),
        (("run", "ead-b", "extra"), "extra"),
        (("run", "--resume"), "--resume needs a run folder"),
        (("run", "--resume", "somewhere", "--seed", "3"), "cannot change its options"),
        (("rnu",), "run"),
        (("list", "--jsn"), "--json"),
    ],
)
def test_bad_requests_are_usage_errors(call, argv, message):
    told = call(*argv)
    assert told.code == 2
    assert message in told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[encoder]\nwidth = ", 3),
        ("[encodr]\nwidth = 3", 2),
        ("[encoder]\nwidht = 3", 2),
        ('[train]\nname = "adamw"', 2),
        (None, 3),
    ],
)
def test_bad_config_files(call, tmp_path, text, code):
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_text(text)
    told = call("run", "ead-b", "--config", file, "--dry-run")
    assert told.code == code
    assert str(file) in told.err


def test_help_lists_recipes(call):
    told = call("run", "--help")
    assert told.code == 0
    assert all(name in told.out for name in default_host().registry.names("recipe"))


def test_help_has_a_panel_per_slot_with_options_defaults_and_sources(call):
    told = call("run", "ead-b", "--encoder", "mean-pool", "--help")
    assert told.code == 0
    assert "encoder: mean-pool" in told.out
    recipe = default_host().registry.get("recipe", "ead-b").target("full")
    for option in options(type(recipe.memory)):
        assert f"--memory.{option.name} " in told.out
    words = " ".join(told.out.replace("│", " ").split())
    assert "default 16 from recipe ead-b" in words
    assert "from default of mean-pool" in words
    assert "--encoder.spatial_fusion" not in told.out


@pytest.mark.parametrize("words", [("--data", "somewhere"), ("--encoder", "mean-pool", "--memory.size", "3")])
def test_a_run_is_resolved_once(call, monkeypatch, words):
    from avelzoo.composition import request

    asked = []
    monkeypatch.setattr(request, "resolve", lambda *args, **named: asked.append(1) or resolve(*args, **named))
    assert call("run", "ead-b", *words, "--seed", "3", "--dry-run").code == 0
    assert len(asked) == 1


def test_a_data_folder_given_twice(call):
    told = call("run", "ead-b", "--data", "x", "--dataset.root", "y", "--dry-run")
    assert told.code == 2
    assert "'dataset.root' is given twice" in told.err
