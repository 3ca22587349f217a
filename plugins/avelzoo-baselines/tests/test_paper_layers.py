"""Layers and losses of the systems known from papers alone, each against its formula written out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from avelzoo_baselines.cman.model import CosineAttention
from avelzoo_baselines.mm_pyramid.pyramid import PyramidLayer
from avelzoo_baselines.mpn.model import Bottleneck, CoAttention
from avelzoo_baselines.shared.context import PlainSelfAttention

from avelzoo import FeatureSpec, build
from avelzoo.plugin.default import default_host
from avelzoo.testing import random_batch, random_targets

SPEC = FeatureSpec(segments=6, audio_dim=5, grid=(2, 2), visual_dim=7, categories=("bark", "bell", "horn"))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@torch.no_grad()
def test_plain_self_attention_is_its_formula():
    layer, x = PlainSelfAttention(4), torch.randn(2, 3, 4)
    found = layer(x)
    for b in range(2):
        for t in range(3):
            scores = [float(layer.query(x[b, t]) @ layer.key(x[b, s])) / 2.0 for s in range(3)]
            total = sum(map(math.exp, scores))
            expected = sum(math.exp(scores[s]) / total * layer.value(x[b, s]) for s in range(3))
            torch.testing.assert_close(found[b, t], expected)


@torch.no_grad()
def test_cosine_attention_is_its_formula():
    layer = CosineAttention(5, 7, 3, scale=2.5)
    audio, visual = torch.randn(2, 3, 5), torch.randn(2, 3, 2, 2, 7)
    found = layer(audio, visual)
    for b in range(2):
        for t in range(3):
            cells = [visual[b, t, y, x] for y in range(2) for x in range(2)]
            asked = layer.audio(audio[b, t])
            keys = [layer.visual(cell) for cell in cells]
            scores = [2.5 * float(asked @ key / (asked.norm() * key.norm())) for key in keys]
            total = sum(map(math.exp, scores))
            expected = sum(math.exp(score) / total * cell for score, cell in zip(scores, cells, strict=True))
            torch.testing.assert_close(found[b, t], expected)


def test_co_attention_asks_itself_then_the_other_with_one_layer():
    layer = PyramidLayer(8, 2, 12, dropout=0.0, attention_dropout=0.0).eval()
    seen, heard = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    found_seen, found_heard = CoAttention(layer)(seen, heard)
    own_seen, own_heard = layer(seen, seen), layer(heard, heard)
    torch.testing.assert_close(found_seen, layer(own_seen, own_heard))
    torch.testing.assert_close(found_heard, layer(own_heard, own_seen))
    assert len(list(CoAttention(layer).parameters())) == len(list(layer.parameters()))


def test_the_bottleneck_gates_each_channel_by_both_modalities():
    layer, seen, heard = Bottleneck(3, 2), torch.randn(1, 2, 3), torch.randn(1, 2, 3)
    found = layer(seen, heard)
    for t in range(2):
        reduced = layer.reduce(torch.cat([seen[0, t], heard[0, t]]))
        normed = (reduced - reduced.mean()) / (reduced.var(unbiased=False) + layer.norm.eps).sqrt()
        z = normed.clamp_min(0)
        gated = [
            x[0, t] * (1 + 1 / (1 + torch.exp(-gate(z))))
            for x, gate in ((seen, layer.visual_gate), (heard, layer.audio_gate))
        ]
        torch.testing.assert_close(found[0, t], torch.cat(gated))


def dam(weight):
    recipe = default_host().registry.get("recipe", "dam").target("full")
    small = replace(recipe.encoder, width=8, attention_width=8)
    return build(
        replace(recipe, encoder=small, objective=replace(recipe.objective, event=weight, relevance=1 - weight)), SPEC
    )


@pytest.mark.parametrize(("weight", "silent"), [(0.0, "event"), (1.0, "relevance"), (0.5, None)])
def test_lambda_at_an_end_takes_a_losss_gradient_away(weight, silent):
    model = dam(weight)
    output = model.predict(random_batch(SPEC, 4), None)
    terms = model.objective(output, random_targets(SPEC, 4), None)
    assert set(terms) == {"event", "relevance"} - {silent}
    total = sum(model.objective.weights[name] * term for name, term in terms.items())
    for name, logits in (("event", output.event_logits), ("relevance", output.relevance_logits)):
        gradient = torch.autograd.grad(total, logits, retain_graph=True, allow_unused=True)[0]
        moved = gradient is not None and bool(gradient.any())
        assert moved == (name != silent), name
