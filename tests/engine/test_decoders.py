"""The decoder slot: fitted on val, kept with the weights, refused where it cannot work."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import avelzoo
from avelzoo import load_run, run
from avelzoo.engine import evaluate
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import CompositionError
from avelzoo.metrics import best_threshold, decided_at, segment_accuracy, several_runs
from avelzoo.metrics.stored import load_predictions
from tests.engine.test_deciding import SMALL

OPTIONS = SMALL | {"train.epochs": 2}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decoder") / "run"
    return run("double-branch", decoder="threshold", options=OPTIONS, out=folder), folder


def test_the_threshold_is_fitted_on_val_and_decides_on_both_splits(tuned):
    result, folder = tuned
    decoder = load_run(folder).model.decoder
    _, val, truth = load_predictions(folder / "predictions.h5", "val")
    assert decoder.values["threshold"] == pytest.approx(best_threshold(val, truth), abs=1e-6)
    for split in ("val", "test"):
        _, found, true = load_predictions(folder / "predictions.h5", split)
        assert np.array_equal(decided_at(found, decoder.values["threshold"]).segments, found.segments)
        assert result.scores[split].segment_accuracy == segment_accuracy(found.segments, true)
        assert result.scores[split].thresholds is None


def test_evaluation_uses_the_saved_values(tuned):
    result, folder = tuned
    assert evaluate(load_run(folder)).segment_accuracy == result.scores["test"].segment_accuracy


def test_a_resumed_run_decides_the_same(tuned, tmp_path):
    class Stop(avelzoo.Listener):
        def epoch_finished(self, epoch, metrics, best):
            if epoch == 0:
                raise KeyboardInterrupt

    _, folder = tuned
    with pytest.raises(KeyboardInterrupt):
        run("double-branch", decoder="threshold", options=OPTIONS, out=tmp_path / "cut", listeners=[Stop()])
    again = run("double-branch", decoder="threshold", options=OPTIONS, out=tmp_path / "cut", resume=True)
    assert (tmp_path / "cut" / "predictions.h5").read_bytes() == (folder / "predictions.h5").read_bytes()
    assert again.epochs == 2


def test_margin_is_the_fixed_rule_of_a_head_that_tunes(tmp_path):
    paper = run("ead-b", options=OPTIONS, out=tmp_path / "paper")
    margin = run("ead-b-tuned", decoder="margin", options=OPTIONS, out=tmp_path / "margin")
    for split in ("val", "test"):
        fixed = load_predictions(tmp_path / "paper" / "predictions.h5", split)[1]
        found = load_predictions(tmp_path / "margin" / "predictions.h5", split)[1]
        if paper.best_epoch == margin.best_epoch:
            assert np.array_equal(found.segments, fixed.segments)
    assert margin.scores["val"].segment_accuracy == paper.scores["val"].segment_accuracy


def test_a_run_folder_without_the_slot_is_decided_by_the_head(tmp_path):
    result = run("double-branch", options=OPTIONS | {"train.epochs": 1}, out=tmp_path / "run")
    file = RunDir(tmp_path / "run").composition
    record = json.loads(file.read_text())
    assert record["slots"].pop("decoder")["name"] == "avelzoo/head"
    file.write_text(json.dumps(record))
    loaded = load_run(tmp_path / "run")
    assert loaded.model.decoder is None
    assert evaluate(loaded).segment_accuracy == result.scores["test"].segment_accuracy


def test_memories_give_scores_of_each_modality_in_evaluation(tmp_path):
    run("ead-b", options=OPTIONS | {"train.epochs": 1}, out=tmp_path / "run")
    _, found, truth = load_predictions(tmp_path / "run" / "predictions.h5", "val")
    for scores in (found.audio_scores, found.visual_scores):
        assert scores.shape == (*truth.segments.shape, truth.n)
        np.testing.assert_allclose(scores.sum(axis=2), 1, rtol=1e-5)
    assert not np.array_equal(found.audio_scores, found.visual_scores)


def test_runs_are_counted_by_video():
    n = 3
    assert not several_runs(np.array([[3, 1, 1, 3], [2, 2, 2, 2], [3, 3, 3, 3]]), n)
    assert several_runs(np.array([[1, 3, 1, 3]]), n)
    assert several_runs(np.array([[1, 1, 2, 2]]), n)


@pytest.mark.parametrize(
    ("decoder", "head"), [("agreement", "single"), ("dynamic-threshold", "double"), ("competition", "event-aware")]
)
@pytest.mark.filterwarnings("ignore:both:avelzoo.errors.DataWarning")  # one epoch leaves nothing to choose on val
def test_rules_on_both_modalities_work_with_every_head_beside_a_memory(decoder, head, tmp_path):
    result = run("ead-b", head=head, decoder=decoder, options=OPTIONS | {"train.epochs": 1}, out=tmp_path / "run")
    assert evaluate(load_run(tmp_path / "run")).segment_accuracy == result.scores["test"].segment_accuracy


def test_rules_on_both_modalities_are_refused_without_their_scores():
    with pytest.raises(CompositionError, match="reads audio_scores with visual_scores or audio_logits") as raised:
        run("double-branch", decoder="agreement", options=OPTIONS)
    assert "--memory jsd-bank" in raised.value.fix
    assert "--decoder head, --decoder margin, --decoder single-span, --decoder threshold" in raised.value.fix


def test_single_spans_are_refused_where_events_have_several_runs(tmp_path):
    with pytest.raises(CompositionError, match="'single-span' finds one event run per video") as raised:
        run("double-branch", dataset="worlds-varied", decoder="single-span")
    assert "--decoder threshold" in raised.value.fix
    run("double-branch", decoder="single-span", options=OPTIONS | {"train.epochs": 1}, out=tmp_path / "run")
    _, found, _ = load_predictions(tmp_path / "run" / "predictions.h5", "test")
    assert not several_runs(found.segments, found.n)
    loaded = load_run(tmp_path / "run")
    several = replace(loaded.composition.recipe.dataset, repeated=0.5, run_lengths="partial")
    with pytest.raises(CompositionError, match="finds one event run per video"):
        evaluate(loaded, dataset=several)


def test_single_spans_are_refused_if_only_the_training_videos_have_several_runs(tmp_path, monkeypatch):
    train = OPTIONS["dataset.train_videos"]
    monkeypatch.setattr("avelzoo.engine.deciding.several_runs", lambda segments, background: len(segments) == train)
    with pytest.raises(CompositionError, match="'single-span' finds one event run per video"):
        run("double-branch", decoder="single-span", options=OPTIONS, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
