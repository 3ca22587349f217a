"""MM-Pyramid: the public parsing network by its description, and what the pyramid promises."""

from __future__ import annotations

import naive_pyramid as naive
import numpy as np
import pytest
import torch
from avelzoo_baselines.mm_pyramid.configs import MMPyramidConfig
from avelzoo_baselines.mm_pyramid.pyramid import LevelFusion, Merge, Pyramid, PyramidLayer, Unit, within

from avelzoo import FeatureSpec, OptionError, RunError, UsageError
from avelzoo.published.official import official_system
from avelzoo.testing import parametrize_with_checks
from tests.parity import fixtures

NAME = "mmpyramid-weak"
SMALL = {"width": 16, "heads": 2, "feedforward": 12, "attention_width": 8}
with_fixtures = pytest.mark.skipif(not fixtures.FOLDER.exists(), reason="the golden outputs are not beside the project")


@parametrize_with_checks(
    [
        MMPyramidConfig(levels=3, **SMALL),
        MMPyramidConfig(levels=1, attention_axis="location", equal_layers=True, **SMALL),
    ]
)
def test_contract(config, check):
    check(config)


def small_layer():
    return PyramidLayer(8, 2, 12, dropout=0.0, attention_dropout=0.0)


def tensors(values):
    return {key: torch.as_tensor(value) for key, value in values.items()}


@with_fixtures
def test_parsing_network_is_the_description():
    state, inputs = fixtures.state_dict(NAME), tensors(fixtures.inputs(NAME))
    got = fixtures.outputs(NAME, "eval", state=state, given=inputs)
    with torch.no_grad():
        want = naive.parse(tensors(state), inputs["audio"], inputs["visual"], inputs["visual_st"])
    for key, value in want.items():
        assert got[key].shape == value.shape
        assert float((got[key] - value).abs().max()) <= 1e-4 * float(value.abs().max()), key
    holds = (want["frame_prob"] >= 0.5) & (want["global_prob"] >= 0.5)[:, None, None]
    assert torch.equal(got["decoded_audio"], holds[:, :, 0].long())
    assert torch.equal(got["decoded_visual"], holds[:, :, 1].long())
    torch.testing.assert_close(got["prob_logits"].sigmoid(), got["frame_prob"])
    trained = fixtures.outputs(NAME, "train0", state=state, given=inputs)
    labels = inputs["labels"].double()
    losses = {}
    for key, name, y in (
        ("loss_audio", "a_prob", labels),
        ("loss_visual", "v_prob", 0.9 * labels + 0.05),
        ("loss_global", "global_prob", labels),
    ):
        p = trained[name].clamp(1e-7, 1 - 1e-7).double()
        losses[key] = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        assert trained[key].item() == pytest.approx(losses[key].item(), rel=1e-2)
    assert trained["loss_total"].item() == pytest.approx(sum(losses.values()).item(), rel=1e-2)


@with_fixtures
def test_aliases_and_unused_entries_do_not_matter():
    state, inputs = fixtures.state_dict(NAME), fixtures.inputs(NAME)
    spec = fixtures.description(NAME)
    want = fixtures.outputs(NAME, "eval", state=state, given=inputs)
    kept = {k: v for k, v in state.items() if k not in spec["parameters_without_gradient"] and k not in spec["aliases"]}
    got = fixtures.outputs(NAME, "eval", state=kept, given=inputs)
    assert all(torch.equal(got[key], want[key]) for key in want)


@with_fixtures
def test_wrong_requests_are_refused():
    state, inputs = fixtures.state_dict(NAME), fixtures.inputs(NAME)
    with pytest.raises(UsageError, match="no event localization model"):
        official_system("mmpyramid", "weak", fixtures.host())
    with pytest.raises(UsageError, match="no mode 'train9'"):
        fixtures.outputs(NAME, "train9", state=state, given=inputs)
    with pytest.raises(RunError, match="not a checkpoint of mmpyramid"):
        fixtures.outputs(NAME, "eval", state={"a": np.zeros(2)}, given=inputs)
    del state["fc_st.bias"]
    with pytest.raises(RunError) as fault:
        fixtures.outputs(NAME, "eval", state=state, given=inputs)
    assert "missing motion_in.bias" in fault.value.found


def test_sizes_are_the_published_ones():
    """38,886,402 parameters, counted from the public code's layers without those that nothing uses."""
    with torch.device("meta"):
        pyramid = Pyramid(512, 8, 512, levels=4, dropout=0.2, attention_dropout=0.1)
    assert sum(p.numel() for p in pyramid.parameters()) == 38_886_402


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_a_unit_sees_no_further_than_its_reach(reach):
    torch.manual_seed(0)
    unit = Unit(8, reach, small_layer)
    visual, audio = torch.randn(1, 9, 8), torch.randn(1, 9, 8)
    seen, heard = unit(visual, audio)
    changed = audio.clone()
    changed[:, 8] += 1
    for before, after in zip((seen, heard), unit(visual, changed), strict=True):
        # reach once by attention, once more by the convolution
        assert torch.equal(before[:, : 8 - 2 * reach], after[:, : 8 - 2 * reach])
        assert not torch.equal(before[:, 8 - reach :], after[:, 8 - reach :])


def test_within_is_a_band():
    mask = within(5, 2, torch.device("cpu"))
    assert mask.tolist() == [[abs(i - j) <= 2 for j in range(5)] for i in range(5)]


def test_memory_is_not_normalised():
    torch.manual_seed(0)
    layer = small_layer()
    query, memory = torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    with torch.no_grad():
        layer.feedforward.linear2.weight.zero_()
        layer.feedforward.linear2.bias.zero_()
    branch, scaled_query = layer(query, memory) - query, 3 * query + 1
    torch.testing.assert_close(branch, layer(scaled_query, memory) - scaled_query, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(branch, layer(query, 3 * memory + 1) - query, atol=1e-2)


def test_gates_and_level_weights_are_independent():
    torch.manual_seed(0)
    merge, fusion = Merge(8), LevelFusion(8, small_layer())
    with torch.no_grad():
        for gate in (merge.own, merge.cross):
            gate.weight.zero_()
            gate.bias.fill_(50.0)
        fusion.weight.weight.zero_()
        fusion.weight.bias.fill_(50.0)
    x, y = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    torch.testing.assert_close(merge(x, y), x + y)
    stacked = torch.stack([x, y], dim=2).flatten(0, 1)
    torch.testing.assert_close(fusion([x, y]), fusion.layer(stacked, stacked).sum(1).view(2, 3, 8))


def test_equal_layers_start_equal():
    pyramid = Pyramid(8, 2, 12, levels=2, dropout=0.0, attention_dropout=0.0, equal_layers=True)
    first, last = pyramid.units[0].visual_self.attention, pyramid.units[1].cross.attention
    query, key, value = first.in_proj_weight.chunk(3)
    assert torch.equal(query, key)
    assert torch.equal(query, value)
    assert torch.equal(query, first.out_proj.weight)
    assert torch.equal(first.in_proj_weight, last.in_proj_weight)
    assert torch.equal(pyramid.visual_fusion.layer.norm1.weight, pyramid.audio_fusion.layer.norm1.weight)
    assert torch.equal(
        pyramid.visual_fusion.layer.feedforward.linear1.weight, pyramid.audio_fusion.layer.feedforward.linear1.weight
    )
    apart = Pyramid(8, 2, 12, levels=1, dropout=0.0, attention_dropout=0.0)
    assert not torch.equal(
        apart.units[0].visual_self.attention.in_proj_weight, apart.units[0].cross.attention.in_proj_weight
    )


def test_heads_must_divide_the_width():
    with pytest.raises(OptionError, match="do not divide"):
        MMPyramidConfig(width=10, heads=4)


def test_other_audio_and_grids():
    spec = FeatureSpec(segments=10, audio_dim=2048, grid=(2, 5), visual_dim=12, categories=("a", "b"))
    for axis in ("location", "projection"):
        encoder = MMPyramidConfig(attention_axis=axis, **SMALL).build(spec)
        encoded = encoder(torch.rand(2, 16, 2048), torch.rand(2, 16, 2, 5, 12))
        assert encoded.fused.shape == (2, 16, 16)
