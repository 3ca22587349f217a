from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from avelzoo.nn import Attention, CrossBlock, Dropout, SelfBlock, jensen_shannon, pairwise_distance, sinusoids


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("queries", [1, 5])
def test_attention_is_torch_multi_head_attention(heads, own, queries):
    torch.manual_seed(0)
    ours, theirs = Attention(8, heads), nn.MultiheadAttention(8, heads, batch_first=True)
    nn.init.normal_(ours.in_proj_bias)
    theirs.load_state_dict(ours.state_dict())
    query, memory = torch.randn(3, queries, 8), torch.randn(3, 7, 8)
    source = query if own else memory
    want, _ = theirs(query, source, source)
    got = ours(query, None if own else memory)
    torch.testing.assert_close(got, want)
    for output in (got, want):
        output.square().sum().backward()
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs.get_parameter(name).grad, atol=1e-5, rtol=1e-4)


def test_a_single_query_under_dropout_is_the_plain_formula(monkeypatch):
    torch.manual_seed(0)
    attention = Attention(8, 2, dropout=0.5).train()
    nn.init.normal_(attention.in_proj_bias)
    query, memory = torch.randn(3, 1, 8), torch.randn(3, 7, 8)
    every_third = torch.tensor([0.0, 1.5, 1.5, 0.0, 1.5, 1.5, 0.0])
    monkeypatch.setattr("avelzoo.nn.attention.dropout", lambda x, p, training=True: x * every_third)
    q, k, v = attention.project(query, memory)
    weights = (q @ k.transpose(-2, -1) / 2).softmax(-1) * every_third
    want = attention.out_proj((weights @ v).transpose(1, 2).reshape(3, 1, 8))
    torch.testing.assert_close(attention(query, memory), want)


def test_dropout_is_unbiased_seeded_and_consistent_in_both_directions():
    x = torch.ones(1_000_000, requires_grad=True)
    layer = Dropout(0.1)
    torch.manual_seed(0)
    first = layer(x)
    torch.manual_seed(0)
    assert torch.equal(first, layer(x))
    assert not torch.equal(first, layer(x))
    gone = (first == 0).double().mean().item()
    assert gone == pytest.approx(0.1, abs=0.0015)  # five standard deviations
    assert first.detach().double().mean().item() == pytest.approx(1, abs=0.002)
    first.sum().backward()
    assert torch.equal(x.grad, first.detach())
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("p", [0.0, 1.0, 1e-7])
def test_dropout_at_its_ends(p):
    x = torch.ones(100_000)
    assert Dropout(p)(x).mean().item() == pytest.approx(1 - (p == 1.0), abs=1e-4)


def test_self_block_is_torch_encoder_layer():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
    ours = SelfBlock(8, 2, 12)
    rename = {"self_attn": "attention", "linear1": "feedforward.linear1", "linear2": "feedforward.linear2"}
    ours.load_state_dict(
        {".".join([rename.get(key.split(".")[0], key.split(".")[0]), *key.split(".")[1:]]): value
         for key, value in theirs.state_dict().items()}
    )  # fmt: skip
    x = torch.randn(3, 5, 8)
    torch.testing.assert_close(ours(x), theirs(x))


def test_cross_block_with_self_attention_is_torch_decoder_layer():
    torch.manual_seed(0)
    theirs = nn.TransformerDecoderLayer(8, 2, 12, 0.0, batch_first=True)
    ours = CrossBlock(8, 2, 12, self_attention=True)
    rename = {
        "self_attn": "self_attention", "multihead_attn": "attention", "linear1": "feedforward.linear1",
        "linear2": "feedforward.linear2", "norm1": "norm0", "norm2": "norm1", "norm3": "norm2",
    }  # fmt: skip
    ours.load_state_dict(
        {
            ".".join([rename[key.split(".")[0]], *key.split(".")[1:]]): value
            for key, value in theirs.state_dict().items()
        }
    )
    query, memory = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    torch.testing.assert_close(ours(query, memory), theirs(query, memory))


def test_jensen_shannon_is_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 5)) * 3, rng.normal(size=(4, 5)) * 3
    for got, x, y in zip(jensen_shannon(torch.tensor(a), torch.tensor(b)), a, b, strict=True):
        p, q = np.exp(x) / np.exp(x).sum(), np.exp(y) / np.exp(y).sum()
        m = (p + q) / 2
        want = sum(pi * math.log(pi / mi) + qi * math.log(qi / mi) for pi, qi, mi in zip(p, q, m, strict=True)) / 2
        assert got == pytest.approx(want, rel=1e-4, abs=1e-7)


def test_jensen_shannon_ends():
    apart = torch.tensor([200.0, -200.0])
    assert jensen_shannon(apart, apart) == 0
    assert float(jensen_shannon(apart, -apart)) == pytest.approx(math.log(2), rel=1e-6)


def test_pairwise_distance_is_a_loop():
    torch.manual_seed(0)
    x, y = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    got = pairwise_distance(x, y, 0.5)
    for b in range(2):
        for p in range(3):
            for q in range(5):
                assert float(got[b, p, q]) == pytest.approx(
                    0.5 * math.dist(x[b, p].tolist(), y[b, q].tolist()), rel=1e-5
                )


def test_pairwise_distance_is_exact_near_zero_and_keeps_precision_under_autocast():
    x = torch.full((1, 1, 256), 7.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        distance = pairwise_distance(x, x + 1e-4)
    assert distance.dtype == torch.float32
    assert float(distance) == pytest.approx(1e-4 * 16, rel=1e-2)


@pytest.mark.parametrize("width", [1, 6, 7])
def test_sinusoids(width):
    table = sinusoids(5, width)
    for p in range(5):
        for i in range(width):
            angle = p * 10000 ** (-2 * (i // 2) / width)
            assert float(table[p, i]) == pytest.approx(math.sin(angle) if i % 2 == 0 else math.cos(angle), abs=1e-5)


def test_a_mask_hides_what_a_query_may_not_see():
    torch.manual_seed(0)
    attention, x = Attention(8, 2), torch.randn(2, 5, 8)
    near = (torch.arange(5).unsqueeze(0) - torch.arange(5).unsqueeze(1)).abs() <= 1
    changed = x.clone()
    changed[:, 4] += 1
    before, after = attention(x, mask=near), attention(changed, mask=near)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3], after[:, 3])
    torch.testing.assert_close(attention(x, mask=torch.ones(5, 5, dtype=torch.bool)), attention(x))
