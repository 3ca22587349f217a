"""What every record of tensors can do."""

from __future__ import annotations

import pytest
import torch

from avelzoo.channels import Channel
from avelzoo.records import Batch, Encoded, Targets


def batch(b, first=0):
    rows = torch.arange(first, first + b)
    return Batch(audio=rows[:, None, None].float() + torch.zeros(b, 2, 3), visual=torch.ones(b, 2, 1, 1, 4), rows=rows)


def targets(b, **more):
    known = {"event": torch.arange(b) % 3, "presence": torch.ones(b), "segments": torch.zeros(b, 2, dtype=torch.int64)}
    return Targets(**known | more, background=3)


GATE = Channel("gate", "(b t)", "of a test")


def test_map_reaches_every_tensor_and_nothing_else():
    weak = targets(4, segments=None).map(lambda value: value[:2])
    assert weak.segments is None
    assert weak.estimate is None
    assert weak.background == 3
    assert weak.event.tolist() == [0, 1]
    assert weak.presence.shape == (2,)
    both = batch(2).map(torch.add, batch(2, first=5))
    assert both.rows.tolist() == [5, 7]
    assert both.audio[:, 0, 0].tolist() == [5.0, 7.0]


GATE = Channel("gate", "(b t)", "of a test")


def test_map_reaches_tensors_by_name():
    one = torch.ones(2, 1)
    encoded = Encoded(fused=one, audio=one, visual=one, channels={GATE: 3 * one})
    assert list(encoded.tensors()) == ["fused", "audio", "visual", "gate"]
    doubled = encoded.map(lambda value: 2 * value)
    assert doubled.channels[GATE].tolist() == [[6.0], [6.0]]
    assert encoded.map(torch.add, doubled).channels[GATE].tolist() == [[9.0], [9.0]]


def test_take_cat_and_stack():
    whole = Batch.cat([batch(3), batch(2, first=3)])
    assert whole.rows.tolist() == [0, 1, 2, 3, 4]
    assert whole.take(torch.tensor([4, 0, 4])).audio[:, 1, 2].tolist() == [4.0, 0.0, 4.0]
    stacked = Targets.stack([targets(2), targets(2)])
    assert stacked.segments.shape == (2, 2, 2)
    assert stacked.estimate is None


def test_records_of_different_tensors_are_not_joined():
    with pytest.raises(ValueError, match=r"different tensors: event, presence, segments \| event, presence"):
        Targets.cat([targets(2), targets(2, segments=None)])


def test_to_changes_floating_tensors_alone():
    moved = batch(2).to(dtype=torch.float64)
    assert (moved.audio.dtype, moved.rows.dtype) == (torch.float64, torch.int64)
    same = batch(2).to("meta")
    assert (same.audio.device.type, same.audio.dtype) == ("meta", torch.float32)
