"""Chains that train piece by piece equal the plain modules, and keep what the budget allows."""

from __future__ import annotations

import gc
import importlib
import math
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from avelzoo.nn import AddSinusoids, Attention, Dropout, FeedForward, SelfBlock, projection
from avelzoo.nn.cpu import plain_layers
from avelzoo.nn.cpu.dropout import mask_into
from avelzoo.nn.cpu.pieces.budget import SHARED, Budget
from avelzoo.nn.cpu.pieces.chain import chain_of, in_pieces, layers_of, run_pooled, worth_pieces
from avelzoo.nn.cpu.pieces.function import run
from avelzoo.nn.cpu.pieces.layers import Drop
from avelzoo.nn.cpu.pieces.sums import even_slices

FUNCTION = importlib.import_module("avelzoo.nn.cpu.pieces.function")
LAYERS = importlib.import_module("avelzoo.nn.cpu.pieces.layers")
DROPOUT = importlib.import_module("avelzoo.nn.cpu.dropout")
BOTH = pytest.mark.parametrize("room", [0, 1 << 30], ids=["recomputed", "kept"])


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Several pieces, the last one shorter, and the same masks at every call."""
    monkeypatch.setattr(FUNCTION, "ROWS", 6)
    monkeypatch.setattr(LAYERS, "draw_seed", lambda: 11)
    monkeypatch.setattr(DROPOUT, "_LARGE", 1)


def masks(count, each, shape, p):
    """Scaled masks of the pieces, joined."""
    parts = []
    for number, part in enumerate(even_slices(torch.empty(count, 1), each)):
        ones = torch.ones(part.stop - part.start, *shape, dtype=torch.float64)
        mask_into(ones, ones, p, 11 + number, scaled=True)
        parts.append(ones)
    return torch.cat(parts)


def assert_same(out, want, inputs):
    """Values and gradients."""
    assert torch.allclose(out, want, atol=1e-12)
    grad = torch.randn_like(out)
    expected = torch.autograd.grad(want, inputs, grad)
    for got, right in zip(torch.autograd.grad(out, inputs, grad), expected, strict=True):
        assert torch.allclose(got, right, atol=1e-12)


@BOTH
@pytest.mark.parametrize("p", [0.0, 0.3])
def test_feed_forward_is_the_plain_formula(monkeypatch, p, room):
    monkeypatch.setattr(SHARED, "limit", room)
    torch.manual_seed(0)
    layer = FeedForward(4, 10, p).double().train()
    x = torch.randn(2, 7, 4, dtype=torch.float64, requires_grad=True)
    mask = masks(14, 6, (10,), p).view(2, 7, 10) if p else 1.0
    want = layer.linear2(F.relu(layer.linear1(x)) * mask)
    assert_same(layer(x), want, [x, *layer.parameters()])


def attended(layer, x, p):
    """Self-attention with the chain's masks."""
    b, length, d = x.shape
    q, k, v = (
        part.view(b, length, layer.heads, -1).transpose(1, 2)
        for part in F.linear(x, layer.in_proj_weight, layer.in_proj_bias).chunk(3, dim=-1)
    )
    each = max(1, 6 // length)
    mask = masks(b, each, (layer.heads, length, length), p) if p else 1.0
    weights = (q @ k.transpose(-2, -1) / math.sqrt(d // layer.heads)).softmax(-1) * mask
    return layer.out_proj((weights @ v).transpose(1, 2).flatten(2))


@BOTH
@pytest.mark.parametrize("p", [0.0, 0.3])
@pytest.mark.parametrize("length", [1, 3, 8])
def test_self_attention_is_the_plain_formula(monkeypatch, p, length, room):
    monkeypatch.setattr(SHARED, "limit", room)
    torch.manual_seed(0)
    layer = Attention(8, 2, p).double().train()
    x = torch.randn(5, length, 8, dtype=torch.float64, requires_grad=True)
    assert_same(layer(x), attended(layer, x, p), [x, *layer.parameters()])


@BOTH
@pytest.mark.parametrize("p", [0.0, 0.3])
def test_a_block_is_the_plain_formula(monkeypatch, p, room):
    monkeypatch.setattr(SHARED, "limit", room)
    torch.manual_seed(0)
    block = SelfBlock(8, 2, 12, p).double().train()
    x = torch.randn(7, 3, 8, dtype=torch.float64, requires_grad=True)

    def drop(branch):
        return branch * masks(7, 2, (3, branch.shape[-1]), p) if p else branch

    middle = block.norm1(x + drop(attended(block.attention, x, p)))
    hidden = drop(F.relu(block.feedforward.linear1(middle)))
    want = block.norm2(middle + drop(block.feedforward.linear2(hidden)))
    assert_same(block(x), want, [x, *block.parameters()])


@BOTH
def test_a_chain_is_its_modules_one_after_another(monkeypatch, room):
    monkeypatch.setattr(SHARED, "limit", room)
    torch.manual_seed(0)
    modules = [projection(5, 8, 0.0), AddSinusoids(), Dropout(0.0), SelfBlock(8, 2, 12), SelfBlock(8, 4, 6)]
    parameters = [p for module in modules for p in module.double().train().parameters()]
    for needs in (True, False):
        x = torch.randn(7, 3, 5, dtype=torch.float64, requires_grad=needs)
        with plain_layers():
            want = in_pieces(modules, x)
        assert_same(in_pieces(modules, x), want, [*([x] if needs else []), *parameters])


@BOTH
@pytest.mark.parametrize("last", ["block", "projection"])
@pytest.mark.parametrize("p", [0.0, 0.3])
def test_pooling_is_the_mean_and_the_attention_of_queries(monkeypatch, p, last, room):
    monkeypatch.setattr(SHARED, "limit", room)
    torch.manual_seed(0)
    modules = [projection(5, 8, 0.0)] + ([SelfBlock(8, 2, 12)] if last == "block" else [])
    parameters = [q for module in modules for q in module.double().train().parameters()]
    x = torch.randn(7, 3, 5, dtype=torch.float64, requires_grad=True)
    queries = torch.randn(7, 2, 8, dtype=torch.float64, requires_grad=True)
    with plain_layers():
        y = in_pieces(modules, x)
    weights = (queries @ y.transpose(1, 2)).softmax(-1) * (masks(7, 2, (2, 3), p) if p else 1.0)
    want = (y.mean(1, keepdim=True), weights @ y, weights.sum(-1, keepdim=True))
    layers = chain_of(modules, x)
    out = run_pooled(layers, x, queries, p)
    got = (out[0].unsqueeze(1), *out[1:])
    flat, expected = (torch.cat([value.flatten() for value in values]) for values in (got, want))
    assert_same(flat, expected, [x, queries, *parameters])


def test_gradients_with_dropout_are_those_of_the_loss():
    torch.manual_seed(0)
    modules = [projection(5, 8, 0.2), AddSinusoids(), Dropout(0.1), SelfBlock(8, 2, 12, 0.3)]
    parameters = [p for module in modules for p in module.double().train().parameters()]
    x = torch.randn(9, 3, 5, dtype=torch.float64)
    grads = torch.autograd.grad(in_pieces(modules, x).square().sum(), parameters)
    for parameter, grad in zip(parameters, grads, strict=True):
        direction = torch.randn_like(parameter)
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter.add_(direction, alpha=sign * 1e-6)
            sides.append(in_pieces(modules, x).square().sum().item())
            with torch.no_grad():
                parameter.sub_(direction, alpha=sign * 1e-6)
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx((grad * direction).sum().item(), rel=1e-4, abs=1e-4)


def test_kept_or_recomputed_is_the_same_number(monkeypatch):
    modules = [projection(5, 8, 0.2), SelfBlock(8, 2, 12, 0.3)]
    parameters = [p for module in modules for p in module.parameters()]
    x = torch.randn(9, 3, 5)
    found = []
    for room in (0, 1000, 1 << 30):
        monkeypatch.setattr(SHARED, "limit", room)
        found.append(torch.autograd.grad(in_pieces(modules, x).sum(), parameters))
    for one, *others in zip(*found, strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_the_budget_is_free_again_after_the_backward_pass_and_without_one(monkeypatch):
    budget = Budget(100)
    values = budget.keep([torch.zeros(20)])
    assert len(values) == 1
    assert budget.used == 80
    assert [value.numel() for value in budget.keep([torch.zeros(6)])] == [0]
    del values
    gc.collect()
    assert budget.used == 0
    monkeypatch.setattr(SHARED, "limit", 1 << 30)
    block, x = SelfBlock(8, 2, 12, 0.3), torch.randn(9, 3, 8)
    before = SHARED.used
    out = block(x)
    assert SHARED.used > before
    out.sum().backward()
    gc.collect()
    assert SHARED.used == before
    out = block(x)
    del out
    gc.collect()
    assert SHARED.used == before


def test_a_checkpoint_keeps_nothing_of_a_chain_and_repeats_it_with_another_budget(monkeypatch):
    """A bank in slices encodes them so: its memory is bounded only if autograd knows all that is kept."""
    torch.manual_seed(0)
    modules = [projection(5, 8, 0.2), SelfBlock(8, 2, 12, 0.3)]
    parameters = [p for module in modules for p in module.parameters()]
    x = torch.randn(9, 3, 5)
    want = torch.autograd.grad(in_pieces(modules, x).square().sum(), parameters)
    kept, keep = weakref.WeakSet(), Budget.keep

    def watched(self, values):
        kept.update(values)
        return keep(self, values)

    monkeypatch.setattr(Budget, "keep", watched)
    for first, second in ((1 << 30, 0), (0, 1 << 30)):
        monkeypatch.setattr(SHARED, "limit", first)
        out = checkpoint(in_pieces, modules, x, use_reentrant=False, determinism_check="none")
        assert len(kept) == 0
        monkeypatch.setattr(SHARED, "limit", second)
        found = torch.autograd.grad(out.square().sum(), parameters)
        assert all(torch.equal(one, other) for one, other in zip(found, want, strict=True))
    plain = in_pieces(modules, x)
    assert len(kept) > 0
    del plain


@pytest.mark.parametrize(
    "module",
    [FeedForward(8, 16, 0.1), Attention(8, 2, 0.1), SelfBlock(8, 2, 16, 0.1)],
    ids=["feed-forward", "attention", "block"],
)
def test_autocast_computes_in_its_type_and_leaves_gradients_in_the_parameters(monkeypatch, module):
    torch.manual_seed(0)
    x = torch.randn(4, 5, 8, requires_grad=True)
    module.train()
    wide = module(x)
    monkeypatch.setattr(FUNCTION, "ROWS", 3)  # pieces of 16 bits have twice as many, so the masks are the same
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = module(x)
    assert out.dtype == torch.bfloat16
    assert torch.allclose(out.float(), wide, atol=0.05)
    out.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in (x, *module.parameters()))


def test_other_modules_small_inputs_other_devices_and_evaluation_take_the_plain_way(monkeypatch):
    assert layers_of([nn.Linear(2, 3), nn.GELU()], 4) is None
    assert layers_of([nn.Linear(2, 3, bias=False)], 4) is None
    assert layers_of([nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.0))], 4) is None
    assert layers_of([Dropout(0.0)], 4) == []
    monkeypatch.setattr(DROPOUT, "_LARGE", 100)
    assert worth_pieces(torch.empty(10, 5), 10, 0.1)
    assert not worth_pieces(torch.empty(9, 5), 10, 0.1)
    assert not worth_pieces(torch.empty(10, 5), 10, 1e-9), "16 bits cannot draw that"
    assert not worth_pieces(torch.empty(10, 5, device="meta"), 10, 0.1)
    with plain_layers():
        assert not worth_pieces(torch.empty(10, 5), 10, 0.1)
    monkeypatch.setattr(FUNCTION._Chain, "apply", None)
    x = torch.randn(9, 9, 4)
    for layer in (FeedForward(4, 8), Attention(4, 2)):
        layer.eval()(x)
        with pytest.raises(TypeError):
            layer.train()(x)


def test_evaluation_goes_piece_by_piece_without_dropout_and_keeps_nothing():
    torch.manual_seed(0)
    modules = [projection(5, 8, 0.2), AddSinusoids(), Dropout(0.1), SelfBlock(8, 2, 12, 0.3)]
    for module in modules:
        module.eval()
    x = torch.randn(9, 3, 5)
    with plain_layers():
        want = in_pieces(modules, x)
    before = SHARED.used
    with torch.no_grad():
        out = in_pieces(modules, x)
    assert torch.allclose(out, want, atol=1e-5)
    assert SHARED.used == before


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
    for size in (2, 32, 500):  # for each of two threads
        monkeypatch.setattr(DROPOUT, "_PIECE", size)
        mask_into(parts, x, 0.3, 7, scaled=scaled)
        assert torch.equal(parts, whole), size


@pytest.mark.parametrize("first", [nn.LeakyReLU(0.1), nn.Dropout(0.5)], ids=["relu", "dropout"])
def test_layers_in_place_leave_input_and_saved_values_as_they_are(first):
    x = torch.randn(40, 3, 8)
    given = x.clone()
    layers = layers_of([first], 3)
    run(layers, x)
    assert torch.equal(x, given)


def test_a_table_after_a_rectifier_leaves_what_that_saved():
    x = torch.randn(40, 3, 8, requires_grad=True)
    modules = [nn.LeakyReLU(0.1), AddSinusoids()]
    run(layers_of(modules, 3), x).sum().backward()
    found, x.grad = x.grad, None
    modules[0](x).sum().backward()
    assert torch.equal(found, x.grad)


def test_dropout_at_the_end_leaves_the_gradient_it_is_given_as_it_is():
    x = torch.randn(400, 10, 16, requires_grad=True)
    out = run([Drop(0.5)], x)
    given = torch.ones(out.shape)
    out.backward(given)
    assert torch.equal(given, torch.ones(out.shape))
    assert torch.equal(x.grad, torch.where(out == 0, torch.zeros(()), torch.full((), 2.0)))


@pytest.mark.parametrize(
    ("count", "rows", "sizes"), [(10, 9, [3, 3, 2, 2]), (5, 15, [5]), (7, 12, [3, 4]), (2, 1, [1, 1])]
)
def test_pieces_have_nearly_one_size_and_are_even_in_number(count, rows, sizes):
    parts = even_slices(torch.empty(count, 3), rows)
    assert sorted(part.stop - part.start for part in parts) == sorted(sizes)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == count
