"""Recipes of AVEL 2018, PSP and CPSP: complete, composable, and what their public code does where they say so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from avelzoo import FeatureSpec, build, without_dropout
from avelzoo.composition.checking import check
from avelzoo.plugin.default import default_host
from avelzoo.testing import random_batch, random_targets

SPEC = FeatureSpec(segments=5, audio_dim=6, grid=(2, 2), visual_dim=8, categories=("bark", "bell", "horn"))
SYSTEMS = ["avel2018", "avel2018-dmrn", "psp", "cpsp"]
RECIPES = [name + end for name in SYSTEMS for end in ("", "-official")]


def recipe_of(name, supervision):
    recipe = default_host().registry.get("recipe", name).target(supervision)
    return replace(recipe, encoder=replace(recipe.encoder, hidden=4, attention_width=6))


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


@pytest.mark.parametrize("supervision", ["full", "weak"])
@pytest.mark.parametrize("name", RECIPES)
def test_every_parameter_of_a_recipe_learns(name, supervision):
    expected = {
        "avel2018": ({"segment"}, {"video"}),
        "avel2018-dmrn": ({"segment"}, {"video"}),
        "psp": ({"segment", "pair"}, {"video"}),
        "cpsp": ({"event", "relevance", "pair", "video_contrast", "segment_contrast"}, {"video", "video_contrast"}),
        "cpsp-official": ({"event", "relevance", "pair", "video_contrast"}, {"video", "video_contrast"}),
    }
    system = name if name in expected else name.removesuffix("-official")
    assert step(recipe_of(name, supervision)).terms.keys() == expected[system][supervision == "weak"]


@pytest.mark.parametrize("supervision", ["full", "weak"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_event_aware_branch_and_its_bank_fit(name, supervision):
    """`avelzoo run NAME --head event-aware --memory jsd-bank`, and the general objective where the own does not fit."""
    recipe = recipe_of(name, supervision)
    if supervision == "weak" or name.startswith("avel2018"):
        recipe = replace(recipe, objective=component("objective", "general"))
    recipe = replace(recipe, head=component("head", "event-aware"), memory=component("memory", "jsd-bank"))
    assert set(step(recipe).terms) >= {"unimodal", "prototype", "contrastive", "event", "relevance"}


@pytest.mark.parametrize("context", ["sequence", "independent"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_encoders_serve_the_papers_recipe(name, context):
    """`avelzoo run ead-b --encoder NAME`, the bank's slots being encoded as a sequence or one by one."""
    base = default_host().registry.get("recipe", "ead-b").target("full")
    recipe = replace(base, encoder=recipe_of(name, "full").encoder, memory=replace(base.memory, context=context))
    step(recipe)


UNUSED = (512 + 1) * 128 + 2 * (64 * 256 + 28 * 64)
"""In the public models of PSP under full supervision and of CPSP: weak PSP's projection, classifiers per modality."""


@pytest.mark.parametrize(
    ("name", "supervision", "parameters"),
    [
        ("avel2018", "full", 1_335_246),
        ("avel2018", "weak", 1_335_246),
        ("avel2018-dmrn", "full", 1_571_150),
        ("psp", "full", 1_667_251 - UNUSED - (64 * 256 + 64) - (2 * 64 + 2)),
        ("psp", "weak", 1_254_251 - 29 - 256 - 64),
        ("cpsp", "full", 1_658_062 - UNUSED - (64 * 256 + 28 * 64)),
        ("cpsp", "weak", 1_658_062 - UNUSED - (64 * 256 + 28 * 64)),
    ],
)
def test_as_many_parameters_as_published(name, supervision, parameters):
    """The public models' counts, less what they register without using."""
    ave = FeatureSpec(
        segments=10, audio_dim=128, grid=(7, 7), visual_dim=512, categories=tuple(str(k) for k in range(28))
    )
    model = build(default_host().registry.get("recipe", name).target(supervision), ave)
    assert sum(p.numel() for p in model.parameters()) == parameters
    wide = build(default_host().registry.get("recipe", name).target(supervision), replace(ave, audio_dim=2048))
    assert wide.encoder(torch.rand(1, 2, 2048), torch.rand(1, 2, 7, 7, 512)).fused.shape[:2] == (1, 2)


def test_stale_targets_have_a_place_for_every_video_of_a_batch():
    recipe = default_host().registry.get("recipe", "psp-official").target("full")
    assert recipe.objective.stale_slots == recipe.train.batch_size


def ledger_rows():
    """(ledger, id, option, recipe, cell) of every option in the tables "Paper against code"."""
    for page in ("avel2018", "psp", "cpsp"):
        text = (Path(__file__).parents[3] / "docs" / "ledger" / f"{page}.md").read_text("utf-8")
        for line in text.split("## Paper against code")[1].splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == 5 and re.fullmatch(r"`(\w+\.\w+|--\w+)`", cells[2]):
                yield from (
                    (cells[0], cells[2].strip("`"), page + end, cells[3 + k]) for k, end in enumerate(("", "-official"))
                )


@pytest.mark.parametrize(("number", "option", "name", "cell"), list(ledger_rows()))
def test_options_have_the_values_the_ledger_says(number, option, name, cell):
    slot, _, field = option.partition(".")
    stated = cell.split(" / ") if " / " in cell else [cell, cell]
    registry = default_host().registry
    for supervision, value in zip(("full", "weak"), stated, strict=True):
        config = getattr(registry.get("recipe", name).target(supervision), slot.removeprefix("--"))
        if not field:
            assert registry.entry_of(config).name == value
        elif value == "-":
            assert not hasattr(config, field) or config.only_under[field] != supervision
        else:
            assert str(getattr(config, field)).lower() == value
