"""Layers that keep less are the plain ones in numbers and in gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from avelzoo.nn import FeedForward
from avelzoo.nn.dropout import mask_into


@pytest.mark.parametrize("shape", [(3, 5, 8), (40, 70, 8), (2, 8)])
@pytest.mark.parametrize("p", [0.0, 0.1])
def test_feed_forward_is_the_plain_formula(shape, p, monkeypatch):
    """Also under dropout: the masks are recorded, and the plain formula uses the same ones."""
    torch.manual_seed(0)
    layer = FeedForward(8, 16, p).train()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    layer.double()
    masks = []

    def recorded(out, given, probability, seed, *, scaled):
        ones = torch.ones_like(given)
        mask_into(ones, ones, probability, seed, scaled=False)
        masks.append(ones)
        return mask_into(out, given, probability, seed, scaled=scaled)

    monkeypatch.setattr("avelzoo.nn.lean.mask_into", recorded)
    state = torch.get_rng_state()
    out = layer(x)
    monkeypatch.undo()
    grads = torch.autograd.grad(out.square().sum(), [x, *layer.parameters()])
    hidden = F.relu(layer.linear1(x))
    if p:
        torch.set_rng_state(state)
        (mask,) = masks or [torch.empty_like(hidden).bernoulli_(1 - p)]
        kept = 1 - p if mask.numel() < 2**14 else 1 - round(p * 2**16) / 2**16
        hidden = hidden * mask.view_as(hidden) / kept
    want = layer.linear2(hidden)
    assert torch.allclose(out, want)
    for got, expected in zip(grads, torch.autograd.grad(want.square().sum(), [x, *layer.parameters()]), strict=True):
        assert torch.allclose(got, expected)


def test_feed_forward_under_autocast_has_gradients_of_its_parameters_type():
    torch.manual_seed(0)
    layer = FeedForward(8, 16, 0.1).train()
    x = torch.randn(4, 5, 8, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    out.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in (x, *layer.parameters()))
    plain = layer.eval()(x)
    assert torch.allclose(out.float(), plain, atol=0.5)


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
