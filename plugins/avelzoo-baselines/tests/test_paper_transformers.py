"""AVT, SPAV, DPNet and AVE-CLIP: what their specs promise, beyond the conformance checks."""

from __future__ import annotations

import pytest
import torch
from avelzoo_baselines.ave_clip.configs import AveClipConfig, SmoothedSingleConfig
from avelzoo_baselines.ave_clip.head import smoothed
from avelzoo_baselines.ave_clip.model import WindowFusion
from avelzoo_baselines.avt.configs import AVTConfig
from avelzoo_baselines.channels import VIDEO_PROBABILITIES
from avelzoo_baselines.dpnet.configs import DPNetConfig
from avelzoo_baselines.dpnet.model import RelationalLayer, relations
from avelzoo_baselines.shared.positions import LearnedPositions
from avelzoo_baselines.spav.configs import SpanConfig, SpavConfig
from avelzoo_baselines.spav.head import best_span
from avelzoo_baselines.spav.objective import span_of

from avelzoo import Encoded, FeatureSpec, Widths
from avelzoo.composition.terms import loss_terms
from avelzoo.plugin.default import default_host
from avelzoo.testing import parametrize_with_checks

SMALL = {"width": 16, "feedforward": 24}
CONFIGS = [
    AVTConfig(**SMALL),
    AVTConfig(**SMALL, instance_attention=False, inter_frame=False),
    AVTConfig(**SMALL, frame_reach=1),
    SpavConfig(**SMALL),
    DPNetConfig(**SMALL),
    AveClipConfig(**SMALL),
    SpanConfig(),
    SpanConfig(decoding="threshold"),
]


@parametrize_with_checks(CONFIGS)
def test_contract(config, check):
    check(config)


def test_positions_stretch_to_any_length():
    positions = LearnedPositions(4, 10)
    assert torch.equal(positions(10), positions.table)
    for length in (1, 3, 25):
        assert positions(length).shape == (length, 4)
    assert torch.allclose(positions(20)[0], positions.table[0])


def naive_best_span(scores, null):
    predictions = []
    for table, nothing in zip(scores, null, strict=True):
        t = len(table)
        spans = [(float(table[s, e]), s, e) for s in range(t) for e in range(s, t)]
        best, s, e = max(spans, key=lambda span: span[0])
        predictions.append([best > float(nothing) and s <= i <= e for i in range(t)])
    return torch.tensor(predictions)


@pytest.mark.parametrize("t", [1, 4, 10])
def test_best_span_is_brute_force(t):
    torch.manual_seed(0)
    scores, null = torch.randn(20, t, t), torch.randn(20)
    assert torch.equal(best_span(scores, null), naive_best_span(scores, null))


def test_span_targets():
    start, end = span_of(torch.tensor([[0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0]], dtype=torch.bool))
    assert start.tolist() == [1, 0, 4]
    assert end.tolist() == [2, 3, 4]


def test_the_filter_mends_single_segments_and_leaves_runs_alone():
    predictions = torch.tensor([[3, 1, 3, 3, 2], [1, 1, 2, 2, 2]])
    assert smoothed(predictions).tolist() == [[3, 3, 3, 3, 2], [1, 1, 2, 2, 2]]
    for t in (1, 2):
        assert torch.equal(smoothed(predictions[:, :t]), predictions[:, :t])


def test_windows_do_not_see_each_other():
    torch.manual_seed(0)
    fusion = WindowFusion(2, 8, 2, 16, 0.0).eval()
    heard, seen = torch.randn(1, 5, 8), torch.randn(1, 5, 8)
    changed = heard.clone()
    changed[:, 2] += 1
    before, after = fusion(heard, seen)[1], fusion(changed, seen)[1]
    same = torch.isclose(before, after).all(dim=-1)[0]
    assert same.tolist() == [True, True, False, False, True]


def test_relations_are_what_their_reach_says():
    within, across = relations(4, 1, 0, torch.device("cpu"))
    for i in range(8):
        for j in range(8):
            same_modality, apart = (i < 4) == (j < 4), abs(i % 4 - j % 4)
            assert bool(within[i, j]) is (same_modality and apart <= 1)
            assert bool(across[i, j]) is (not same_modality and apart == 0)


def test_a_node_is_untouched_by_those_it_is_not_linked_to():
    torch.manual_seed(0)
    layer = RelationalLayer(8, 2, 16, 0.0).eval()
    masks = relations(4, 1, 1, torch.device("cpu"))
    nodes = torch.randn(1, 8, 8)
    changed = nodes.clone()
    changed[:, 3] += 1
    same = torch.isclose(layer(nodes, masks), layer(changed, masks)).all(dim=-1)[0]
    assert same.tolist() == [True, True, False, False, True, True, False, False]


def test_weak_ave_clip_trains_the_loss_it_states():
    """On the video's probabilities, which its head gives: the softmax of the mean of the segments' logits."""
    recipe = default_host().registry.get("recipe", "ave-clip").target("weak")
    assert [state.name for state in loss_terms(recipe) if state.trains] == ["video"]
    spec = FeatureSpec(segments=4, audio_dim=3, grid=(1, 1), visual_dim=3, categories=("a", "b"))
    head = SmoothedSingleConfig().build(spec, Widths(fused=5, audio=5, visual=5), "weak").eval()
    features = torch.randn(2, 4, 5)
    found = head(Encoded(fused=features, audio=features, visual=features), None)
    mean = sum(found.segment_logits[:, t] for t in range(4)) / 4
    assert torch.allclose(found[VIDEO_PROBABILITIES], mean.exp() / mean.exp().sum(-1, keepdim=True))


UNPUBLISHED = ["ave-clip", "avfb", "avin", "avsdn", "avt", "cman", "dpnet"]


@pytest.mark.parametrize("name", UNPUBLISHED)
def test_a_weak_loss_that_nobody_published_is_categorical_and_listed_as_an_assumption(name):
    recipe = default_host().registry.get("recipe", name).target("weak")
    assert recipe.objective.video_loss == "categorical"
    assert any(sentence.startswith("Weak loss: categorical") for sentence in recipe.assumptions)
    assert default_host().registry.get("recipe", name).target("full").assumptions == ()


PUBLIC = [
    "avel2018-official",
    "avel2018-dmrn-official",
    "avsdn-cpsp",
    "cmbs",
    "cmbs-official",
    "cmran",
    "cmran-official",
    "cpsp",
    "cpsp-official",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_soft_margin_stays_where_public_code_has_it_and_the_catalogue_says_what_it_cannot_do(name):
    recipe = default_host().registry.get("recipe", name).target("weak")
    assert recipe.objective.video_loss == "soft-margin"
    assert len(recipe.limits) == 1
    assert "\n" not in recipe.limits[0]
    assert default_host().registry.get("recipe", name).target("full").limits == ()


def test_gates_can_only_rise_once_the_right_category_leads():
    """`statements.GATES`: the gradient of the soft margin on every gate is at most 0, for any logits of that kind."""
    torch.manual_seed(0)
    for _ in range(50):
        relevance = torch.randn(5, dtype=torch.float64, requires_grad=True)
        category = -torch.rand(4, dtype=torch.float64)
        category[1] = torch.rand((), dtype=torch.float64)
        p = (relevance.sigmoid().unsqueeze(-1) * category).amax(dim=0).softmax(dim=-1)
        labels = torch.nn.functional.one_hot(torch.tensor(1), 4).double()
        torch.autograd.backward(torch.nn.functional.multilabel_soft_margin_loss(p, labels))
        assert (relevance.grad <= 0).all()
