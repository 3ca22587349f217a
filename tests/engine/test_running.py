"""What a run trains, chooses and records."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from avelzoo import engine
from avelzoo.engine import RunWarning
from avelzoo.errors import CompositionError, DataError, OptionError, UsageError
from avelzoo.metrics import score
from avelzoo.metrics.signature import Signature, data_hash
from avelzoo.metrics.stored import load_predictions
from avelzoo.plugin.listeners import Listener
from tests.engine.reading import lines, numbers
from tests.engine.tiny import TinyData, TinyMemory, composed, tiny_registry


def run(out, *, device="cpu", listeners=(), **options):
    return engine.run(
        composed(**options), out, registry=tiny_registry(), device=device, listeners=listeners, command=["do", "it"]
    )


def test_it_learns(tmp_path):
    result = run(tmp_path / "run", train_epochs=30, dataset_videos=80, dataset_noise=0.1, dataset_test_noise=0.1)
    test = result.scores["test"]
    assert test.category_accuracy > 0.9
    assert test.segment_accuracy > 0.9 > test.floors.category_oracle_all_event
    losses = [line["loss"] for line in lines(tmp_path / "run")]
    assert losses[-1] < losses[0] / 2


def test_the_record_of_a_run(tmp_path):
    result = run(tmp_path / "run", train_epochs=2)
    stored = json.loads((tmp_path / "run" / "result.json").read_text())
    assert stored == result.to_dict()
    assert (result.recipe, result.supervision, result.seed, result.epochs) == ("tiny-plugin/tiny", "full", 0, 2)
    assert result.run_dir == str(tmp_path / "run")
    assert result.parameters == (4 * 8 + 8) + (5 * 8 + 8) + (8 * 3 + 3) + (8 + 1) + 2
    assert result.device == "cpu"
    assert result.versions["tiny-wheel"] == "3.1"
    assert result.data == {"tiny": "seed 0, 26 videos"}
    assert result.signature is not None
    signature = Signature.parse(result.signature)
    ids, _, truth = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    assert (signature.dataset, signature.split, signature.videos) == ("tiny", "test", len(ids))
    assert signature.data_hash == data_hash(ids, truth)
    assert 0 < result.seconds_per_epoch < result.seconds
    for split in ("val", "test"):
        assert result.scores[split].references == {"truth": 1.0}
        assert result.scores[split].videos == 20
    record = json.loads((tmp_path / "run" / "composition.json").read_text())
    assert record["slots"]["train"]["sources"]["epochs"] == "test"
    assert record["spec"]["categories"] == ["bark", "bell", "horn"]
    assert record["command"] == ["do", "it"]
    assert record["seed"] == 0
    assert record["versions"]["torch"] == torch.__version__


def test_a_line_per_epoch(tmp_path):
    run(tmp_path / "run", train_epochs=4, train_limit_batches=2)
    told = lines(tmp_path / "run")
    assert [line["epoch"] for line in told] == [1, 2, 3, 4]
    assert [line["steps"] for line in told] == [2] * 4
    assert told[0]["learning_rate"] == 0.02
    assert told[2]["learning_rate"] == pytest.approx(0.01)
    for line in told:
        assert line["loss"] == pytest.approx(line["terms"]["event"] + 0.5 * line["terms"]["relevance"], rel=1e-6)


def test_the_same_twice_and_another_with_another_seed(tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        run(tmp_path / name, train_seed=seed)
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")
    assert numbers(tmp_path / "one")["best"] != numbers(tmp_path / "other")["best"]


def test_the_epoch_is_the_first_with_the_highest_val_accuracy(tmp_path):
    chosen = []
    for seed in range(6):
        folder = tmp_path / str(seed)
        result = run(folder, train_seed=seed, train_epochs=5, optimizer_learning_rate=0.1)
        val = [line["val"]["segment_accuracy"] for line in lines(folder)]
        assert result.best_epoch == 1 + val.index(max(val))
        assert result.scores["val"].segment_accuracy == max(val)
        chosen.append(result.best_epoch)
    assert len(set(chosen)) > 1
    assert min(chosen) < 5
    assert run(tmp_path / "still", optimizer_learning_rate=1e-12).best_epoch == 1


def test_test_is_known_to_the_optimism_gap_alone(tmp_path):
    """Other test videos: other test scores, and not one other number."""
    gaps = []
    for name, noise in (("one", 0.3), ("two", 3.0)):
        result = run(tmp_path / name, dataset_test_noise=noise, train_epochs=6)
        told = lines(tmp_path / name)
        test = [line.pop("test_segment_accuracy") for line in told]
        assert result.scores["test"].segment_accuracy == test[result.best_epoch - 1]
        assert result.optimism_gap == max(test) - test[result.best_epoch - 1]
        gaps.append((test, told, result.best_epoch, result.scores["val"], numbers(tmp_path / name)["best"]))
    assert gaps[0][0] != gaps[1][0]
    assert gaps[0][1:] == gaps[1][1:]


def test_without_a_test_curve_there_is_no_gap_and_every_other_number_is_the_same(tmp_path, monkeypatch):
    run(tmp_path / "with")
    result = run(tmp_path / "without", train_test_curve=False)
    monkeypatch.setattr(TinyData, "hidden", frozenset({"test"}))
    hidden = run(tmp_path / "hidden")
    assert result.optimism_gap is hidden.optimism_gap is None
    told = lines(tmp_path / "with")
    for line in told:
        del line["test_segment_accuracy"]
    assert lines(tmp_path / "without") == lines(tmp_path / "hidden") == told
    assert numbers(tmp_path / "without")["best"] == numbers(tmp_path / "with")["best"]


def test_the_memory_is_read_once_for_both_splits(tmp_path, monkeypatch):
    readings, read = [], TinyMemory.read
    monkeypatch.setattr(
        TinyMemory, "read", lambda memory, encode: readings.append(memory.training) or read(memory, encode)
    )
    run(tmp_path / "run", train_epochs=2)
    assert readings.count(False) == 3, "after each epoch and at the end"


def test_predictions_are_what_was_scored(tmp_path):
    result = run(tmp_path / "run")
    for split in ("val", "test"):
        ids, found, truth = load_predictions(tmp_path / "run" / "predictions.h5", split)
        assert ids == [f"{split}-{i}" for i in range(20)]
        again = score(found, truth, references={"truth": truth.segments})
        assert again == result.scores[split]


def test_the_callers_world_stays_as_it_was(tmp_path):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    expected = random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002, S311
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    run(tmp_path / "run", train_epochs=1, compute_precision="64")
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected  # noqa: NPY002, S311
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.parametrize(("precision", "dtype"), [("32", torch.float32), ("64", torch.float64)])
def test_number_formats(tmp_path, precision, dtype):
    result = run(tmp_path / "run", compute_precision=precision)
    loaded = engine.load_run(tmp_path / "run", tiny_registry())
    assert result.precision == precision
    assert {p.dtype for p in loaded.model.parameters()} == {dtype}
    assert loaded.model.memory.mean.dtype == dtype
    assert engine.evaluate(loaded, device="cpu") == result.scores["test"]


def test_mixed_precision_reaches_evaluation(tmp_path):
    """Scores computed in bfloat16 are among the 257 values between two powers of two that it knows."""
    run(tmp_path / "run", compute_precision="bf16-mixed")
    _, found, _ = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    exact = torch.from_numpy(found.category_scores)
    assert torch.equal(exact, exact.bfloat16().float())


@pytest.mark.parametrize(
    ("device", "error", "said"),
    [
        ("tpu", UsageError, "unknown device"),
        ("cpu:1", UsageError, "unknown device"),
        (torch.device("meta"), UsageError, "unknown device"),
        ("cuda:99", UsageError, "no device"),
    ],
)
def test_devices_that_are_not_there(tmp_path, device, error, said):
    with pytest.raises(error, match=said):
        run(tmp_path / "run", device=device)
    assert list(tmp_path.iterdir()) == []


def test_half_precision_needs_a_gpu(tmp_path):
    with pytest.raises(OptionError, match="needs a GPU"):
        run(tmp_path / "run", compute_precision="16-mixed")


def test_compositions_that_do_not_fit_are_refused_first(tmp_path, monkeypatch):
    composition = composed()
    monkeypatch.setattr("tests.engine.tiny.TinyHeadConfig.supervisions", ("weak",))
    with pytest.raises(CompositionError):
        engine.run(composition, tmp_path / "run", registry=tiny_registry())
    assert list(tmp_path.iterdir()) == []


def test_a_split_without_videos(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.engine.tiny.TinySplit.__len__", lambda split: 0 if split.name == "val" else 4)
    with pytest.raises(DataError, match="'val' holds no videos"):
        run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


class Notes(Listener):
    def __init__(self):
        self.heard = []

    def run_started(self, run):
        self.heard.append(("started", run.path, run.epochs_done))

    def step_finished(self, epoch, step, steps):
        self.heard.append((epoch, step, steps))

    def epoch_finished(self, epoch, metrics, best):
        self.heard.append((epoch, metrics["epoch"], best))

    def run_finished(self, result, error):
        self.heard.append((result, error))


def test_listeners_hear_everything_and_always_the_end(tmp_path, monkeypatch):
    notes = Notes()
    result = run(tmp_path / "run", train_epochs=1, listeners=[notes])
    assert notes.heard[0] == ("started", tmp_path / "run", 0)
    assert notes.heard[1:] == [(0, 0, 3), (0, 1, 3), (0, 2, 3), (0, 1, True), (result, None)]

    monkeypatch.setattr(TinyData, "references", lambda dataset, name: 1 / 0)
    notes = Notes()
    with pytest.raises(ZeroDivisionError) as error:
        run(tmp_path / "other", train_epochs=1, listeners=[notes])
    assert notes.heard[-1] == (None, error.value)


def test_a_failing_listener_leaves_the_run_and_the_others_alone(tmp_path):
    class Broken(Listener):
        def step_finished(self, epoch, step, steps):
            raise ValueError("no pen")

    notes = Notes()
    with pytest.warns(RunWarning, match="listener Broken failed in step_finished .*: ValueError: no pen") as warned:
        result = run(tmp_path / "run", train_epochs=1, listeners=[Broken(), notes])
    assert len(warned) == 1
    assert notes.heard[-1] == (result, None)
    assert len(notes.heard) == 6


def test_a_listener_changes_no_number(tmp_path):
    class Gambler(Listener):
        def run_started(self, run):
            random.random()  # noqa: S311
            torch.rand(3)

        def epoch_finished(self, epoch, metrics, best):
            random.random()  # noqa: S311
            torch.rand(3)

    run(tmp_path / "alone")
    run(tmp_path / "heard", listeners=[Gambler()])
    assert numbers(tmp_path / "heard") == numbers(tmp_path / "alone")


def test_a_terminal_sees_a_bar(tmp_path, monkeypatch):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, seen in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        run(tmp_path / str(seen), listeners=[engine.ProgressBar()])
        assert ("epoch 3/3" in stream.getvalue()) is seen
        assert stream.getvalue() == "" or seen


def test_a_recipe_may_be_changed_in_place_of_options(tmp_path):
    composition = composed()
    recipe = composition.recipe
    changed = replace(composition, recipe=replace(recipe, train=replace(recipe.train, epochs=1)))
    assert engine.run(changed, tmp_path / "run", registry=tiny_registry(), device="cpu").epochs == 1
