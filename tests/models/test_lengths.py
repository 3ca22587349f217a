"""Videos of different length in one batch: what every part makes of a video is what it makes of it alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.memory.slots import RankedSlots
from avelzoo.builtin.objectives.configs import GeneralConfig
from avelzoo.channels import Channel
from avelzoo.composition.lengths import each_length, encode
from avelzoo.nn import max_over_time, mean_over_time, segments_of
from avelzoo.records import Encoded, HeadOutput, MemoryView, Metric
from avelzoo.testing import term_values
from tests.models.test_memory import BANKS, build
from tests.models.worlds import SPEC, make_batch, make_targets

LENGTHS = (6, 2, 4, 1, 6)
B, T, N, D = len(LENGTHS), 6, SPEC.n, 8
MASK = torch.arange(T) < torch.tensor(LENGTHS).unsqueeze(1)


def mixed_batch(seed=0):
    """Five videos of different length, with garbage behind them."""
    batch = make_batch(B, T, seed=seed)
    audio, visual = batch.audio.clone(), batch.visual.clone()
    audio[~MASK], visual[~MASK] = 9.0, -9.0
    return replace(batch, audio=audio, visual=visual, mask=MASK)


def alone(record, video):
    """One video of a record, cut to its length."""
    return each_length(lambda part: part, record.take(torch.tensor([video])), MASK[video : video + 1, : LENGTHS[video]])


def test_an_encoding_is_that_of_the_video_alone_and_zero_in_padding():
    encoder = STFusionConfig(width=8, heads=2, feedforward=12).build(SPEC).eval()
    batch = mixed_batch()
    encoded = encode(encoder, batch)
    assert torch.equal(encoded.mask, MASK)
    for name in ("fused", "audio", "visual"):
        assert not getattr(encoded, name)[~MASK].any()
    for video, length in enumerate(LENGTHS):
        single = encoder(batch.audio[video : video + 1, :length], batch.visual[video : video + 1, :length])
        for name in ("fused", "audio", "visual"):
            torch.testing.assert_close(getattr(encoded, name)[video : video + 1, :length], getattr(single, name))


class Recorder(nn.Module):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, audio, visual):
        self.seen.append(audio)
        return Encoded(fused=audio, audio=audio, visual=visual.flatten(2))


def test_without_a_mask_there_is_one_call_with_the_very_features():
    recorder, batch = Recorder(), make_batch()
    encode(recorder, batch)
    assert len(recorder.seen) == 1
    assert recorder.seen[0] is batch.audio


def test_encoders_get_every_length_once_and_no_padding():
    recorder = Recorder()
    encoded = encode(recorder, mixed_batch())
    assert sorted(tuple(audio.shape[:2]) for audio in recorder.seen) == [(1, 1), (1, 2), (1, 4), (2, 6)]
    assert all(float(audio.max()) < 9 for audio in recorder.seen)
    torch.testing.assert_close(encoded.fused[MASK], mixed_batch().audio[MASK])


def test_channels_are_cut_and_padded_by_their_shape():
    """A width that happens to be t stays; a place behind the segments moves to the end of the video."""
    same, pairs, ends = Channel("same", "(b d)", ""), Channel("pairs", "(b t t)", ""), Channel("ends", "(b t+1 2)", "")
    given = {
        same: torch.rand(B, T),
        pairs: torch.rand(B, T, T),
        ends: torch.rand(B, T + 1, 2),
    }
    seen = {}

    def look(part):
        seen[part.channels[pairs].shape[1]] = {channel: tuple(v.shape) for channel, v in part.channels.items()}
        return part

    found = each_length(look, HeadOutput(channels=given), MASK).channels
    assert seen[2] == {same: (1, T), pairs: (1, 2, 2), ends: (1, 3, 2)}
    assert torch.equal(found[same], given[same])
    for video, length in enumerate(LENGTHS):
        assert torch.equal(found[pairs][video, :length, :length], given[pairs][video, :length, :length])
        assert torch.equal(found[ends][video, : length + 1], given[ends][video, : length + 1])
        assert not found[ends][video, length + 1 :].any()


def test_pooling_over_time_is_that_of_every_video():
    x = torch.rand(B, T, D) - 2  # negative, so that zeros would win a maximum
    rows = [row[:length] for row, length in zip(x, LENGTHS, strict=True)]
    torch.testing.assert_close(mean_over_time(x, MASK), torch.stack([row.mean(0) for row in rows]))
    assert torch.equal(max_over_time(x, MASK), torch.stack([row.amax(0) for row in rows]))
    assert torch.equal(segments_of(x, MASK), torch.cat(rows))
    assert torch.equal(mean_over_time(x), x.mean(1))
    assert torch.equal(max_over_time(x), x.amax(1))
    assert torch.equal(segments_of(x), x.flatten(0, 1))


@pytest.mark.parametrize("name", sorted(BANKS))
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_banks_store_no_padding(name, supervision):
    encoder = STFusionConfig(width=8, heads=2, feedforward=12).build(SPEC).eval()
    memory = build(BANKS[name], encoder, supervision)
    for seed in range(3):
        batch = mixed_batch(seed)
        targets = make_targets(B, T, weak=supervision == "weak", seed=seed)
        observe_masked(memory, encoder, replace(batch, rows=batch.rows + B * seed), targets)
    slots: RankedSlots = memory.slots
    keys = slots.key[slots.filled]
    assert keys.numel() > 0
    lengths = torch.tensor(LENGTHS)[(keys >> 20) % B]
    assert bool(((keys & ((1 << 20) - 1)) < lengths).all())


def observe_masked(memory, encoder, batch, targets):
    encoded = encode(encoder, batch)
    segments = targets.segments
    if segments is not None:
        segments = segments.masked_fill(~MASK, targets.background)
    return memory.observe(encoded, batch, replace(targets, segments=segments, mask=MASK))


def output():
    torch.manual_seed(0)
    shapes = {
        "event_logits": (B, N),
        "relevance_logits": (B, T),
        "segment_logits": (B, T, N + 1),
        "prototype_logits": (B, T, N),
        "audio_logits": (B, T, N),
        "visual_logits": (B, T, N),
        "embedding": (B, T, D),
    }
    return HeadOutput(
        **{name: torch.randn(shape) for name, shape in shapes.items()}, metric=Metric(scale=0.4, margin=0.9)
    )


@pytest.mark.parametrize(
    "config", [GeneralConfig(), GeneralConfig(prototype_level="video", segment_pooling="max", contrastive_mean="parts")]
)
@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_loss_terms_are_means_over_real_segments_or_over_videos(config, supervision):
    weak = supervision == "weak"
    targets = replace(make_targets(B, T, weak=weak, negatives=1), mask=MASK)
    if not weak:
        targets = replace(targets, segments=targets.segments.masked_fill(~MASK, N))
    view = MemoryView(items=torch.randn(N, 3, D), filled=torch.ones(N, 3, dtype=torch.bool))
    p = output()
    found = term_values(config, p, targets, view)
    single = [
        term_values(
            config,
            alone(p, i),
            replace(
                targets.take(torch.tensor([i])),
                mask=None,
                segments=None if weak else targets.segments[i : i + 1, : LENGTHS[i]],
            ),
            view,
        )
        for i in range(B)
    ]
    lengths, ones, counted = torch.tensor(LENGTHS).float(), torch.ones(B), targets.has_event.float()
    weights = {
        "event": counted,
        "relevance": ones if weak else lengths,
        "unimodal": lengths,
        "prototype": counted * (lengths if config.prototype_level == "segment" else 1),
        "contrastive": counted,
        "segment": ones if weak else lengths,
    }
    assert found.keys() == weights.keys()
    for name, weight in weights.items():
        expected = (torch.stack([values[name] for values in single]) * weight).sum() / weight.sum()
        torch.testing.assert_close(found[name], expected, msg=lambda text, name=name: f"{name}: {text}")
