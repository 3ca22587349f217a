"""Mixup and replication against loops over videos, and the loss of mixed videos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from avelzoo_baselines.dpnet.configs import ReplicateConfig
from avelzoo_baselines.spav.configs import MixupConfig, SpanConfig

from avelzoo import recipes
from avelzoo.testing import harnesses_for, random_batch, random_targets
from avelzoo.testing.harness import SPEC

WEAK = pytest.mark.parametrize("weak", [False, True])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def applied(config, weak, *, b=9, t=4, seed=0):
    batch, targets = random_batch(SPEC, b, t), random_targets(SPEC, b, t, weak=weak, negatives=2)
    transform = config.build(SPEC, "weak" if weak else "full")
    return batch, targets, *transform(batch, targets, seeded(seed))


@WEAK
def test_mixup_is_the_loop(weak):
    batch, targets, new, known = applied(MixupConfig(), weak)
    assert sorted(known.partner.tolist()) == list(range(9))
    assert 0.5 <= known.share <= 1
    for i, j in enumerate(known.partner.tolist()):
        for own, mixed in ((batch.audio, new.audio), (batch.visual, new.visual)):
            assert torch.allclose(mixed[i], known.share * own[i] + (1 - known.share) * own[j])
        assert known.mixed_in.event[i] == targets.event[j]
        if not weak:
            assert torch.equal(known.mixed_in.segments[i], targets.segments[j])
    assert torch.equal(known.event, targets.event)
    assert torch.equal(new.rows, batch.rows)


def test_mixup_coefficients_follow_the_beta_distribution():
    """max(r, 1 - r) of Beta(a, a): its mean, by a sum over the density's own samples."""
    shares = [applied(MixupConfig(alpha=0.4), weak=True, b=1, t=1, seed=seed)[3].share for seed in range(600)]
    drawn = np.random.default_rng(0).beta(0.4, 0.4, 100_000)
    expected = np.maximum(drawn, 1 - drawn)
    assert np.mean(shares) == pytest.approx(expected.mean(), abs=0.02)
    assert np.quantile(shares, [0.25, 0.75]) == pytest.approx(np.quantile(expected, [0.25, 0.75]), abs=0.04)


def test_loss_of_mixed_videos_is_the_weighted_sum():
    for harness in harnesses_for(SpanConfig()):
        model = harness.model().eval()
        batch, targets = harness.batch(5), harness.targets(5)
        partner = torch.tensor([1, 0, 4, 2, 3])
        mixed = replace(targets, partner=partner, share=0.7)
        one, other, both = (model(batch, known) for known in (targets, targets.take(partner), mixed))
        assert both.terms.keys() == one.terms.keys()
        for name, value in both.terms.items():
            assert torch.allclose(value, 0.7 * one.terms[name] + 0.3 * other.terms[name]), name
        assert torch.allclose(both.loss, 0.7 * one.loss + 0.3 * other.loss)


@WEAK
def test_replicate_is_the_loop(weak):
    batch, targets, new, known = applied(ReplicateConfig(swap=0.6), weak)
    b, events = len(batch.rows), targets.event.tolist()
    sources = [i for i in range(b) if events.count(events[i]) > 1]
    assert len(sources) > 0
    assert torch.equal(new.rows[:b], batch.rows)
    assert new.rows[b:].tolist() == [-1 - batch.rows[i].item() for i in sources]
    exchanged = kept = 0
    for place, i in enumerate(sources, start=b):
        assert known.event[place] == events[i]
        assert known.presence[place] == targets.presence[i]
        if not weak:
            assert torch.equal(known.segments[place], targets.segments[i])
        fitting = []
        for j in (j for j in range(b) if j != i and events[j] == events[i]):
            origins = []
            for s in range(batch.audio.shape[1]):
                is_source = torch.equal(new.audio[place, s], batch.audio[i, s])
                is_partner = torch.equal(new.audio[place, s], batch.audio[j, s])
                other = i if is_source else j
                assert not is_partner or torch.equal(new.visual[place, s], batch.visual[other, s])
                allowed = weak or targets.segments[i, s] == targets.segments[j, s]
                origins.append("source" if is_source else "partner" if is_partner and allowed else "neither")
            if "neither" not in origins:
                fitting.append(origins)
        assert fitting, f"the blend of {i} is made of no two videos of its category"
        exchanged += fitting[0].count("partner")
        kept += fitting[0].count("source")
    assert exchanged, "no segment was exchanged"
    assert kept, "no segment was kept"


def test_replicate_without_exchange_is_a_copy():
    batch, _, new, _ = applied(ReplicateConfig(swap=0.0), weak=True)
    sources = (-1 - new.rows[9:]).tolist()
    assert torch.equal(new.audio[9:], torch.stack([batch.audio[row] for row in sources]))


def test_a_video_without_a_partner_has_no_blend():
    batch, _, new, known = applied(ReplicateConfig(), weak=True, b=1)
    assert torch.equal(new.rows, batch.rows)
    assert len(known.event) == 1


@pytest.mark.parametrize("name", ["spav", "dpnet"])
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_recipes_train_without_transform_by_default(name, supervision):
    assert type(recipes[name](supervision).transform).__name__ == "NoTransformConfig"
