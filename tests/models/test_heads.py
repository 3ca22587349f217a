from __future__ import annotations

import math

import pytest
import torch

from avelzoo.builtin.heads.configs import DoubleConfig, EventAwareClassifiersConfig, EventAwareConfig, SingleConfig
from avelzoo.records import Encoded, MemoryView, Widths
from tests.models.worlds import SPEC

D = 8


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


@pytest.fixture
def encoded():
    torch.manual_seed(0)
    x = torch.randn(5, 6, D)
    return Encoded(fused=x, audio=x, visual=x)


@pytest.fixture
def view():
    torch.manual_seed(1)
    filled = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=torch.bool)
    return MemoryView(items=torch.randn(SPEC.n, 3, D), filled=filled)


def build(config):
    torch.manual_seed(2)
    return config.build(SPEC, Widths(fused=D, audio=D, visual=D), "full")


def test_event_aware_inference_is_equations_20_and_21(encoded, view):
    head = build(EventAwareConfig(margin=1.3)).eval()
    predictions = head.decode(head(encoded, view))
    for b in range(5):
        mean_distance = {}
        for n in range(SPEC.n):
            anchors = [view.items[n, q] for q in range(3) if view.filled[n, q]]
            if anchors:
                prototype = sum(anchors) / len(anchors)
                mean_distance[n] = (
                    sum(float((encoded.fused[b, t] - prototype).norm()) / math.sqrt(D) for t in range(6)) / 6
                )
        category = min(mean_distance, key=mean_distance.__getitem__)
        assert int(predictions.category[b]) == category
        for t in range(6):
            alpha = min(
                float((encoded.fused[b, t] - view.items[category, q]).norm()) / math.sqrt(D)
                for q in range(3) if view.filled[category, q]
            )  # fmt: skip
            assert int(predictions.segments[b, t]) == (category if alpha < 1.3 else SPEC.n)
            assert float(predictions.relevance[b, t]) == pytest.approx(1 / (1 + math.exp(alpha - 1.3)), rel=1e-4)
    assert (predictions.segments == SPEC.n).any()
    assert (predictions.segments != SPEC.n).any()


def test_event_aware_with_classifier_adds_two_softmaxes(encoded, view):
    head = build(EventAwareConfig(event_from="prototypes+classifier", temperature=0.1)).eval()
    output = head(encoded, view)
    scores = head.decode(output).category_scores
    want = output.prototype_logits.mean(1).softmax(-1) + output.event_logits.softmax(-1)
    torch.testing.assert_close(scores, want)


def test_prototype_logits_are_distances_over_temperature(encoded, view):
    head = build(EventAwareConfig(temperature=0.5))
    got = head(encoded, view).prototype_logits
    prototype = view.items[1, :2].mean(0)
    assert float(got[0, 0, 1]) == pytest.approx(-float((encoded.fused[0, 0] - prototype).norm()) / 0.5, rel=1e-5)
    assert float(got[0, 0, 2]) < -1e3


def test_each_distance_has_its_own_place(encoded, view):
    heads = {
        (p, m): build(EventAwareConfig(prototype_distance=p, margin_distance=m)).eval()
        for p in ("plain", "scaled")
        for m in ("plain", "scaled")
    }
    got = {key: head(encoded, view) for key, head in heads.items()}
    usable = view.usable
    for m in ("plain", "scaled"):
        plain, scaled = (got[p, m].prototype_logits[..., usable] for p in ("plain", "scaled"))
        torch.testing.assert_close(plain, scaled * math.sqrt(D))
    for p in ("plain", "scaled"):
        torch.testing.assert_close(got[p, "plain"].nearest_anchor, got[p, "scaled"].nearest_anchor * math.sqrt(D))


@pytest.mark.parametrize("config", [DoubleConfig(), EventAwareConfig()])
def test_the_estimate_is_the_linear_classifiers_relevance(config, encoded, view):
    head = build(config).train()
    estimate = head.estimate(encoded)
    head.eval()
    torch.testing.assert_close(estimate, head(encoded, view).relevance_logits.sigmoid())


def test_an_empty_memory_gives_finite_answers(encoded):
    head = build(EventAwareConfig()).eval()
    empty = MemoryView(items=torch.zeros(SPEC.n, 3, D), filled=torch.zeros(SPEC.n, 3, dtype=torch.bool))
    output = head(encoded, empty)
    predictions = head.decode(output)
    assert torch.isfinite(output.prototype_logits).all()
    assert torch.isfinite(predictions.relevance).all()
    assert (predictions.segments == SPEC.n).all()


def test_event_aware_refuses_to_decode_what_training_left_open(encoded, view):
    head = build(EventAwareConfig()).train()
    with pytest.raises(RuntimeError, match="evaluation mode"):
        head.decode(head(encoded, view))


def test_double_decodes_by_threshold(encoded):
    head = build(DoubleConfig(threshold=0.6)).eval()
    output = head(encoded, None)
    predictions = head.decode(output)
    for b in range(5):
        category = int(output.event_logits[b].argmax())
        for t in range(6):
            is_event = 1 / (1 + math.exp(-float(output.relevance_logits[b, t]))) > 0.6
            assert int(predictions.segments[b, t]) == (category if is_event else SPEC.n)


def test_unshared_classifiers_ask_the_predicted_category(encoded):
    head = build(EventAwareClassifiersConfig()).eval()
    output = head(encoded, None)
    predictions = head.decode(output)
    for b in range(5):
        category = int(output.event_logits[b].argmax())
        own = output.category_relevance_logits[b, :, category]
        torch.testing.assert_close(predictions.relevance[b], own.sigmoid())
        assert predictions.segments[b].tolist() == [category if x > 0 else SPEC.n for x in own.tolist()]


def test_single_decodes_every_segment(encoded):
    head = build(SingleConfig()).eval()
    output = head(encoded, None)
    predictions = head.decode(output)
    assert torch.equal(predictions.segments, output.segment_logits.argmax(-1))
    probabilities = output.segment_logits.softmax(-1)
    torch.testing.assert_close(predictions.relevance, 1 - probabilities[..., -1])
    assert torch.equal(predictions.category, probabilities[..., :-1].mean(1).argmax(-1))


@pytest.mark.parametrize("place", ["logits", "features"])
def test_dropout_falls_where_the_option_says(encoded, place):
    head = build(DoubleConfig(dropout=0.5, dropout_at=place)).train()
    torch.manual_seed(0)
    logits = head(encoded, None).relevance_logits
    assert bool((logits == 0).any()) is (place == "logits")
