"""Layers that recompute their activations are the plain ones in numbers and in gradients."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torch.nn import functional as F

from avelzoo.nn import Attention, FeedForward
from avelzoo.nn.cpu import plain_layers
from avelzoo.nn.cpu.dropout import mask_into
from avelzoo.nn.cpu.recompute import recomputed_feed_forward, recomputed_self_attention, worth_recomputing

REAL_ROWS = sys.modules["avelzoo.nn.cpu.recompute"]._ROWS
DROPOUT = sys.modules["avelzoo.nn.cpu.dropout"]  # the package has a function of that name


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Several pieces, the last one shorter, and the same masks at every call."""
    monkeypatch.setattr("avelzoo.nn.cpu.recompute._ROWS", 6)
    monkeypatch.setattr("avelzoo.nn.cpu.recompute.draw_seed", lambda: 11)
    monkeypatch.setattr(DROPOUT, "_LARGE", 1)


def masks(count, each, shape, p):
    """Scaled masks of the pieces, joined."""
    parts = []
    for number, start in enumerate(range(0, count, each)):
        ones = torch.ones(min(each, count - start), *shape, dtype=torch.float64)
        mask_into(ones, ones, p, 11 + number, scaled=True)
        parts.append(ones)
    return torch.cat(parts)


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_feed_forward_is_the_plain_formula(p):
    torch.manual_seed(0)
    layer = FeedForward(4, 10, p).double().train()
    x = torch.randn(2, 7, 4, dtype=torch.float64, requires_grad=True)
    mask = masks(14, 6, (10,), p).view(2, 7, 10) if p else 1.0
    want = layer.linear2(F.relu(layer.linear1(x)) * mask)
    out = layer(x)
    assert torch.allclose(out, want)
    inputs = [x, *layer.parameters()]
    expected = torch.autograd.grad(want.square().sum(), inputs)
    for got, grad in zip(torch.autograd.grad(out.square().sum(), inputs), expected, strict=True):
        assert torch.allclose(got, grad)


@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("length", [1, 3, 8])
def test_self_attention_is_the_plain_formula(p, length):
    torch.manual_seed(0)
    layer = Attention(8, 2, p).double().train()
    x = torch.randn(5, length, 8, dtype=torch.float64, requires_grad=True)
    q, k, v = (
        part.view(5, length, 2, 4).transpose(1, 2)
        for part in F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, dim=-1)
    )
    each = max(1, 6 // length)
    mask = masks(5, each, (2, length, length), p) if p else 1.0
    weights = (q @ k.transpose(-2, -1) / math.sqrt(4)).softmax(-1) * mask
    want = layer.out_proj((weights @ v).transpose(1, 2).flatten(2))
    given = (layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias)
    out = recomputed_self_attention(x, given, 2, p)
    assert torch.allclose(out, want)
    assert torch.equal(layer(x), out), "the layer takes this way"
    expected = torch.autograd.grad(want.square().sum(), [x, *given])
    for got, grad in zip(torch.autograd.grad(out.square().sum(), [x, *given]), expected, strict=True):
        assert torch.allclose(got, grad, atol=1e-12)


@pytest.mark.parametrize("layer", [FeedForward(8, 16, 0.1), Attention(8, 2, 0.1)], ids=["feed-forward", "attention"])
def test_autocast_computes_in_its_type_and_leaves_gradients_in_the_parameters(layer):
    torch.manual_seed(0)
    x = torch.randn(4, 5, 8, requires_grad=True)
    layer.train()
    wide = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.float(), wide, atol=0.05)
    out.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in (x, *layer.parameters()))


def test_small_inputs_other_devices_and_evaluation_take_the_plain_way(monkeypatch):
    monkeypatch.setattr(DROPOUT, "_LARGE", 100)
    assert worth_recomputing(torch.empty(10, 5), 10, 0.1)
    assert not worth_recomputing(torch.empty(9, 5), 10, 0.1)
    assert not worth_recomputing(torch.empty(10, 5), 10, 1e-9), "16 bits cannot draw that"
    assert not worth_recomputing(torch.empty(10, 5, device="meta"), 10, 0.1)
    with plain_layers():
        assert not worth_recomputing(torch.empty(10, 5), 10, 0.1)
    for layer in (FeedForward(4, 8), Attention(4, 2)):
        monkeypatch.setattr("avelzoo.nn.cpu.recompute._RecomputedFeedForward.apply", None)
        monkeypatch.setattr("avelzoo.nn.cpu.recompute._RecomputedSelfAttention.apply", None)
        layer.eval()(torch.randn(9, 9, 4))
        with pytest.raises(TypeError):
            layer.train()(torch.randn(9, 9, 4))


def test_nothing_but_the_input_and_the_weights_is_kept():
    kept = []
    layer, x = FeedForward(8, 64, 0.5), torch.randn(3, 50, 8, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        recomputed_feed_forward(x, layer.linear1, layer.linear2, 0.5)
    assert sum(kept) == x.numel() + 8 * 64 + 64 + 64 * 8


@pytest.mark.parametrize("count", [1, 2**17, 2**17 + 3, 300_001])
def test_a_mask_is_the_same_for_the_same_seed_and_has_its_share(count):
    x = torch.ones(count)
    out, again = torch.empty_like(x), torch.empty_like(x)
    factor = mask_into(out, x, 0.25, 7, scaled=True)
    mask_into(again, x, 0.25, 7, scaled=True)
    assert torch.equal(out, again)
    assert factor == pytest.approx(4 / 3)
    assert set(out.unique().tolist()) <= {0.0, torch.tensor(4 / 3).item()}
    if count > 10**5:
        assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    mask_into(again, x, 0.25, 8, scaled=True)
    assert count < 10 or not torch.equal(out, again)


@pytest.mark.parametrize("scaled", [True, False])
def test_masks_do_not_depend_on_the_size_of_the_pieces(monkeypatch, scaled):
    x = torch.randn(1003)
    whole, parts = torch.empty_like(x), torch.empty_like(x)
    mask_into(whole, x, 0.3, 7, scaled=scaled)
    for size in (4, 64, 1000):
        monkeypatch.setattr(DROPOUT, "_PIECE", size)
        mask_into(parts, x, 0.3, 7, scaled=scaled)
        assert torch.equal(parts, whole), size


def test_a_piece_is_masked_in_one_go():
    """Every operation on a piece is a parallel loop, at whose end threads wait for each other."""
    hidden = 1024
    assert REAL_ROWS * hidden <= DROPOUT._PIECE
    assert DROPOUT._PIECE % 4 == 0
