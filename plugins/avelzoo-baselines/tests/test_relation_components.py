"""What the parts of CMRAN, CMBS and CACE-Net promise, at small sizes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from avelzoo_baselines.cace_net.configs import CaceNetConfig, CaceNetHeadConfig, CaceNetObjectiveConfig
from avelzoo_baselines.cace_net.objective import background_contrast
from avelzoo_baselines.channels import (
    AUDIO_GATE,
    AUDIO_STREAM,
    CONTRAST_KEYS,
    CONTRAST_QUERIES,
    MEAN_GATE,
    STREAM_LOGITS,
    VIDEO_LOGITS,
    VIDEO_PROBABILITIES,
    VISUAL_GATE,
    VISUAL_STREAM,
)
from avelzoo_baselines.cmbs.configs import CmbsConfig, CmbsHeadConfig, CmbsObjectiveConfig, CmbsWeakHeadConfig
from avelzoo_baselines.cmbs.heads import mean_of_top
from avelzoo_baselines.cmran.configs import CmranConfig
from avelzoo_baselines.shared.configs import GatedDoubleConfig, PooledSingleConfig, VideoConfig

from avelzoo import Encoded, FeatureSpec, HeadOutput, OptionError, SumOfTerms, Targets, Widths
from avelzoo.testing import parametrize_with_checks, random_batch, random_targets, term_values

SPEC = FeatureSpec(segments=6, audio_dim=5, grid=(2, 3), visual_dim=7, categories=("bark", "bell", "horn"))
N = SPEC.n
WIDTHS = Widths(fused=8, audio=8, visual=8)
RELATION = {"width": 8, "heads": 2, "attention_width": 6, "dropout": 0.1}
CMRAN = CmranConfig(feedforward=12, **RELATION)
STREAMS = {
    "encoder_feedforward": 12,
    "decoder_feedforward": 10,
    "audio_hidden": 3,
    "visual_hidden": 4,
    "query_width": 5,
}
CMBS = CmbsConfig(**STREAMS, **RELATION)
CACE = CaceNetConfig(**STREAMS, **RELATION)
ENCODERS = {
    "cmran": CMRAN,
    "cmran equal layers": replace(CMRAN, equal_layers=True, layers=3, fusion_heads=2),
    "cmbs": CMBS,
    "cmbs weak": replace(CMBS, recurrent=False, gate_form="mix", gate_source="own", fusion_heads=2),
    "cace": CACE,
    "cace audio": replace(CACE, guidance="audio"),
    "cace none": replace(CACE, guidance="none"),
}


@parametrize_with_checks(list(ENCODERS.values()))
def test_encoders_keep_the_contract(config, check):
    check(config)


@parametrize_with_checks(
    [GatedDoubleConfig(), PooledSingleConfig(pooling="attention"), PooledSingleConfig(pooling="max")]
)
def test_shared_heads_keep_the_contract(config, check):
    check(config)


@parametrize_with_checks(
    [VideoConfig(), VideoConfig(video_loss="cross-entropy"), CmbsObjectiveConfig(gate_loss="logits")]
)
def test_objectives_keep_the_contract(config, check):
    check(config)


@pytest.mark.parametrize("name", ["cmran", "cmbs weak"])
def test_segments_have_no_order(name):
    encoder = ENCODERS[name].build(SPEC).eval()
    batch = random_batch(SPEC, 2)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    want = encoder(batch.audio, batch.visual).fused[:, order]
    torch.testing.assert_close(encoder(batch.audio[:, order], batch.visual[:, order]).fused, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("config", ENCODERS.values(), ids=ENCODERS.keys())
def test_cells_have_no_order(config):
    encoder = config.build(SPEC).eval()
    batch = random_batch(SPEC, 2)
    want = encoder(batch.audio, batch.visual).fused
    torch.testing.assert_close(encoder(batch.audio, batch.visual.flip(2)).fused, want, rtol=1e-4, atol=1e-5)


def test_equal_layers_start_equal():
    blocks = ENCODERS["cmran equal layers"].build(SPEC).audio_encoder.blocks
    state = blocks[0].state_dict()
    assert len(blocks) == 3
    assert all(torch.equal(value, state[key]) for block in blocks for key, value in block.state_dict().items())
    assert not torch.equal(*(b.attention.in_proj_weight for b in CMRAN.build(SPEC).audio_encoder.blocks))


@pytest.mark.parametrize(
    ("source", "moved", "kept"), [("other", AUDIO_STREAM, VISUAL_STREAM), ("own", VISUAL_STREAM, AUDIO_STREAM)]
)
@pytest.mark.parametrize("form", ["add", "mix"])
def test_gates_act_on_the_stream_they_are_for(source, moved, kept, form):
    """The visual gate acts on the audio stream, or on its own."""
    encoder = replace(CMBS, gate_source=source, gate_form=form, gate_weight=0.5).build(SPEC).eval()
    batch = random_batch(SPEC, 2)
    before = encoder(batch.audio, batch.visual)
    with torch.no_grad():
        encoder.streams.visual_gate.weight.zero_()
        encoder.streams.visual_gate.bias.fill_(100.0)
    after = encoder(batch.audio, batch.visual)
    assert torch.equal(after[VISUAL_GATE], torch.ones(2, 6))
    assert torch.equal(before[kept], after[kept])
    gate = before[VISUAL_GATE].unsqueeze(-1)
    was, now = (1 + 0.5 * gate, 1.5) if form == "add" else (0.5 + 0.5 * gate, 1.0)
    torch.testing.assert_close(before[moved] / was * now, after[moved])


def test_guidance_is_what_it_says():
    batch = random_batch(SPEC, 2)
    other = batch.visual.flip(1)
    for guidance, audio_moves in (("co", True), ("audio", False), ("none", False)):
        encoder = replace(CACE, guidance=guidance).build(SPEC).eval()
        heard, seen = encoder.attend(batch.audio, batch.visual)
        moved, _ = encoder.attend(batch.audio, other)
        assert torch.equal(heard, moved) is not audio_moves
        _, deaf = encoder.attend(batch.audio.flip(1), batch.visual)
        assert torch.equal(seen, deaf) is (guidance == "none")


@pytest.mark.parametrize("make", [CmranConfig, CmbsConfig, CaceNetConfig])
def test_heads_must_divide_the_width(make):
    with pytest.raises(OptionError, match=r"do not divide") as fault:
        make(width=8, heads=2, fusion_heads=3)
    assert "fusion_heads" in fault.value.where


def test_mean_of_top_takes_what_there_is():
    x = torch.tensor([[[1.0, 9.0], [5.0, 1.0], [3.0, 2.0]]])
    assert mean_of_top(x, 2).tolist() == [[4.0, 5.5]]
    assert mean_of_top(x, 9).tolist() == [[3.0, 4.0]]


def streams(t=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    fused, audio, visual = torch.randn(3, 2, t, 8, generator=generator)
    gates = torch.rand(2, 2, t, generator=generator)
    channels = {AUDIO_GATE: gates[0], VISUAL_GATE: gates[1], AUDIO_STREAM: audio, VISUAL_STREAM: visual}
    return Encoded(fused=fused, audio=audio, visual=visual, channels=channels)


@pytest.mark.parametrize("relevance", ["gate", "squashed-gate"])
def test_a_gate_squashed_twice_localizes_nothing(relevance):
    head = CmbsWeakHeadConfig(relevance=relevance).build(SPEC, WIDTHS, "weak").eval()
    predictions = head.decode(output := head(streams(), None))
    gate = output[MEAN_GATE]
    assert (gate < 0.5).any() and (gate > 0.5).any()
    best = output[VIDEO_LOGITS].argmax(-1)
    for b in range(2):
        for t in range(6):
            event = relevance == "squashed-gate" or bool(gate[b, t] > 0.5)
            assert int(predictions.segments[b, t]) == (int(best[b]) if event else N)


def test_a_saturated_gate_has_a_finite_logit():
    encoded = streams()
    ones = {**encoded.channels, AUDIO_GATE: torch.ones(2, 6), VISUAL_GATE: torch.ones(2, 6).bfloat16()}
    head = CmbsWeakHeadConfig().build(SPEC, WIDTHS, "weak").eval()
    assert torch.isfinite(head(replace(encoded, channels=ones), None).relevance_logits).all()


def test_a_video_may_be_background_as_a_whole():
    head = GatedDoubleConfig().build(SPEC, WIDTHS, "weak").eval()
    with torch.no_grad():
        head.relevance.bias.fill_(50.0)
        head.category.bias[N] = 50.0
    predictions = head.decode(head(streams(), None))
    assert torch.equal(predictions.segments, torch.full((2, 6), N))
    assert predictions.category.max() < N


def test_pooling_is_what_it_says():
    encoded = streams()
    for pooling in ("mean", "max", "attention"):
        head = PooledSingleConfig(pooling=pooling).build(SPEC, WIDTHS, "weak").eval()
        output = head(encoded, None)
        logits = output.segment_logits
        if pooling == "attention":
            pooled = (torch.softmax(head.attention(encoded.fused), dim=1) * logits).sum(1)
        else:
            pooled = logits.mean(1) if pooling == "mean" else logits.max(1).values
        torch.testing.assert_close(output[VIDEO_PROBABILITIES], torch.softmax(pooled, -1))


def test_full_objective_of_cmbs_is_its_equations():
    encoded, targets = streams(), random_targets(SPEC, 2)
    head = CmbsHeadConfig().build(SPEC, WIDTHS, "full").eval()
    p = head(encoded, None)
    gate, y = (encoded[AUDIO_GATE] * encoded[VISUAL_GATE]).double(), targets.relevance.double()
    for loss, squash in (("probability", lambda x: x), ("logits", torch.sigmoid)):
        terms = term_values(CmbsObjectiveConfig(gate_loss=loss), p, targets)
        assert set(terms) == {"event", "relevance", "gate", "streams"}
        prob = squash(gate)
        want = -(y * prob.log() + (1 - y) * (1 - prob).log()).mean()
        assert terms["gate"].item() == pytest.approx(want.item(), rel=1e-5)
    logits = p[STREAM_LOGITS]
    want = -torch.log_softmax(logits, -1)[torch.arange(2), targets.event].mean()
    assert terms["streams"].item() == pytest.approx(want.item(), rel=1e-5)
    nothing = Targets(event=torch.full((2,), N), presence=torch.zeros(2), segments=torch.full((2, 6), N), background=N)
    assert terms.keys() == (silent := term_values(CmbsObjectiveConfig(), p, nothing)).keys()
    assert silent["streams"].item() == 0


@torch.no_grad()
def test_video_objective_is_the_soft_margin_of_probabilities():
    head = GatedDoubleConfig().build(SPEC, WIDTHS, "weak").eval()
    p = head(streams(), None)
    targets = random_targets(SPEC, 2, weak=True, negatives=1)
    terms = term_values(VideoConfig(video_loss="soft-margin"), p, targets)
    total = 0.0
    for b in range(2):
        for c in range(N + 1):
            squashed = 1 / (1 + math.exp(-float(p[VIDEO_PROBABILITIES][b, c])))
            holds = int(targets.event[b]) == c
            total -= math.log(squashed if holds else 1 - squashed)
    assert set(terms) == {"video"}
    assert terms["video"].item() == pytest.approx(total / (2 * (N + 1)), rel=1e-5)


def test_video_objective_adds_what_a_memory_gives():
    """The general terms of the memory alone: categories, relevance and segments are the video term's matter."""
    p = HeadOutput(
        event_logits=torch.randn(2, N),
        relevance_logits=torch.randn(2, 6),
        audio_logits=torch.randn(2, 6, N),
        visual_logits=torch.randn(2, 6, N),
        channels={VIDEO_PROBABILITIES: torch.rand(2, N).softmax(dim=-1)},
    )
    config = VideoConfig(video=2.0, unimodal=0.5)
    assert set(term_values(config, p, random_targets(SPEC, 2, weak=True))) == {"video", "unimodal"}
    weights = {term.name: term.weight for term in config.terms("weak")}
    assert weights == {"video": 2.0, "unimodal": 0.5, "prototype": 0.1}


def contrast(queries, keys, relevance, temperature):
    """Row by row, as the description says, in float64."""
    total, rows = 0.0, 0
    for b in range(len(queries)):
        both = torch.cat([queries[b], keys[b]]).double()
        t = len(queries[b])
        n = int(relevance[b].sum())
        for i in range(2 * t):
            on = bool(relevance[b, i % t])
            positive = [j for j in range(2 * t) if j != i and (j % t == i % t or (on and relevance[b, j % t]))]
            s = {j: float(both[i] @ both[j]) / temperature for j in range(2 * t) if j != i}
            total += -math.log(sum(math.exp(s[j]) for j in positive)) + math.log(sum(map(math.exp, s.values())))
            total += math.log(1 + on * (2 * n - 2))
            rows += 1
    return total / rows


@pytest.mark.parametrize("temperature", [0.01, 0.5])
def test_background_contrast_is_its_equation(temperature):
    generator = torch.Generator().manual_seed(0)
    queries, keys = torch.nn.functional.normalize(torch.randn(2, 3, 4, 8, generator=generator), dim=-1)
    relevance = torch.tensor([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]).float()
    got = background_contrast(queries.requires_grad_(), keys, relevance, temperature)
    assert got.item() == pytest.approx(contrast(queries.detach(), keys, relevance, temperature), rel=1e-4)
    got.backward()
    assert torch.isfinite(queries.grad).all()


def test_contrast_begins_after_an_eighth_of_the_epochs():
    head = CaceNetHeadConfig(start=0.125).build(SPEC, WIDTHS, "full").train()
    assert CONTRAST_KEYS in head(streams(), None), "a model that nobody trains counts the contrastive features"
    head.begin_epoch(24, 200)
    early = head(streams(), None)
    assert CONTRAST_QUERIES not in early
    torch.testing.assert_close(early.relevance_logits, head.relevance(streams().fused).squeeze(-1))
    head.begin_epoch(25, 200)
    late = head(streams(), None)
    assert {CONTRAST_QUERIES, CONTRAST_KEYS} <= late.given().keys()
    assert not torch.allclose(late.relevance_logits, early.relevance_logits)
    torch.testing.assert_close(late[CONTRAST_QUERIES].norm(dim=-1), torch.ones(2, 6))
    objective = SumOfTerms([t for t in CaceNetObjectiveConfig().terms("full") if t.name == "background"], SPEC)
    assert set(objective(late, random_targets(SPEC, 2), None)) == {"background"}
    assert objective(early, random_targets(SPEC, 2), None) == {}
    head.begin_epoch(24, 200)
    again = CaceNetHeadConfig(start=0.125).build(SPEC, WIDTHS, "full").train()
    again.load_state_dict(head.state_dict())
    assert CONTRAST_QUERIES not in again(streams(), None), "weights of an early epoch say so themselves"
    head.begin_epoch(25, 200)
    head.eval()
    assert CONTRAST_KEYS not in head(streams(), None), "evaluation draws no noise"
