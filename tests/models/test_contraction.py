"""Hidden activations contracted in pieces equal the plain layers in numbers and in gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from avelzoo.nn import AudioGuidedAttention, ChannelGate, GuidedPooling
from avelzoo.nn.cpu import contraction, plain_layers
from avelzoo.nn.cpu.contraction import contracted_hidden, mean_hidden


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Several pieces of two groups, the last one shorter."""
    monkeypatch.setattr(contraction, "_ROWS", 8)
    monkeypatch.setattr(contraction, "_LARGE", 1)


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def gradients(out, inputs):
    torch.manual_seed(1)
    return torch.autograd.grad((out * torch.randn_like(out)).sum(), inputs)


def shared_or_each(kind):
    return {"shared": (3, 5), "each": (5, 1, 2, 5)}[kind]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("kind", ["shared", "each"])
@pytest.mark.parametrize("features", [True, False], ids=["with gradient of x", "x is a feature"])
def test_contraction_is_the_plain_formula(kind, features):
    torch.manual_seed(0)
    layer = nn.Linear(6, 5).double()
    x = torch.randn(5, 1, 4, 6, dtype=torch.float64, requires_grad=features)
    columns = torch.randn(shared_or_each(kind), dtype=torch.float64, requires_grad=True)
    want = F.relu(layer(x)) @ columns.transpose(-2, -1)
    got = contracted_hidden(x, layer, columns)
    inputs = [layer.weight, layer.bias, columns, *([x] if features else [])]
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(gradients(got, inputs), gradients(want, inputs))
    with torch.no_grad():
        torch.testing.assert_close(contracted_hidden(x, layer, columns), want)


@pytest.mark.usefixtures("threads")
def test_mean_is_the_plain_formula():
    torch.manual_seed(0)
    layer = nn.Linear(6, 5).double()
    x = torch.randn(5, 4, 6, dtype=torch.float64, requires_grad=True)
    want, got = F.relu(layer(x)).mean(dim=-2), mean_hidden(x, layer)
    inputs = [layer.weight, layer.bias, x]
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(gradients(got, inputs), gradients(want, inputs))


def test_autocast_sums_gradients_in_float32():
    torch.manual_seed(0)
    layer, columns = nn.Linear(6, 5), torch.randn(3, 5)
    x = torch.randn(50, 4, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = contracted_hidden(x, layer, columns)
        with plain_layers():
            want = contracted_hidden(x, layer, columns)
    assert got.dtype == want.dtype == torch.bfloat16
    exact = gradients(F.relu(layer(x)) @ columns.t(), [layer.weight])[0]
    found = gradients(got.float(), [layer.weight])[0]
    assert found.dtype == torch.float32
    assert float((found - exact).norm() / exact.norm()) < 0.02


@pytest.mark.parametrize("training", [True, False])
def test_attention_over_cells_is_the_same_in_pieces(training):
    torch.manual_seed(0)
    parts = nn.ModuleList([AudioGuidedAttention(3, 6, 5, 4), GuidedPooling(6, 3, 5), ChannelGate(6, 3, 2)]).double()
    parts.train(training)
    cells, audio = torch.randn(2, 5, 4, 6).double(), torch.randn(2, 5, 3).double()

    def outputs():
        grid = cells.unflatten(2, (2, 2))
        return [parts[0](audio, grid), parts[1](cells, audio), parts[2](cells, audio)]

    got = outputs()
    with plain_layers():
        want = outputs()
    torch.testing.assert_close(got, want)
    for one, other, part in zip(got, want, parts, strict=True):
        torch.testing.assert_close(gradients(one, list(part.parameters())), gradients(other, list(part.parameters())))


def test_guided_pooling_is_its_formula():
    """sum_l alpha_l X_l, alpha = softmax_l tanh(w . (ReLU(W_x X_l) * ReLU(W_g g)) + b)."""
    torch.manual_seed(0)
    pooling = GuidedPooling(6, 3, 5)
    cells, audio = torch.randn(7, 4, 6), torch.randn(7, 3)
    asked = F.relu(pooling.guide(audio)).unsqueeze(-2)
    weights = pooling.score(F.relu(pooling.cells(cells)) * asked).tanh().softmax(dim=-2)
    torch.testing.assert_close(pooling(cells, audio), (weights * cells).sum(dim=-2))
