"""Divergence ends in one error that says where, however it shows itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from avelzoo import ConstantConfig, WorldsConfig, engine
from avelzoo.components import HeadConfig
from avelzoo.composition.checking import check
from avelzoo.composition.resolving import resolve
from avelzoo.engine.diverging import divergence_named, require_finite
from avelzoo.errors import TrainingError, UsageError
from avelzoo.plugin.default import default_host
from avelzoo.records import HeadOutput, Predictions
from tests.engine.tiny import composed as tiny, tiny_registry

WORLD = WorldsConfig(
    train_videos=12, val_videos=4, test_videos=4, negatives=4, audio_led=1, visual_led=1, balanced=1, grid_height=1
)


def hot(name, supervision):
    """A recipe on few videos with a learning rate at which everything diverges."""
    registry = default_host().registry
    recipe = resolve(registry, name, supervision=supervision).recipe
    changed = replace(
        recipe,
        dataset=replace(WORLD, weak_protocol=recipe.dataset.weak_protocol),
        optimizer=replace(recipe.optimizer, learning_rate=1e12),
        schedule=ConstantConfig(),
        train=replace(recipe.train, epochs=1, batch_size=4, clip_norm=None, seed=0),
    )
    return resolve(registry, changed)


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_every_recipe_that_diverges_says_so(tmp_path, supervision):
    registry, errors = default_host().registry, {}
    for name in sorted(set(registry.names("recipe")) - {"names-agreement"}):  # it has no parameters
        try:
            composition = hot(name, supervision)
            check(composition.recipe, registry)
        except UsageError:  # a recipe for the other supervision
            continue
        try:
            engine.run(composition, tmp_path / name.replace("/", "-"), registry=registry, device="cpu")
            errors[name] = TrainingError("none", where="finished")
        except TrainingError as error:
            errors[name] = error
    places = {name: error.where for name, error in errors.items()}
    assert {k: where for k, where in places.items() if not where.startswith(("epoch 1", "end of epoch 1"))} == {}
    assert {name for name, error in errors.items() if not error.found} == set()
    assert {name for name, error in errors.items() if "optimizer.learning_rate" not in error.fix} == set()
    assert errors


class Raising(nn.Module):
    """Raises what an operation raises when it is given numbers that have diverged."""

    def __init__(self, act):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.act = act

    def forward(self, x):
        return self.act(self.layer(x))


ACTS = {
    "index out of range": lambda x: torch.arange(2)[x.nan_to_num(nan=9).long()],
    "scatter": lambda x: torch.zeros(2, 2).scatter(1, x.nan_to_num(nan=9).long(), 1.0),
    "class out of range": lambda x: nn.functional.cross_entropy(x, x.nan_to_num(nan=9).long()[:, 0]),
    "probability": lambda x: nn.functional.binary_cross_entropy(x, torch.ones_like(x)),
    "distribution": lambda x: x.softmax(-1).multinomial(1),
    "not invertible": torch.linalg.svd,
    "assertion": lambda x: exec("assert x.isfinite().all()", {"x": x}),  # noqa: S102
}


@pytest.mark.parametrize("act", list(ACTS))
def test_what_an_operation_raises_at_such_numbers(act):
    model = Raising(ACTS[act])
    x = torch.full((2, 2), float("nan"))
    with pytest.raises(TrainingError) as fault, divergence_named(model, "epoch 1, step 2", lambda: model(x)):
        model(x)
    assert fault.value.where == "epoch 1, step 2"
    assert "the input of Linear is not finite" in fault.value.found
    assert type(fault.value.__cause__).__name__ in fault.value.found


def test_huge_weights_are_named():
    model = Raising(ACTS["index out of range"])
    nn.init.constant_(model.layer.weight, 1e9)
    said = r"(?s)weights layer\.weight.*the last step's loss 3"
    named = divergence_named(model, "here", lambda: None, lambda: "the last step's loss 3")
    with pytest.raises(TrainingError, match=said), named:
        model(torch.ones(2, 2))


@pytest.mark.parametrize("error", [RuntimeError("sizes 3 and 4"), IndexError("7"), ValueError("no"), TypeError("no")])
def test_another_fault_is_no_divergence(error):
    model = nn.Linear(2, 2)

    def fail():
        model(torch.ones(1, 2))
        raise error

    with pytest.raises(type(error)) as fault, divergence_named(model, "here", fail):
        fail()
    assert fault.value is error


def test_an_assertion_on_a_gpu_is_named():
    named = divergence_named(nn.Linear(1, 1), "epoch 1, step 1", lambda: None)
    with pytest.raises(TrainingError, match="--device cpu"), named:
        raise RuntimeError("CUDA error: device-side assert triggered")


@pytest.mark.parametrize("field", ["event_logits", "segment_logits", "category_scores", "relevance"])
def test_outputs_of_an_evaluation(field):
    logits, bad = torch.zeros(2, 3), torch.full((2, 3), float("nan"))
    predictions = Predictions(
        segments=torch.zeros(2, 3, dtype=torch.int64),
        category=torch.zeros(2, dtype=torch.int64),
        category_scores=logits,
        relevance=logits,
    )
    require_finite(HeadOutput(event_logits=logits), predictions, "val")
    output = HeadOutput(**{field: bad}) if field.endswith("logits") else HeadOutput(event_logits=logits)
    predictions = predictions if field.endswith("logits") else replace(predictions, **{field: bad})
    with pytest.raises(TrainingError) as fault:
        require_finite(output, predictions, "evaluation on val")
    assert field.replace("_scores", " scores") in fault.value.found


def test_a_model_that_is_sound_in_training_alone(tmp_path, monkeypatch):
    """NaN on val ends the run at its first epoch, and nothing claims to be a result."""
    registry = tiny_registry()
    head: type[HeadConfig] = registry.get("head", "tiny").target
    build = head.build

    def spoilt(self, *given):
        made = build(self, *given)
        forward = made.forward
        made.forward = lambda encoded, view: (
            forward(encoded, view)
            if made.training
            else replace(forward(encoded, view), event_logits=torch.full((encoded.fused.shape[0], 3), float("nan")))
        )
        return made

    monkeypatch.setattr(head, "build", spoilt)
    with pytest.raises(TrainingError) as fault:
        engine.run(tiny(), tmp_path / "run", registry=registry, device="cpu")
    assert fault.value.where == "epoch 1, evaluation on val"
    assert not (tmp_path / "run" / "result.json").exists()
