"""Audio-guided attention, residual fusion and LSTMs against loops over their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from avelzoo.nn import AudioGuidedAttention, BidirectionalLSTM, ResidualFusion


def weights_by_loops(layer, audio, cells, axis):
    """alpha of one segment: audio (a), cells (l v)."""
    heard = layer.audio_map.weight @ torch.relu(layer.audio.weight @ audio + layer.audio.bias)
    scores = []
    for place, cell in enumerate(cells):
        seen = layer.visual_map.weight @ torch.relu(layer.visual.weight @ cell + layer.visual.bias)
        score = 0.0
        for column in range(len(seen)):
            added = heard[place] if axis == "location" else heard[column]
            score += float(layer.score.weight[0, column] * torch.tanh(seen[column] + added))
        scores.append(math.exp(score))
    return [s / sum(scores) for s in scores]


@pytest.mark.parametrize("axis", ["location", "projection"])
@torch.no_grad()
def test_attention_is_its_formula(axis):
    torch.manual_seed(0)
    layer = AudioGuidedAttention(3, 4, hidden=5, cells=6, axis=axis)
    audio, visual = torch.randn(2, 2, 3), torch.randn(2, 2, 2, 3, 4)
    got = layer(audio, visual)
    for b in range(2):
        for t in range(2):
            cells = visual[b, t].reshape(6, 4)
            want = sum(
                w * cell for w, cell in zip(weights_by_loops(layer, audio[b, t], cells, axis), cells, strict=True)
            )
            torch.testing.assert_close(got[b, t], want)


def test_the_axes_differ_with_the_same_parameters():
    torch.manual_seed(0)
    location = AudioGuidedAttention(3, 4, hidden=5, cells=6, axis="location")
    projection = AudioGuidedAttention(3, 4, hidden=5, cells=6, axis="projection")
    projection.load_state_dict(location.state_dict())
    audio, visual = torch.randn(1, 2, 3), torch.randn(1, 2, 2, 3, 4)
    assert not torch.allclose(location(audio, visual), projection(audio, visual), atol=1e-4)


def test_only_the_location_axis_is_tied_to_the_grid():
    audio, visual = torch.randn(1, 2, 3), torch.randn(1, 2, 3, 3, 4)
    assert AudioGuidedAttention(3, 4, hidden=5, cells=6, axis="projection")(audio, visual).shape == (1, 2, 4)
    with pytest.raises(ValueError, match="built for 6 cells, given 9"):
        AudioGuidedAttention(3, 4, hidden=5, cells=6, axis="location")(audio, visual)


def residual_by_hand(layer, audio, visual, *, blocks, swap):
    def through(net, x):
        return torch.tanh(x @ net[0].weight.T + net[0].bias) @ net[2].weight.T + net[2].bias

    for _ in range(blocks):
        common = 0.5 * (through(layer.visual, visual) + through(layer.audio, audio))
        heard, seen = torch.tanh(audio + common), torch.tanh(visual + common)
        visual, audio = (heard, seen) if swap else (seen, heard)
    return 0.5 * (visual + audio)


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("swap", [True, False])
def test_residual_fusion_is_its_formula(blocks, swap):
    torch.manual_seed(0)
    layer = ResidualFusion(4, blocks, swap=swap)
    audio, visual = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    want = residual_by_hand(layer, audio, visual, blocks=blocks, swap=swap)
    torch.testing.assert_close(layer(audio, visual), want)
    other = residual_by_hand(layer, audio, visual, blocks=blocks, swap=not swap)
    assert torch.allclose(want, other) is (blocks == 1)


def test_lstm_runs_both_ways_from_zero():
    torch.manual_seed(0)
    layer = BidirectionalLSTM(3, 2)
    x = torch.randn(2, 4, 3)
    got = layer(x)
    assert got.shape == (2, 4, 4)
    torch.testing.assert_close(got[:, :, :2], one_way(layer.lstm, x, ""))
    torch.testing.assert_close(got[:, :, 2:], one_way(layer.lstm, x.flip(1), "_reverse").flip(1))


def one_way(lstm, x, suffix):
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    w_in, w_state, b_in, b_state = (getattr(lstm, name + suffix) for name in names)
    state = cell = torch.zeros(len(x), w_state.shape[1])
    outputs = []
    for step in x.unbind(1):
        enter, forget, new, leave = (step @ w_in.T + b_in + state @ w_state.T + b_state).chunk(4, dim=1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = leave.sigmoid() * cell.tanh()
        outputs.append(state)
    return torch.stack(outputs, 1)
