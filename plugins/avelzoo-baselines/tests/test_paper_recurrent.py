"""DAM, AVIN, AVSDN, CMAN and MPN: what their specs promise, beyond the conformance checks."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from avelzoo_baselines.avin.bilinear import BilinearFusion, SegmentGate
from avelzoo_baselines.avin.configs import AvfbConfig, AvinConfig
from avelzoo_baselines.avin.model import attention_over_time
from avelzoo_baselines.avsdn.configs import AvsdnConfig
from avelzoo_baselines.channels import GLOBAL_AUDIO, GLOBAL_VISUAL, SENTINEL_WEIGHTS, VIDEO_LOGITS, VIDEO_PROBABILITIES
from avelzoo_baselines.cman.configs import CmanConfig
from avelzoo_baselines.cman.sentinel import CoAttention, SentinelLSTM
from avelzoo_baselines.dam.configs import DamConfig, MatchingConfig
from avelzoo_baselines.dam.head import mean_logit
from avelzoo_baselines.mpn.configs import MpnConfig, ParallelConfig

from avelzoo import Batch, FeatureSpec, GeneralConfig, build
from avelzoo.composition.terms import loss_terms
from avelzoo.plugin.default import default_host
from avelzoo.testing import parametrize_with_checks

SPEC = FeatureSpec(segments=6, audio_dim=5, grid=(2, 2), visual_dim=7, categories=("bark", "bell", "horn"))
SMALL = {"hidden": 6, "attention_width": 8}
CONFIGS = [
    DamConfig(width=8, attention_width=8),
    MatchingConfig(matching="self"),
    MatchingConfig(background=True),
    AvinConfig(**SMALL, spatial="mean"),
    AvinConfig(**SMALL, interactions="intra", rescale=True, projection=9),
    AvinConfig(**SMALL, interactions="inter"),
    AvfbConfig(**SMALL),
    AvsdnConfig(**SMALL, spatial="mean"),
    AvsdnConfig(**SMALL, directions="both", shared_fusion=True, relu=True),
    CmanConfig(**SMALL, scale=10.0),
    CmanConfig(**SMALL, sentinel="never"),
    MpnConfig(width=16, feedforward=24, pooling="mean"),
    ParallelConfig(),
    ParallelConfig(background=True),
]


@parametrize_with_checks(CONFIGS)
def test_contract(config, check):
    check(config)


def features(b=3, t=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(b, t, 5, generator=generator), torch.rand(b, t, 2, 2, 7, generator=generator)


def encoder(config):
    torch.manual_seed(0)
    return config.build(SPEC).eval()


def recipe_model(name, supervision, **head):
    torch.manual_seed(0)
    recipe = default_host().registry.get("recipe", name).target(supervision)
    return build(replace(recipe, head=replace(recipe.head, **head)), SPEC).eval()


def batch(b=3, t=6, seed=0):
    audio, visual = features(b, t, seed)
    return Batch(audio=audio, visual=visual, rows=torch.arange(b))


# DAM


def test_the_logit_of_a_mean_of_probabilities():
    x, y = (20 * torch.randn(50, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    mean = (x.double().sigmoid() + y.double().sigmoid()) / 2
    assert torch.allclose(mean_logit(x, y).double().sigmoid(), mean, atol=1e-6)
    far = mean_logit(torch.tensor(-500.0), torch.tensor(-300.0)).item()
    assert far == pytest.approx(-300 - math.log(2))


@pytest.mark.parametrize("matching", ["cross", "self"])
def test_matching_is_what_its_loop_says(matching):
    model = encoder(DamConfig(width=8, attention_width=8))
    head = MatchingConfig(matching=matching).build(SPEC, model.widths, "full").eval()
    encoded = model(*features())
    got = head(encoded, None).relevance_logits.sigmoid()
    phi_a, phi_v = encoded[GLOBAL_AUDIO], encoded[GLOBAL_VISUAL]
    for i, t in itertools.product(range(3), range(6)):
        ask_a, ask_v = (phi_v[i], phi_a[i]) if matching == "cross" else (phi_a[i], phi_v[i])
        heard, seen = encoded.audio[i, t] @ ask_a, encoded.visual[i, t] @ ask_v
        assert got[i, t].item() == pytest.approx(((heard.sigmoid() + seen.sigmoid()) / 2).item(), abs=1e-5)
    if matching == "cross":  # general heads contain it: the two halves of the fused features sum to its logits
        halves = encoded.fused.unflatten(-1, (2, 8)).sum(dim=-1)
        assert torch.allclose(mean_logit(halves[..., 0], halves[..., 1]).sigmoid(), got, atol=1e-5)


def test_matching_is_on_both_sides_of_one_half_and_knows_no_order():
    model = recipe_model("dam", "full")
    given = batch(8)
    with torch.no_grad():
        out = model.predict(given, None)
        order = torch.tensor([3, 0, 5, 1, 4, 2])
        moved = Batch(audio=given.audio[:, order], visual=given.visual[:, order], rows=given.rows)
        after = model.predict(moved, None)
    assert torch.allclose(after.relevance_logits, out.relevance_logits[:, order], atol=1e-5)
    assert torch.allclose(after.event_logits, out.event_logits, atol=1e-5)
    signs = [recipe_sign(seed) for seed in range(6)]
    assert any(sign.any() for sign in signs)
    assert any((~sign).any() for sign in signs)


def recipe_sign(seed):
    torch.manual_seed(seed)
    model = build(default_host().registry.get("recipe", "dam").target("full"), SPEC).eval()
    with torch.no_grad():
        return model.predict(batch(4), None).relevance_logits > 0


# AVIN


def test_bilinear_fusion_is_its_formula():
    torch.manual_seed(0)
    fusion = BilinearFusion(4, 3, 2, 0.5).eval()
    x, y = torch.randn(2, 4), torch.randn(2, 4)
    got = fusion(x, y)
    assert torch.allclose(got.norm(dim=-1), torch.ones(2))
    for i in range(2):
        product = fusion.first(x[i]) * fusion.second(y[i])
        pooled = [product[2 * k] + product[2 * k + 1] for k in range(3)]
        root = torch.stack([p.sign() * p.abs().sqrt() for p in pooled])
        assert torch.allclose(got[i], root / root.norm(), atol=1e-5)
    assert torch.isfinite(torch.autograd.grad(fusion(torch.zeros(1, 4), y[:1]).sum(), fusion.first.weight)[0]).all()


def test_attention_over_time_sums_to_one():
    x, q = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0)), torch.ones(2, 4)
    weights = attention_over_time(x, q)
    assert torch.allclose(weights.sum(dim=1), torch.ones(2))
    assert torch.equal(weights.argmax(dim=1), x.sum(dim=-1).argmax(dim=1))


def test_an_even_segment_gate_changes_nothing():
    gate = SegmentGate(4)
    torch.nn.init.zeros_(gate.score.weight)
    z = torch.randn(2, 5, 4)
    assert torch.allclose(gate(z), z)


def test_avin_concatenates_what_its_equations_name():
    model = encoder(AvinConfig(**SMALL))
    assert model.widths.fused == 4 * 12 + 256
    out = model(*features())
    seen, heard = out.visual, out.audio
    own = {name: attention_over_time(x, x.mean(dim=1)).unsqueeze(-1) * x for name, x in (("v", seen), ("a", heard))}
    crossed = attention_over_time(seen, own["a"].mean(dim=1)).unsqueeze(-1) * seen
    assert torch.allclose(out.fused[..., :12], own["v"], atol=1e-6)
    assert torch.allclose(out.fused[..., 24:36], crossed, atol=1e-6)
    assert torch.allclose(out.fused[..., 48:].norm(dim=-1), torch.ones(3, 6), atol=1e-5)


# AVSDN


@pytest.mark.parametrize("both", [False, True])
def test_the_decoder_begins_with_the_fused_states(both):
    model = encoder(AvsdnConfig(**SMALL, directions="both" if both else "forward", shared_fusion=both, relu=both))
    assert (model.hidden_fusion is model.cell_fusion) is both
    audio, visual = features()
    seen = model.attention(audio, visual)
    (_, audio_state), (_, visual_state) = model.audio_lstm(audio), model.visual_lstm(seen)
    hidden, cell = model.initial(audio_state, visual_state)
    directions = 2 if both else 1
    assert hidden.shape == cell.shape == (directions, 3, 6)
    states = [s.relu() if both else s for s in (*audio_state, *visual_state)]
    for k in range(directions):
        assert torch.allclose(hidden[k], model.hidden_fusion(states[0][k], states[2][k]))
        assert torch.allclose(cell[k], model.cell_fusion(states[1][k], states[3][k]))
    want = model.decoder(torch.cat([audio, seen], dim=-1), (hidden, cell))[0]
    assert torch.allclose(model(audio, visual).fused, want.relu() if both else want)


# CMAN


def test_the_sentinel_lstm_is_its_loop():
    torch.manual_seed(0)
    layer = SentinelLSTM(4, 3)
    x = torch.randn(2, 5, 4)
    hidden, sentinel = layer(x)
    plain = torch.nn.LSTM(4, 3, batch_first=True)
    plain.load_state_dict({f"{name}_l0": value for name, value in layer.cell.state_dict().items()})
    assert torch.allclose(hidden, plain(x)[0], atol=1e-6)
    h = c = torch.zeros(2, 3)
    for t in range(5):
        gate = (layer.from_input(x[:, t]) + layer.from_hidden(h)).sigmoid()
        h, c = layer.cell(x[:, t], (h, c))
        assert torch.allclose(sentinel[:, t], gate * c.tanh(), atol=1e-6)


def test_co_attention_is_its_loop():
    torch.manual_seed(0)
    layer = CoAttention(3, 4)
    hidden, sentinel, other = torch.randn(1, 2, 3), torch.randn(1, 2, 3), torch.randn(1, 5, 4)
    found, beta = layer(hidden, sentinel, other)
    items = layer.other(other)[0]
    for t in range(2):
        asked = layer.from_hidden(hidden[0, t])
        z = torch.cat([layer.score(torch.tanh(layer.from_other(item) + asked)) for item in items])
        own = layer.score(torch.tanh(layer.from_sentinel(sentinel[0, t]) + asked))
        weights = torch.cat([z, own]).softmax(dim=0)
        assert weights.sum().item() == pytest.approx(1)
        assert beta[0, t].item() == pytest.approx(weights[-1].item(), abs=1e-6)
        context = z.softmax(dim=0) @ items
        assert torch.allclose(found[0, t], weights[-1] * sentinel[0, t] + (1 - weights[-1]) * context, atol=1e-6)


def test_with_beta_at_one_a_modality_ignores_the_other():
    model = encoder(CmanConfig(**SMALL))
    heard = torch.rand(1, 6, 5)
    h, s = model.audio_lstm(heard)
    with torch.no_grad():
        for part in (model.audio_which.from_other, model.audio_which.other):
            part.weight.zero_()
        model.audio_which.score.weight.fill_(100.0)
        model.audio_which.from_hidden.weight.zero_()
        model.audio_which.from_hidden.bias.zero_()
        model.audio_which.from_sentinel.weight.copy_(torch.eye(6))
    s = s.abs() + 1
    found, beta = model.audio_which(h, s, torch.randn(1, 6, 7))
    again, _ = model.audio_which(h, s, torch.randn(1, 6, 7))
    assert torch.allclose(beta, torch.ones(1, 6))
    assert torch.allclose(found, s)
    assert torch.equal(found, again)


def test_beta_is_exposed():
    out = encoder(CmanConfig(**SMALL))(*features())
    assert out[SENTINEL_WEIGHTS].shape == (3, 6, 2)
    assert ((out[SENTINEL_WEIGHTS] > 0) & (out[SENTINEL_WEIGHTS] < 1)).all()


# MPN


def test_localization_is_not_mixed_over_time():
    model = recipe_model("mpn", "full")
    given = batch()
    changed = Batch(audio=given.audio.clone(), visual=given.visual.clone(), rows=given.rows)
    changed.audio[:, 2] += 1
    changed.visual[:, 2] += 1
    with torch.no_grad():
        before, after = model.predict(given, None), model.predict(changed, None)
    same = torch.isclose(before.relevance_logits, after.relevance_logits, atol=1e-6).all(dim=0)
    assert same.tolist() == [True, True, False, True, True, True]
    assert not torch.allclose(before.event_logits, after.event_logits)


@pytest.mark.parametrize("name", ["dam", "mpn"])
def test_weak_training_is_the_general_one(name):
    """Category and mean relevance: with CMRAN's gates neither learns background (`statements.GATES`)."""
    recipe = default_host().registry.get("recipe", name).target("weak")
    assert isinstance(recipe.objective, GeneralConfig)
    assert {state.name for state in loss_terms(recipe) if state.trains} == {"event", "relevance"}
    assert any("general objective" in sentence for sentence in recipe.assumptions)


@pytest.mark.parametrize("name", ["dam", "mpn"])
def test_weak_videos_may_be_background(name):
    model = recipe_model(name, "weak", background=True)
    with torch.no_grad():
        out = model.predict(batch(), None)
        probabilities = out[VIDEO_PROBABILITIES]
        assert probabilities.shape == (3, 4)
        assert torch.allclose(probabilities.sum(dim=-1), torch.ones(3))
        out[VIDEO_LOGITS][0] = torch.tensor([0.0, 0.0, 0.0, 9.0])
        assert (model.head.decode(out).segments[0] == 3).all()
