"""Loading and evaluating run folders."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from avelzoo import engine
from avelzoo.composition.building import build
from avelzoo.engine.checkpoint import load_tensors, save_tensors
from avelzoo.engine.matching import require_same
from avelzoo.errors import PluginError, RunError, UnknownNameError, UsageError
from avelzoo.plugin.registry import Registry
from avelzoo.records import FeatureSpec
from tests.engine.reading import content
from tests.engine.tiny import composed, tiny_registry


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    engine.run(composed(train_epochs=4), folder, registry=tiny_registry(), device="cpu")
    return folder


def test_a_run_comes_back(finished):
    before = torch.get_rng_state()
    run = engine.load_run(finished, tiny_registry())
    assert torch.equal(torch.get_rng_state(), before)
    assert run.composition.recipe == composed(train_epochs=4).recipe
    assert run.composition.sources["train.epochs"] == "test"
    assert run.spec.categories == ("bark", "bell", "horn")
    assert not run.model.training
    assert int(run.model.memory.seen.sum()) > 0
    assert run.result is not None
    assert run.result.to_dict() == json.loads((finished / "result.json").read_text())
    assert run.model.head.sharpness == run.result.best_epoch, "the weights do not hold what follows the epoch"


def test_it_answers_as_before_and_stays_as_it_is(finished):
    run = engine.load_run(finished, tiny_registry())
    before = content(finished)
    state = {name: value.clone() for name, value in run.model.state_dict().items()}
    for split in ("val", "test"):
        run.model.memory.readings = 0
        assert engine.evaluate(run, split=split, device="cpu") == run.result.scores[split]
        assert run.model.memory.readings == 1, "the memory is read once per evaluation"
    assert all(torch.equal(value, state[name]) for name, value in run.model.state_dict().items())
    assert content(finished) == before


def test_other_data_of_the_same_kind(finished):
    run = engine.load_run(finished, tiny_registry())
    data = run.composition.recipe.dataset
    noisy = engine.evaluate(run, dataset=replace(data, test_noise=4.0), device="cpu")
    assert noisy.category_accuracy < run.result.scores["test"].category_accuracy


def test_a_run_in_half_precision_can_be_asked_without_a_gpu(finished):
    run = engine.load_run(finished, tiny_registry())
    recipe = run.composition.recipe
    half = replace(recipe, compute=replace(recipe.compute, precision="16-mixed"))
    run = replace(run, composition=replace(run.composition, recipe=half))
    with pytest.warns(engine.RunWarning, match="trained in 16-mixed, evaluated in 32"):
        found = engine.evaluation(run, device="cpu")
    assert found.scores == run.result.scores["test"]
    assert (run.precision, found.trained_precision, found.precision) == ("16-mixed", "16-mixed", "32")


def test_whether_the_data_are_those_of_the_training(finished):
    run = engine.load_run(finished, tiny_registry())
    data = run.composition.recipe.dataset
    assert engine.evaluation(run, device="cpu").same_data is True
    assert engine.evaluation(run, dataset=replace(data, seed=1), device="cpu").same_data is False
    assert engine.evaluation(replace(run, data={}), device="cpu").same_data is None
    with pytest.warns(engine.RunWarning, match="data have changed since training: tiny"):
        engine.evaluation(replace(run, data={"tiny": "another"}), device="cpu")


@pytest.mark.parametrize(
    ("values", "said"),
    [({"audio_dim": 6}, "audio channels"), ({"names": "other"}, "categories")],
)
def test_data_it_was_not_made_for(finished, values, said):
    run = engine.load_run(finished, tiny_registry())
    with pytest.raises(RunError, match=said) as fault:
        engine.evaluate(run, dataset=replace(run.composition.recipe.dataset, **values))
    assert fault.value.found != fault.value.expected
    assert said in fault.value.expected


def test_unknown_split(finished):
    with pytest.raises(UsageError, match="unknown split 'tset'"):
        engine.evaluate(engine.load_run(finished, tiny_registry()), split="tset")


def test_folders_that_are_none(tmp_path, finished):
    for folder, said in ((tmp_path / "gone", "no folder"), (tmp_path, "not a folder of an avelzoo run")):
        with pytest.raises(RunError, match=said):
            engine.load_run(folder, tiny_registry())
    with pytest.raises(UnknownNameError, match="unknown recipe"):
        engine.load_run(finished, Registry())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("composition.json", b"{", "composition.json is damaged"),
        ("composition.json", b"{}", "incomplete"),
        ("composition.json", b"[]", "damaged"),
        ("best.safetensors", b"", "damaged"),
        ("best.safetensors", None, "does not exist yet"),
        ("result.json", b"{}", "incomplete"),
        ("result.json", b"\xff", "result.json is damaged"),
    ],
)
def test_damaged_folders(finished, tmp_path, name, text, said):
    for path, whole in content(finished).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(whole)
    (tmp_path / name).unlink()
    if text is not None:
        (tmp_path / name).write_bytes(text)
    with pytest.raises(RunError, match=said) as fault:
        engine.load_run(tmp_path, tiny_registry())
    assert name in fault.value.where


def test_weights_from_elsewhere(tmp_path):
    composition = composed()
    spec = composition.recipe.dataset.open("full").spec
    model = build(composition.recipe, spec)
    engine.save_import(tmp_path / "theirs", composition, spec, model, {"file": "theirs.pt"})
    run = engine.load_run(tmp_path / "theirs", tiny_registry())
    assert run.result is None
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in run.model.state_dict().items())
    assert json.loads((tmp_path / "theirs" / "composition.json").read_text())["imported"] == {"file": "theirs.pt"}
    assert 0 <= engine.evaluate(run, device="cpu").segment_accuracy <= 1
    with pytest.raises(RunError, match="already holds a run"):
        engine.save_import(tmp_path / "theirs", composition, spec, model, {})


def test_tensors_of_every_kind_round_trip(tmp_path):
    base = torch.arange(6.0)
    tensors = {
        "scalar": torch.tensor(3.0),
        "whole": base,
        "tied": base,
        "part": base[2:],
        "turned": torch.arange(6).view(2, 3).T,
        "flags": torch.tensor([True, False]),
        "empty": torch.zeros(0, 2),
    }
    save_tensors(tmp_path / "x.safetensors", tensors, {"text": "a", "number": 0.1, "none": None})
    found, meta = load_tensors(tmp_path / "x.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) and found[name].dtype == value.dtype for name, value in tensors.items())
    assert meta == {"text": "a", "number": 0.1, "none": None}
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]
    (tmp_path / "plain").touch()
    assert (tmp_path / "x.safetensors").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_only_tensors_are_kept(tmp_path):
    with pytest.raises(PluginError, match="is not a tensor"):
        save_tensors(tmp_path / "x.safetensors", {"a": 3}, {})
    assert list(tmp_path.iterdir()) == []


def test_categories_in_another_order_are_refused_by_name(tmp_path):
    """The same names under other ids would score every video as another category."""
    run = FeatureSpec(segments=2, audio_dim=3, grid=(1, 1), visual_dim=3, categories=("Bark", "Bell, church", "Cat"))
    data = SimpleNamespace(spec=replace(run, categories=("Bark", "Cat", "Bell, church")))
    with pytest.raises(RunError, match="the order of the categories differs") as caught:
        require_same(run, data, tmp_path)
    assert caught.value.found == "'Cat' as category 1"
    assert caught.value.expected == "'Bell, church' as category 1: Bark | Bell, church | Cat"
    assert "categories.txt" in caught.value.fix
    require_same(run, SimpleNamespace(spec=replace(run, segments=7)), tmp_path)
