"""Encoders, heads and objectives make no tensors on another device than their input's, which a GPU would refuse.

The meta device has shapes and no numbers, and refuses other devices' tensors as a GPU does.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from avelzoo import Encoded, MemoryView, build
from avelzoo.composition.checking import check
from avelzoo.errors import AvelzooError
from avelzoo.plugin.default import default_host
from tests.models.worlds import SPEC, make_batch, make_targets

RECIPES = [entry.name for entry in default_host().registry.entries("recipe")]


@pytest.mark.parametrize("supervision", ["full", "weak"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_stays_on_its_device(name, supervision, monkeypatch):
    monkeypatch.setattr(torch, "autocast", lambda kind, **_: nullcontext())  # there is none for the meta device
    try:
        recipe = default_host().registry.get("recipe", name).target(supervision)
        check(recipe, default_host().registry)
    except AvelzooError:
        pytest.skip(f"{name} is not for {supervision} supervision")
    model = build(recipe, SPEC).to("meta")
    model.begin_epoch(recipe.train.epochs - 1, recipe.train.epochs)
    for module in model.modules():  # flags that steer control flow have to have a value
        for flag in [n for n, b in module.named_buffers(recurse=False) if b.dtype == torch.bool and b.dim() == 0]:
            module.register_buffer(flag, torch.ones((), dtype=torch.bool))
    batch, targets = make_batch().to("meta"), make_targets(weak=supervision == "weak").to("meta")
    encoded = model.encoder(batch.audio, batch.visual)
    slots = (SPEC.n, 3)
    view = MemoryView(
        items=torch.empty(*slots, encoded.fused.shape[-1], device="meta"),
        filled=torch.empty(slots, dtype=torch.bool, device="meta"),
    )
    output = model.head(encoded, view).joined(encoded.given())
    if hasattr(model.memory, "classifiers"):
        unimodal = model.memory.classifiers(encoded.audio, encoded.visual)
        output = replace(output, audio_logits=unimodal.audio_logits, visual_logits=unimodal.visual_logits)
    terms = model.objective(output, targets, view)
    found = [*tensors(encoded), *tensors(output), *terms.values()]
    assert all(value.is_meta for value in found)


def test_a_stranger_is_noticed():
    class Careless(torch.nn.Module):
        def forward(self, audio):
            return Encoded(fused=audio + torch.ones(5), audio=audio, visual=audio)

    with pytest.raises(RuntimeError, match="meta"):
        Careless()(make_batch().to("meta").audio)


def tensors(record):
    found = [value for value in vars(record).values() if isinstance(value, torch.Tensor)]
    assert found
    return found
