"""Recipes of CMRAN, CMBS, CACE-Net and MM-Pyramid: complete, composable, and refused where nothing was published."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from avelzoo import FeatureSpec, UsageError, build, without_dropout
from avelzoo.composition.checking import check
from avelzoo.plugin.default import default_host
from avelzoo.testing import random_batch, random_targets

SPEC = FeatureSpec(segments=5, audio_dim=6, grid=(2, 2), visual_dim=8, categories=("bark", "bell", "horn"))
RECIPES = ["cmran", "cmran-official", "cmbs", "cmbs-official", "cace-net", "cace-net-official", "mm-pyramid"]
BOTH = [(name, supervision) for name in RECIPES for supervision in ("full", "weak")]
PAIRINGS = [(name, supervision) for name, supervision in BOTH if not name.startswith("cace") or supervision == "full"]
SMALL = {
    "width": 8,
    "heads": 2,
    "feedforward": 8,
    "encoder_feedforward": 8,
    "decoder_feedforward": 8,
    "fusion_heads": 2,
}


def recipe_of(name, supervision):
    recipe = default_host().registry.get("recipe", name).target(supervision)
    encoder = recipe.encoder
    return replace(recipe, encoder=replace(encoder, **{k: v for k, v in SMALL.items() if hasattr(encoder, k)}))


def component(kind, name):
    return default_host().registry.get(kind, name).target()


def step(recipe):
    check(recipe, default_host().registry)
    torch.manual_seed(0)
    model = build(recipe, SPEC).train()
    without_dropout(model)
    out = model(random_batch(SPEC, 4), random_targets(SPEC, 4, weak=recipe.supervision == "weak", negatives=1))
    out.loss.backward()
    assert torch.isfinite(out.loss)
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    model.eval()
    with torch.no_grad():
        predictions = model.head.decode(model.predict(random_batch(SPEC, 2, seed=1), model.view()))
    assert predictions.segments.shape == (2, 5)
    return out


@pytest.mark.parametrize(("name", "supervision"), PAIRINGS)
def test_every_parameter_of_a_recipe_learns(name, supervision):
    out = step(recipe_of(name, supervision))
    expected = {
        "cmran": ({"event", "relevance"}, {"video"}),
        "cmbs": ({"event", "relevance", "gate", "streams"}, {"video"}),
        "cace-net": ({"event", "relevance", "gate", "streams", "background"}, set()),
        "mm-pyramid": ({"segment"}, {"video"}),
    }[name.removesuffix("-official")]
    assert out.terms.keys() == expected[supervision == "weak"]


@pytest.mark.parametrize(("name", "supervision"), [p for p in PAIRINGS if not p[0].endswith("official")])
def test_half_precision_trains(name, supervision):
    torch.manual_seed(0)
    model = build(recipe_of(name, supervision), SPEC).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(random_batch(SPEC, 4), random_targets(SPEC, 4, weak=supervision == "weak", negatives=1))
    out.loss.backward()
    assert torch.isfinite(out.loss)
    assert [name for name, p in model.named_parameters() if not torch.isfinite(p.grad).all()] == []


@pytest.mark.parametrize("supervision", ["full", "weak"])
@pytest.mark.parametrize("name", ["cmran", "cmbs", "cace-net", "mm-pyramid"])
def test_the_event_aware_branch_and_its_bank_fit(name, supervision):
    """`avelzoo run NAME --head event-aware --memory jsd-bank --objective general`."""
    recipe = replace(recipe_of(name, supervision), objective=component("objective", "general"))
    recipe = replace(recipe, head=component("head", "event-aware"), memory=component("memory", "jsd-bank"))
    assert {"unimodal", "prototype", "contrastive", "event", "relevance"} == set(step(recipe).terms)


@pytest.mark.parametrize("name", ["cmran", "cmbs", "cace-net", "mm-pyramid"])
@pytest.mark.parametrize("context", ["sequence", "independent"])
def test_the_encoders_serve_the_papers_recipe(name, context):
    """`avelzoo run ead-b --encoder NAME`: stored segments are encoded as a sequence or one by one."""
    recipe = default_host().registry.get("recipe", "ead-b").target("weak")
    encoder = recipe_of(name, "weak").encoder
    step(replace(recipe, encoder=encoder, memory=replace(recipe.memory, context=context, size=3)))


def test_a_memory_is_trained_beside_a_head_of_its_own():
    recipe = replace(recipe_of("cmbs", "weak"), memory=component("memory", "jsd-bank"))
    assert set(step(recipe).terms) == {"video", "unimodal"}


@pytest.mark.parametrize("name", ["cace-net", "cace-net-official"])
def test_weak_cace_net_is_refused(name):
    with pytest.raises(UsageError, match="does not work under weak supervision") as fault:
        check(recipe_of(name, "weak"), default_host().registry)
    assert "double" in fault.value.fix


def test_streams_are_asked_for():
    recipe = replace(recipe_of("cmbs", "full"), encoder=component("encoder", "mean-pool"))
    with pytest.raises(UsageError, match="'cmbs' reads audio_gate") as fault:
        check(recipe, default_host().registry)
    assert "--encoder cmbs" in fault.value.fix


@pytest.mark.parametrize(("name", "supervision"), BOTH)
def test_recipes_name_their_paper_and_scores(name, supervision):
    registry = default_host().registry
    recipe = registry.get("recipe", name).target(supervision)
    assert recipe.paper in registry.papers
    assert recipe.published
    assert recipe.name == name
    assert recipe.compute.precision == ("64" if name.endswith("official") else "32")
