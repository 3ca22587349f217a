"""Accumulation, moving average, early stopping and transforms against plain loops; each of them resumes bit for bit."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from avelzoo import OptimizerConfig, Registrar, RunError, ScheduleConfig, engine, run as run_by_name
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.engine import RunDir, training
from avelzoo.engine.checkpoint import load_tensors
from avelzoo.engine.optimization import averaged
from tests.engine.reading import lines, numbers
from tests.engine.test_resuming import Stopper, run, stopped
from tests.engine.tiny import composed, tiny_registry

WORLD = {
    "dataset.train_videos": 22,
    "dataset.val_videos": 4,
    "dataset.test_videos": 4,
    "dataset.audio_led": 1,
    "dataset.visual_led": 1,
    "dataset.balanced": 1,
    "dataset.grid_height": 1,
    "encoder.width": 8,
    "encoder.dropout": 0.0,
    "head.dropout": 0.0,
    "train.epochs": 1,
    "train.drop_last": False,
    "compute.precision": "64",
}


def weights(folder):
    return load_tensors(RunDir(folder).best)[0]


def trained(out, **options):
    values = WORLD | {name.replace("_", ".", 1): value for name, value in options.items()}
    run_by_name("single-branch", encoder="mean-pool", options=values, device="cpu", out=out)
    return weights(out)


@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_accumulated_gradients_are_those_of_one_large_batch(tmp_path, clip_norm):
    """Of 22 videos: 8, 8 and 6 at once, or 4 + 4, 4 + 4 and 4 + 2."""
    large = trained(tmp_path / "large", train_batch_size=8, train_clip_norm=clip_norm)
    small = trained(tmp_path / "small", train_batch_size=4, train_accumulate=2, train_clip_norm=clip_norm)
    other = trained(tmp_path / "other", train_batch_size=4, train_clip_norm=clip_norm)
    for name, value in large.items():
        assert torch.allclose(small[name], value, rtol=1e-9, atol=1e-12), name
    assert any(not torch.allclose(other[name], value, rtol=1e-3) for name, value in large.items())


def test_average_is_the_loop_and_buffers_are_the_models():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).train()
    average, expected = averaged(model, 0.9), None
    for _ in range(4):
        model(torch.randn(5, 3))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter))
        average.update_parameters(model)
        now = [p.detach().clone() for p in model.parameters()]
        expected = now if expected is None else [0.9 * e + 0.1 * p for e, p in zip(expected, now, strict=True)]
    for found, wanted in zip(average.module.parameters(), expected, strict=True):
        assert torch.allclose(found, wanted, rtol=1e-6)
    assert torch.equal(average.module[1].running_mean, model[1].running_mean)


def test_saved_and_evaluated_weights_are_the_average_over_optimizer_steps(tmp_path, monkeypatch):
    seen, optimize = [], training.Trainer._optimize

    def recorded(self):
        optimize(self)
        seen.append({name: value.detach().clone() for name, value in self.model.named_parameters()})

    monkeypatch.setattr(training.Trainer, "_optimize", recorded)
    run(tmp_path / "run", train_epochs=1, train_ema_decay=0.8, train_accumulate=2, train_drop_last=False)
    assert len(seen) == 2, "26 videos in batches of 8 are 4 batches, 2 steps"
    saved = weights(tmp_path / "run")
    for name, first in seen[0].items():
        assert torch.allclose(saved[name], 0.8 * first + 0.2 * seen[1][name], rtol=1e-5, atol=1e-7), name
    loaded = engine.load_run(tmp_path / "run", tiny_registry())
    again = engine.evaluate(loaded, split="val", device="cpu").segment_accuracy
    assert again == loaded.result.scores["val"].segment_accuracy


def test_an_average_that_forgets_all_is_the_model(tmp_path):
    run(tmp_path / "plain")
    run(tmp_path / "average", train_ema_decay=0.0)
    assert lines(tmp_path / "plain") == lines(tmp_path / "average")
    plain, average = weights(tmp_path / "plain"), weights(tmp_path / "average")
    assert all(torch.equal(average[name], value) for name, value in plain.items())


def test_stops_after_so_many_epochs_without_a_better_val_score(tmp_path):
    still = {"optimizer_learning_rate": 1e-12, "train_epochs": 9}
    result = run(tmp_path / "run", train_patience=2, **still)
    assert (result.best_epoch, result.epochs, result.stopped_early) == (1, 3, True)
    told = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (told["epochs"], told["stopped_early"]) == (3, True)
    whole = run(tmp_path / "whole", train_patience=9, **still)
    assert (whole.epochs, whole.stopped_early) == (9, False)


def test_the_schedule_of_a_run_that_stops_early_spans_all_epochs(tmp_path):
    still = {"optimizer_learning_rate": 1e-12, "train_epochs": 9}
    run(tmp_path / "short", train_patience=2, **still)
    run(tmp_path / "whole", **still)
    assert lines(tmp_path / "short") == lines(tmp_path / "whole")[:3]


def test_a_transform_changes_training_alone_and_follows_the_seed(tmp_path):
    for name, options in (
        ("plain", {}),
        ("noisy", {"transform": "noise"}),
        ("again", {"transform": "noise"}),
        ("other", {"transform": "noise", "train_seed": 1}),
    ):
        run(tmp_path / name, **options)
    assert numbers(tmp_path / "noisy") == numbers(tmp_path / "again")
    losses = [[line["loss"] for line in lines(tmp_path / name)] for name in ("plain", "noisy", "other")]
    assert losses[0] != losses[1] != losses[2]
    loaded = engine.load_run(tmp_path / "noisy", tiny_registry())
    scores = [engine.evaluate(loaded, split="train", device="cpu") for _ in range(2)]
    assert scores[0] == scores[1]


@dataclass(frozen=True, kw_only=True)
class RMSpropConfig(OptimizerConfig):
    """RMSprop."""

    def build(self, parameters):
        return torch.optim.RMSprop(parameters, lr=self.learning_rate)


@dataclass(frozen=True, kw_only=True)
class HalvingConfig(ScheduleConfig):
    """Half the rate after every epoch."""

    def build(self, optimizer, epochs):
        return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


def test_a_plugins_optimizer_and_schedule_train_and_resume(tmp_path):
    registry = tiny_registry()
    zoo = Registrar(registry, plugin="other", distribution="other", version="1")
    zoo.optimizer("rmsprop", RMSpropConfig)
    zoo.schedule("halving", HalvingConfig)
    choices = {"optimizer": "rmsprop", "schedule": "halving"}
    composition = resolve(registry, "tiny", choices=choices, overrides=[Override("schedule.warmup_epochs", 1, "test")])
    assert composition.recipe.optimizer == RMSpropConfig(learning_rate=0.02), "the recipe's learning rate stays"
    engine.run(composition, tmp_path / "straight", registry=registry, device="cpu")
    assert [line["learning_rate"] for line in lines(tmp_path / "straight")] == pytest.approx([0.01, 0.01, 0.005])
    with pytest.raises(KeyboardInterrupt):
        engine.run(composition, tmp_path / "cut", registry=registry, device="cpu", listeners=[Stopper(2)])
    engine.run(composition, tmp_path / "cut", registry=registry, device="cpu", resume=True)
    assert numbers(tmp_path / "cut") == numbers(tmp_path / "straight")


def test_a_run_folder_of_other_slots_is_refused_by_name(tmp_path):
    run(tmp_path / "run", train_epochs=1)
    file = tmp_path / "run" / "composition.json"
    record = json.loads(file.read_text())
    del record["slots"]["sampler"]
    file.write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"incomplete[\s\S]*no 'sampler'[\s\S]*use the version"):
        engine.load_run(tmp_path / "run", tiny_registry())


OPTIONS = {
    "average": {"train_ema_decay": 0.7},
    "accumulation": {"train_accumulate": 2, "train_drop_last": False},
    "early stopping": {"train_patience": 1, "optimizer_learning_rate": 1e-12, "train_epochs": 6},
    "momentum": {"optimizer": "sgd", "optimizer_nesterov": True},
    "decay and warm-up": {"optimizer": "adamw", "optimizer_weight_decay": 0.1, "schedule_warmup_epochs": 2},
    "transform": {"transform": "noise"},
}


@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.parametrize("name", OPTIONS)
def test_resumes_bit_for_bit(tmp_path, name, after):
    options = OPTIONS[name]
    run(tmp_path / "straight", **options)
    cut = stopped(tmp_path / "cut", after=after, **options)
    run(cut, resume=True, **options)
    assert numbers(cut) == numbers(tmp_path / "straight")
    assert composed(**options).recipe != composed().recipe
