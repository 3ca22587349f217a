"""Decoders against loops, and what they do with clear cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avelzoo.builtin.decoders.agreement import Agreement
from avelzoo.builtin.decoders.competition import Competition
from avelzoo.builtin.decoders.configs import MarginConfig
from avelzoo.builtin.decoders.dynamic_threshold import DynamicThreshold
from avelzoo.builtin.decoders.single_span import SingleSpan, spanned
from avelzoo.builtin.decoders.tuning import best_value, levels
from avelzoo.builtin.decoders.unimodal import scores_of
from avelzoo.components import DecoderConfig
from avelzoo.errors import DataWarning, PluginError
from avelzoo.metrics import PredictionArrays, Truth, segment_accuracy
from avelzoo.plugin.default import default_host
from avelzoo.records import FeatureSpec
from tests.decoders import naive

N = 4
SPEC = FeatureSpec(segments=8, audio_dim=1, grid=(1, 1), visual_dim=1, categories=tuple("abcd"))


def made(videos=30, t=8, seed=0, noise=0.3):
    """Predictions with scores of both modalities that follow the labels with noise, and the labels."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, t + 1, videos)
    real = np.arange(t) < lengths[:, None]
    category = rng.integers(0, N, videos)
    first, last = np.sort(rng.integers(0, t, (2, videos)), axis=0)[:, :, None]
    on = (np.arange(t) >= first) & (np.arange(t) <= last) & real
    own = np.eye(N)[category][:, None] * on[..., None]
    audio, visual = (
        (np.clip(0.2 + 0.5 * own + noise * rng.standard_normal(own.shape), 0.01, 1) * real[..., None]).astype(
            np.float32
        )
        for _ in range(2)
    )
    predictions = PredictionArrays(
        segments=np.full((videos, t), N),
        category=category,
        category_scores=np.eye(N, dtype=np.float32)[category],
        relevance=(np.clip(0.3 + 0.3 * on + noise * rng.standard_normal(on.shape), 0, 1) * real).astype(np.float32),
        audio_scores=audio,
        visual_scores=visual,
        lengths=lengths,
    )
    segments = np.where(on, category[:, None], N)
    return predictions, Truth(segments=segments, events=category, lengths=lengths, categories=SPEC.categories)


def rows(predictions, i):
    """Scores of one video without padding, as lists."""
    end = predictions.lengths[i]
    return predictions.audio_scores[i, :end].tolist(), predictions.visual_scores[i, :end].tolist()


@pytest.mark.parametrize("threshold", [0.0, 0.31, 0.5, 0.9, 1.0])
def test_spans_equal_the_loop(threshold):
    given, _ = made()
    found = spanned(given, threshold).segments
    for i, end in enumerate(given.lengths):
        span = naive.best_span(given.relevance[i, :end], threshold)
        want = np.full(8, N)
        if span:
            want[slice(*span)] = given.category[i]
        assert found[i].tolist() == want.tolist()


@pytest.mark.parametrize("of_video", [True, False])
@pytest.mark.parametrize("taus", [(0.0, 0.0), (0.5, 0.4), (0.9, 0.2)])
def test_agreement_equals_the_loop(taus, of_video):
    given, _ = made()
    rule = Agreement(audio=taus[0], visual=taus[1], category="video" if of_video else "segment")
    found = rule.decide(given)
    for i, end in enumerate(given.lengths):
        want, video = naive.agreement(*rows(given, i), *map(np.float32, taus), of_video=of_video)
        assert found.segments[i, :end].tolist() == want
        assert found.category[i] == video
    assert (found.segments[~given.real] == N).all()
    assert np.array_equal(found.relevance, np.minimum(given.audio_scores, given.visual_scores).max(axis=2))


@pytest.mark.parametrize("alpha", [0.25, 0.6])
def test_label_shift_equals_least_squares(alpha):
    given, _ = made(videos=12)
    rule = DynamicThreshold(alpha=alpha, video=0.45, segment=0.35, keep=0.6, gamma=0.4)
    found = rule.decide(given)
    a = float(np.float32(alpha))
    for i, end in enumerate(given.lengths):
        scores = np.array(naive.shifted(*rows(given, i), a, 0.6, 0.4))
        best = scores.mean(axis=0).argmax()
        assert found.category[i] == best
        np.testing.assert_allclose(found.relevance[i, :end], scores[:, best], atol=1e-5)
        event = (scores[:, best] >= 0.35) & (scores[:, best].max() >= 0.45)
        assert found.segments[i, :end].tolist() == np.where(event, best, N).tolist()


@pytest.mark.parametrize(("guidance", "rounds"), [(0.0, 2), (0.5, 1), (1.0, 3)])
def test_competition_equals_the_loop(guidance, rounds):
    given, _ = made(videos=12)
    rule = Competition(guidance=guidance, threshold=0.3, none=0.2, rounds=rounds)
    found = rule.decide(given)
    for i, end in enumerate(given.lengths):
        joint = np.array(naive.shared(*rows(given, i), guidance, 0.2, rounds))
        best = joint.mean(axis=0).argmax()
        assert found.category[i] == best
        np.testing.assert_allclose(found.relevance[i, :end], joint[:, best], rtol=1e-4)
        assert found.segments[i, :end].tolist() == np.where(joint[:, best] > 0.3, best, N).tolist()


def decoders() -> dict[str, type[DecoderConfig]]:
    return {entry.name: entry.target for entry in default_host().registry.entries("decoder") if entry.name != "head"}


@pytest.mark.parametrize("name", ["threshold", "single-span", "agreement", "dynamic-threshold", "competition"])
def test_fitting_helps_on_val_and_on_other_videos(name):
    val, truth = made(200, noise=0.15)
    other, other_truth = made(200, seed=1, noise=0.15)
    config = decoders()[name]()
    fresh, fitted = config.build(SPEC, head=None), config.build(SPEC, head=None)
    fitted.fit(val, truth)
    assert "chosen on val" in fitted.describe()
    assert "not tuned" in fresh.describe()
    before, after = (segment_accuracy(rule.decide(val).segments, truth) for rule in (fresh, fitted))
    assert after >= before
    background = segment_accuracy(np.full_like(other.segments, N), other_truth)
    assert segment_accuracy(fitted.decide(other).segments, other_truth) > background + 0.2


def test_a_span_bridges_a_dip_that_a_threshold_cuts():
    relevance = np.array([[0.1, 0.9, 0.45, 0.9, 0.1]], dtype=np.float32)
    one = np.array([0])
    given = PredictionArrays(
        segments=np.full((1, 5), 2), category=one, category_scores=np.eye(2, dtype=np.float32)[one], relevance=relevance
    )
    assert SingleSpan(0.5).decide(given).segments.tolist() == [[2, 0, 0, 0, 2]]


def test_majority_not_the_first_agreeing_segment_names_the_video():
    high, low = 0.9, 0.1
    scores = np.array([[[high, low], [low, high], [low, high]]], dtype=np.float32)
    given = PredictionArrays(
        segments=np.full((1, 3), 2),
        category=np.array([0]),
        category_scores=np.array([[1.0, 0.0]], dtype=np.float32),
        relevance=np.ones((1, 3), dtype=np.float32),
        audio_scores=scores,
        visual_scores=scores,
    )
    assert Agreement(audio=0, visual=0, category="video").decide(given).segments.tolist() == [[1, 1, 1]]
    assert Agreement(audio=0, visual=0, category="segment").decide(given).segments.tolist() == [[0, 1, 1]]


def test_guidance_lets_sight_settle_what_sound_leaves_open():
    audio = np.array([[[0.5, 0.5, 0.0, 0.0]] * 3], dtype=np.float32)
    visual = np.array([[[0.1, 0.6, 0.3, 0.0]] * 3], dtype=np.float32)
    given = replace(made(1, 3)[0], audio_scores=audio, visual_scores=visual, lengths=np.array([3]))
    alone, guided = (
        Competition(guidance=guidance, threshold=0.5, none=0.1, rounds=2).decide(given) for guidance in (0.0, 1.0)
    )
    assert alone.category.tolist() == guided.category.tolist() == [1]
    assert (guided.relevance > alone.relevance).all()


def test_scores_of_one_modality_are_refused():
    given, _ = made(2)
    with pytest.raises(PluginError, match="no scores of the categories from each modality"):
        scores_of(replace(given, visual_scores=None), False)


def test_scores_may_be_weighted_by_the_heads_relevance():
    given, _ = made(4)
    for plain, weighted in zip(scores_of(given, False), scores_of(given, True), strict=True):
        np.testing.assert_allclose(weighted, plain * given.relevance[..., None], rtol=1e-6)
    config = decoders()["competition"]
    found = [config(weighted=weighted).build(SPEC, head=None).decide(given).relevance for weighted in (False, True)]
    assert (found[1][given.real] < found[0][given.real]).any()


def test_levels_and_best_values():
    assert levels(np.array([0.5, 0.5, 0.5])) == [0.0, 0.5]
    assert len(levels(np.random.default_rng(0).random(1000).astype(np.float32))) <= 34
    assert best_value([1.0], [0.3]) == 1.0
    assert best_value([1.0, 2.0, 3.0], [0.5, 0.5, 0.1]) == 1.0


def test_agreement_without_thresholds_is_said():
    """Val with an event in every agreeing segment gives no reason for a threshold."""
    predictions, truth = made(videos=2, noise=0)
    always = replace(truth, segments=np.where(predictions.real, truth.events[:, None], N))
    on = np.eye(N, dtype=np.float32)[truth.events][:, None] * predictions.real[..., None] * np.float32(0.5)
    given = replace(predictions, audio_scores=on, visual_scores=on)
    rule = Agreement(audio=0.3, visual=0.3, category="video")
    with pytest.warns(DataWarning, match="both thresholds of the agreement rule are 0, chosen on 2 val videos"):
        rule.fit(given, always)


def test_margin_without_a_head_keeps_the_decisions():
    predictions, _ = made(videos=2)
    decoder = MarginConfig().build(SPEC, None)
    assert decoder is not None
    assert decoder.decide(predictions) is predictions
