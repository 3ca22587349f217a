"""What the parts of AVEL 2018, PSP and CPSP promise, at small sizes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from avelzoo_baselines.avel2018.configs import Avel2018Config, Avel2018DmrnConfig, SegmentConfig
from avelzoo_baselines.channels import VIDEO_PROBABILITIES
from avelzoo_baselines.cpsp.configs import CpspConfig, CpspObjectiveConfig
from avelzoo_baselines.cpsp.contrast import segment_contrast, video_contrast
from avelzoo_baselines.psp.configs import PspConfig, PspObjectiveConfig
from avelzoo_baselines.psp.objective import PairLoss
from avelzoo_baselines.psp.propagation import PositiveSamplePropagation
from avelzoo_baselines.psp.similarity import event_shares, pair_similarity_loss, stale_shares
from avelzoo_baselines.shared.configs import GatedDoubleConfig, LayeredSingleConfig, VideoConfig
from torch.nn import functional as F

from avelzoo import Encoded, FeatureSpec, HeadOutput, Targets, Widths
from avelzoo.testing import parametrize_with_checks, random_targets, term_values

SPEC = FeatureSpec(segments=6, audio_dim=5, grid=(2, 3), visual_dim=7, categories=("bark", "bell", "horn"))
SMALL = {"hidden": 4, "attention_width": 6}
WEAK_PSP = PspConfig(projections="visual", threshold=0.095, renormalize=False, output_layers=False, **SMALL)


@parametrize_with_checks(
    [
        Avel2018Config(**SMALL),
        Avel2018Config(attention_axis="location", **SMALL),
        Avel2018DmrnConfig(blocks=2, swap=True, attention_init="default", **SMALL),
        PspConfig(**SMALL),
        replace(WEAK_PSP, attention_axis="location"),
        CpspConfig(threshold=0.0, **SMALL),
    ]
)
def test_encoders_keep_the_contract(config, check):
    check(config)


@parametrize_with_checks(
    [
        LayeredSingleConfig(),
        LayeredSingleConfig(hidden=None, bias=False, pooling="max", weighting=True),
        GatedDoubleConfig(pooling="mean", background=False),
    ]
)
def test_heads_keep_the_contract(config, check):
    check(config)


@parametrize_with_checks(
    [
        SegmentConfig(segment_loss="soft-margin"),
        PspObjectiveConfig(pair_targets="stale", stale_slots=4),
        CpspObjectiveConfig(),
        VideoConfig(video_loss="categorical"),
    ]
)
def test_objectives_keep_the_contract(config, check):
    check(config)


def encoded(b=2, t=6, d=8):
    torch.manual_seed(0)
    fused = torch.randn(b, t, d)
    return Encoded(fused=fused, audio=fused, visual=fused)


@pytest.mark.parametrize("weighting", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "max"])
@torch.no_grad()
def test_layered_head_is_its_formula(weighting, pooling):
    head = LayeredSingleConfig(hidden=5, weighting=weighting, pooling=pooling).build(
        SPEC, Widths(fused=8, audio=8, visual=8), "weak"
    )
    made = head(encoded(), None)
    first, _, last = head.classifier
    for b in range(2):
        rows = []
        for t in range(6):
            s = last.weight @ (first.weight @ encoded().fused[b, t] + first.bias).clamp_min(0) + last.bias
            w = 1 / (1 + math.exp(-max(0.0, float(head.weight.weight[0] @ s)))) if weighting else 1.0
            rows.append(w * s)
            torch.testing.assert_close(made.segment_logits[b, t], rows[-1])
        pooled = sum(rows) / 6 if pooling == "mean" else torch.stack(rows).max(0).values
        torch.testing.assert_close(made[VIDEO_PROBABILITIES][b], pooled.softmax(0))
    assert torch.equal(head.decode(made).segments, made.segment_logits.argmax(-1))


@pytest.mark.parametrize("full", [True, False])
@torch.no_grad()
def test_propagation_is_its_formula(full):
    torch.manual_seed(1)
    psp = PositiveSamplePropagation(4, threshold=0.2, renormalize=full, output_layers=full).eval()
    audio, visual = torch.randn(2, 5, 4), torch.randn(2, 5, 4)
    got_audio, got_visual = psp(audio, visual)

    def through(layer, x):
        return (layer.weight @ x).clamp_min(0)

    for b in range(2):
        for own, other, query, key, value, out, got in (
            (visual, audio, psp.visual_2, psp.audio_1, psp.audio_2, psp.visual_out, got_visual),
            (audio, visual, psp.audio_1, psp.visual_2, psp.visual_1, psp.audio_out, got_audio),
        ):
            for i in range(5):
                q = through(query, own[b, i])
                fit = [max(0.0, float(q @ through(key, other[b, j])) / 2) for j in range(5)]
                share = [f / (sum(fit) + 1e-8) for f in fit]
                kept = [s if s > 0.2 else 0.0 for s in share]
                if full:
                    kept = [k / (sum(kept) + 1e-8) for k in kept]
                want = own[b, i] + sum(k * through(value, other[b, j]) for j, k in enumerate(kept))
                want = through(out, want) if full else want
                want = F.layer_norm(want, (4,), eps=1e-6)
                torch.testing.assert_close(got[b, i], want, rtol=1e-4, atol=1e-5)


def test_pruning_removes_weak_pairs_only():
    psp = PositiveSamplePropagation(4, threshold=0.3, renormalize=False, output_layers=False)
    fit = torch.tensor([[[3.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]])
    torch.testing.assert_close(psp.prune(fit)[0], torch.tensor([[0.75, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]]))
    psp.renormalize = True
    torch.testing.assert_close(psp.prune(fit)[0], torch.tensor([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]]))


def test_pair_loss_is_zero_exactly_where_similarities_are_the_events_shares():
    relevance = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]])
    assert (
        pair_similarity_loss(torch.tensor([[0.5, 0.5, -1, 0], [-0.2, 0, -0.1, 0.9]]), event_shares(relevance)) < 1e-12
    )
    assert pair_similarity_loss(torch.tensor([[0.5, 0.1, -1, 0], [0, 0, 0, 0.9]]), event_shares(relevance)) > 0.01
    assert torch.equal(event_shares(torch.zeros(1, 4)), torch.zeros(1, 4))


def test_stale_targets_are_a_buffer_where_only_events_are_written():
    torch.manual_seed(0)
    buffer = torch.zeros(3, 5).tolist()
    objective = PairLoss(slots=3, segments=5).train()
    sums = []
    for step in range(4):
        relevance = (torch.rand(3, 5) < 0.4).float()
        relevance[0, step], relevance[2] = 1, 0
        for place, row in enumerate(relevance.tolist()):
            share = 1 / sum(row) if sum(row) else 1 / 5
            for t, y in enumerate(row):
                if y or not sum(row):
                    buffer[place][t] = share
        got = objective._targets(relevance, None)
        torch.testing.assert_close(got, torch.tensor(buffer))
        sums.append(got.sum(dim=1).max().item())
    assert max(sums) > 1.2
    assert torch.equal(objective.state_dict()["stale"], torch.tensor(buffer))
    objective.eval()
    objective._targets(torch.ones(3, 5), None)
    assert torch.equal(objective.stale, torch.tensor(buffer))
    assert torch.equal(objective._targets(torch.ones(4, 5), None), torch.full((4, 5), 0.2))


def test_fresh_targets_equal_stale_ones_in_the_first_batch():
    relevance = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 1]])
    assert torch.equal(stale_shares(relevance, torch.zeros(2, 4)), event_shares(relevance))


def test_video_contrast_is_its_loops():
    torch.manual_seed(0)
    features, event = torch.randn(7, 3, 4, requires_grad=True), torch.tensor([0, 0, 1, 1, 2, 3, 0])
    counted = event < 3
    x = [sum(row / row.norm() for row in video) / 3 for video in features.detach()]
    losses = []
    for i in range(7):
        if not counted[i]:
            continue
        others = [j for j in range(7) if counted[j]]
        far = max(float((x[i] - x[j]).norm()) for j in others if event[j] == event[i])
        near = sorted(float((x[i] - x[j]).norm()) for j in others if event[j] != event[i])[:2]
        losses.append(max(0.0, far - sum(near) / 2 + 0.3))
    got = video_contrast(features, event, counted, margin=0.3, negatives=2)
    assert got.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    got.backward()
    assert torch.isfinite(features.grad).all()
    assert (features.grad[5] == 0).all()


def test_video_contrast_without_negatives_is_nothing():
    features = torch.randn(3, 2, 4, requires_grad=True)
    same = torch.zeros(3, dtype=torch.long)
    loss = video_contrast(features, same, same == 0, margin=0.3, negatives=2)
    loss.backward()
    assert loss.item() == 0
    assert (features.grad == 0).all()


def test_segment_contrast_is_its_loops():
    torch.manual_seed(0)
    features = torch.randn(3, 5, 4, requires_grad=True)
    relevance = torch.tensor([[1.0, 1, 0, 0, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
    losses = []
    for video, y in zip(features.detach(), relevance, strict=True):
        events, rest = [t for t in range(5) if y[t]], [t for t in range(5) if not y[t]]
        for i in events:
            fit = [math.exp(float(F.cosine_similarity(video[i], video[j], dim=0)) / 0.6) for j in range(5)]
            positive = sum(fit[j] for j in events)
            negative = sum(fit[j] for j in rest) / len(rest) if rest else 0.0
            losses.append(-math.log(positive / (positive + negative)))
    got = segment_contrast(features, relevance, temperature=0.6)
    assert got.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    got.backward()
    assert torch.isfinite(features.grad).all()
    assert features.grad[0].abs().sum() > 0


def test_doubly_squashed_loss_never_falls_to_zero():
    """With 29 classes a perfect answer still costs about 0.68."""
    spec = replace(SPEC, categories=tuple(map(str, range(28))))
    targets = random_targets(spec, 3)
    perfect = F.one_hot(targets.segments, 29) * 1000.0
    losses = {
        name: term_values(SegmentConfig(segment_loss=name), HeadOutput(segment_logits=perfect), targets)
        for name in ("cross-entropy", "soft-margin")
    }
    assert losses["cross-entropy"]["segment"].item() == 0
    assert losses["soft-margin"]["segment"].item() == pytest.approx(0.680, abs=5e-4)


def test_video_losses_read_labels_of_as_many_classes_as_the_head_has():
    targets = Targets(
        event=torch.tensor([0, 3]), presence=torch.tensor([1.0, 0.0]), segments=None, background=SPEC.background
    )
    for probabilities in (torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]), torch.full((2, 4), 0.25)):
        made = HeadOutput(channels={VIDEO_PROBABILITIES: probabilities})
        terms = {
            loss: term_values(VideoConfig(video_loss=loss), made, targets)["video"].item()
            for loss in ("soft-margin", "cross-entropy", "categorical")
        }
        classes = probabilities.shape[1]
        labels = torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1]])[:, :classes]
        assert terms["soft-margin"] == pytest.approx(F.multilabel_soft_margin_loss(probabilities, labels).item())
        assert terms["cross-entropy"] == pytest.approx(F.binary_cross_entropy(probabilities, labels).item())
        assert terms["categorical"] == pytest.approx(-(labels * probabilities.log()).sum().item() / 2)
