from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from avelzoo.builtin.objectives import terms
from avelzoo.builtin.objectives.configs import GeneralConfig
from avelzoo.records import HeadOutput, MemoryView, Metric, Targets
from avelzoo.testing import term_values
from tests.models.worlds import SPEC, make_targets

N, B, T, D, L, M = SPEC.n, 5, 6, 8, 3, 0.9


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def log_softmax(x, k):
    x = np.asarray(x, dtype=np.float64)
    return float(x[k] - x.max() - math.log(np.exp(x - x.max()).sum()))


@pytest.fixture
def output():
    torch.manual_seed(0)
    return HeadOutput(
        event_logits=torch.randn(B, N, requires_grad=True),
        relevance_logits=torch.randn(B, T, requires_grad=True),
        prototype_logits=torch.randn(B, T, N, requires_grad=True),
        audio_logits=torch.randn(B, T, N, requires_grad=True),
        visual_logits=torch.randn(B, T, N, requires_grad=True),
        embedding=torch.randn(B, T, D, requires_grad=True),
        metric=Metric(scale=1 / math.sqrt(D), margin=M),
    )


@pytest.fixture
def view():
    torch.manual_seed(1)
    filled = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=torch.bool)
    return MemoryView(items=torch.randn(N, L, D), filled=filled)


def distances(output, view, b, t, category):
    return [
        (output.embedding[b, t] - view.items[category, q]).norm().item() / math.sqrt(D)
        for q in range(L) if view.filled[category, q]
    ]  # fmt: skip


def naive_full(p, targets, view, *, official):
    """Eqs. 2, 7, 8, 11, 13, written as sums over videos and segments."""
    e, y, s = targets.event.tolist(), targets.relevance.tolist(), targets.segments.tolist()
    out = {"event": np.mean([-log_softmax(p.event_logits[b].tolist(), e[b]) for b in range(B)])}
    pairs = [(b, t) for b in range(B) for t in range(T)]
    r = p.relevance_logits.tolist()
    out["relevance"] = np.mean(
        [-(y[b][t] * math.log(sigmoid(r[b][t])) + (1 - y[b][t]) * math.log(1 - sigmoid(r[b][t]))) for b, t in pairs]
    )
    unimodal = [
        -log_softmax(logits[b, t].tolist(), s[b][t])
        for logits in (p.audio_logits, p.visual_logits)
        for b, t in pairs
        if y[b][t]
    ]
    out["unimodal"] = sum(unimodal) / (B * T)
    if official:
        out["prototype"] = np.mean([-log_softmax(p.prototype_logits[b].mean(0).tolist(), e[b]) for b in range(B)])
    else:
        out["prototype"] = np.mean([-log_softmax(p.prototype_logits[b, t].tolist(), e[b]) for b, t in pairs])
    per_video = []
    for b in range(B):
        pull = [y[b][t] * max(distances(p, view, b, t, e[b])) for t in range(T)]
        push = [(1 - y[b][t]) * max(0.0, M - min(distances(p, view, b, t, e[b]))) for t in range(T)]
        if official:
            events = sum(y[b])
            per_video.append(sum(pull) / max(events, 1e-12) + sum(push) / max(T - events, 1e-12))
        else:
            per_video.append((sum(pull) + sum(push)) / T)
    out["contrastive"] = np.mean(per_video)
    return out


@pytest.mark.parametrize("official", [False, True])
def test_full_objective_is_its_equations(output, view, official):
    config = GeneralConfig(
        prototype_level="video" if official else "segment", contrastive_mean="parts" if official else "segments"
    )
    targets = make_targets(B, T)
    got = term_values(config, output, targets, view)
    want = naive_full(output, targets, view, official=official)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].item() == pytest.approx(value, rel=1e-5), name


def test_weak_objective_is_its_equations(output, view):
    targets = make_targets(B, T, weak=True, negatives=1)
    got = term_values(GeneralConfig(), output, targets, view)
    e = targets.event.tolist()
    videos = [b for b in range(B) if e[b] != N]
    relevance = output.relevance_logits.sigmoid().tolist()
    p = output
    want = {
        "event": np.mean([-log_softmax(p.event_logits[b].tolist(), e[b]) for b in videos]),
        "relevance": np.mean(
            [
                -(y * math.log(np.mean(relevance[b])) + (1 - y) * math.log(1 - np.mean(relevance[b])))
                for b, y in enumerate(targets.presence.tolist())
            ]
        ),
        "unimodal": sum(
            -log_softmax(p.audio_logits[b, t].tolist(), e[b]) - log_softmax(p.visual_logits[b, t].tolist(), e[b])
            for b in videos for t in range(T)
        ) / (B * T),
        "prototype": np.mean([-log_softmax(p.prototype_logits[b, t].tolist(), e[b]) for b in videos for t in range(T)]),
        "contrastive": np.mean(
            [
                relevance[b][t] * max(distances(p, view, b, t, e[b]))
                + (1 - relevance[b][t]) * max(0.0, M - min(distances(p, view, b, t, e[b])))
                for b in videos for t in range(T)
            ]
        ),
    }  # fmt: skip
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].item() == pytest.approx(value, rel=1e-5), name


def test_background_videos_train_as_category_0_in_the_public_code(output, view):
    targets = make_targets(B, T, weak=True, negatives=2)
    as_first = Targets(
        event=targets.event.where(targets.has_event, 0), presence=targets.presence, segments=None, background=N
    )
    official = term_values(GeneralConfig(background_videos="category-0"), output, targets, view)
    named = term_values(GeneralConfig(), output, as_first, view)
    for name in official:
        torch.testing.assert_close(official[name], named[name])


def test_relevance_of_eq_18_carries_gradient(output, view):
    terms = term_values(GeneralConfig(), output, make_targets(B, T, weak=True), view)
    terms["contrastive"].backward()
    assert output.relevance_logits.grad.abs().sum() > 0


def test_terms_are_finite_without_any_event_or_anchor(output):
    empty = MemoryView(items=torch.zeros(N, L, D), filled=torch.zeros(N, L, dtype=torch.bool))
    nothing = torch.full((B,), N)
    for segments in (torch.full((B, T), N), None):
        targets = Targets(event=nothing, presence=torch.zeros(B), segments=segments, background=N)
        got = term_values(GeneralConfig(), output, targets, empty)
        assert all(torch.isfinite(value) for value in got.values())
        sum(got.values()).backward(retain_graph=True)


def test_single_branch_terms():
    torch.manual_seed(0)
    logits = torch.randn(B, T, N + 1)
    targets = make_targets(B, T)
    got = term_values(GeneralConfig(), HeadOutput(segment_logits=logits), targets, None)
    want = np.mean(
        [-log_softmax(logits[b, t].tolist(), int(targets.segments[b, t])) for b in range(B) for t in range(T)]
    )
    assert list(got) == ["segment"]
    assert got["segment"].item() == pytest.approx(want, rel=1e-5)
    weak = make_targets(B, T, weak=True, negatives=1)
    for pooling, pooled in (("mean", logits.mean(1)), ("max", logits.amax(1))):
        got = term_values(GeneralConfig(segment_pooling=pooling), HeadOutput(segment_logits=logits), weak, None)
        want = np.mean([-log_softmax(pooled[b].tolist(), int(weak.event[b])) for b in range(B)])
        assert got["segment"].item() == pytest.approx(want, rel=1e-5)


def test_unshared_relevance_is_judged_at_the_labelled_category():
    torch.manual_seed(0)
    own, targets = torch.randn(B, T, N), make_targets(B, T)
    output = HeadOutput(event_logits=torch.randn(B, N), category_relevance_logits=own)
    got = term_values(GeneralConfig(), output, targets, None)
    chosen = torch.stack([own[b, :, int(targets.event[b])] for b in range(B)])
    want = torch.nn.functional.binary_cross_entropy_with_logits(chosen, targets.relevance)
    torch.testing.assert_close(got["relevance"], want)


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_weights_are_the_papers(supervision):
    assert {term.name: term.weight for term in GeneralConfig().terms(supervision)} == {
        "event": 1.0, "relevance": 1.0, "unimodal": 0.01, "prototype": 0.1, "contrastive": 0.1, "segment": 1.0,
    }  # fmt: skip


def test_weak_relevance_keeps_finite_gradients_where_it_saturates():
    logits = torch.full((2, 3), 200.0, requires_grad=True)
    loss = terms.weak_relevance_loss(logits, torch.tensor([1.0, 0.0]))
    loss.backward()
    assert loss.item() == pytest.approx(50.0)
    assert torch.isfinite(logits.grad).all()
