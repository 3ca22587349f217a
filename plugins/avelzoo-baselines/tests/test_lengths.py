"""Loss terms of the published systems on videos of different length: means over what is real."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from avelzoo_baselines import channels
from avelzoo_baselines.ave_clip.objective import gate_loss as event_gate
from avelzoo_baselines.avel2018.objective import soft_margin_of_segments
from avelzoo_baselines.cace_net.objective import contrast_loss
from avelzoo_baselines.cmbs.objective import gate_loss as joint_gate
from avelzoo_baselines.cpsp.objective import between_videos, within_videos
from avelzoo_baselines.psp.objective import PairLoss
from avelzoo_baselines.spav.objective import span_loss
from torch.nn import functional as F

from avelzoo.channels import SEGMENT_LOGITS
from avelzoo.records import HeadOutput, Targets

LENGTHS = (6, 2, 4, 1)
B, T, D, N = len(LENGTHS), 6, 5, 3
MASK = torch.arange(T) < torch.tensor(LENGTHS).unsqueeze(1)
LABELS = torch.tensor(
    [[0, 3, 0, 0, 3, 0], [3, 1, 3, 3, 3, 3], [3, 3, 3, 3, 3, 3], [1, 3, 3, 3, 3, 3]]
)  # several runs, one, none, a single segment; background is 3
EVENT = torch.tensor([0, 1, 3, 1])


def output():
    """Values in the padding that would change every loss."""
    torch.manual_seed(0)
    return HeadOutput(
        segment_logits=torch.randn(B, T, N + 1),
        channels={
            channels.EVENT_GATE: torch.randn(B, T),
            channels.JOINT_GATE: torch.rand(B, T),
            channels.CONTRAST_QUERIES: F.normalize(torch.randn(B, T, D), dim=-1),
            channels.CONTRAST_KEYS: F.normalize(torch.randn(B, T, D), dim=-1),
            channels.PAIR_SIMILARITY: torch.rand(B, T),
            channels.PROPAGATED: torch.randn(B, T, D),
            channels.SPAN_LOGITS: torch.randn(B, T + 1, 2),
        },
    )


def targets():
    return Targets(event=EVENT, presence=(EVENT != N).float(), segments=LABELS, background=N, mask=MASK)


def alone(p, known, i):
    """One video without padding; the place behind its last segment is the null one."""
    t = LENGTHS[i]
    cut = {c: v[i : i + 1, : t + (c == channels.SPAN_LOGITS)] for c, v in p.channels.items()}
    one = replace(p, segment_logits=p[SEGMENT_LOGITS][i : i + 1, :t], channels=cut)
    return one, replace(known.take(torch.tensor([i])), segments=LABELS[i : i + 1, :t], mask=None)


SEGMENTS = torch.tensor(LENGTHS).float()
EVENTS = (LABELS != N).sum(dim=1).float()
ONES = torch.ones(B)


@pytest.mark.parametrize(
    ("loss", "weights"),
    [
        (event_gate, SEGMENTS),
        (lambda p, t, v: joint_gate(p, t, v, is_logit=False), SEGMENTS),
        (lambda p, t, v: joint_gate(p, t, v, is_logit=True), SEGMENTS),
        (soft_margin_of_segments, SEGMENTS),
        (lambda p, t, v: contrast_loss(p, t, v, temperature=0.5), SEGMENTS),
        (PairLoss(slots=0, segments=T), SEGMENTS),
        (lambda p, t, v: within_videos(p, t, v, temperature=0.5), EVENTS),
        (span_loss, ONES),
    ],
    ids=["event-gate", "joint-gate", "joint-gate-logit", "soft-margin", "background", "pair", "within", "span"],
)
def test_a_batch_costs_what_its_videos_cost_alone(loss, weights):
    p, known = output(), targets()
    single = torch.stack([loss(*alone(p, known, i), None) for i in range(B)])
    torch.testing.assert_close(loss(p, known, None), (single * weights).sum() / weights.sum())


def test_contrast_of_videos_reads_their_real_segments():
    p, known = output(), targets()
    other = torch.where(MASK.unsqueeze(-1), p[channels.PROPAGATED], torch.randn(B, T, D))
    changed = replace(p, channels=p.channels | {channels.PROPAGATED: other})
    losses = [between_videos(q, known, None, margin=0.6, negatives=2) for q in (p, changed)]
    torch.testing.assert_close(losses[0], losses[1])
    assert losses[0] > 0
