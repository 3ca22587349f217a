"""Exported models answer as the run does and carry its facts; what cannot be exported is refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from avelzoo.composition.checking import check
from avelzoo.composition.resolving import resolve
from avelzoo.errors import CompositionError, RunError, StorageError, UsageError
from avelzoo.exporting import export_onnx, libraries
from avelzoo.exporting.comparing import compare
from avelzoo.exporting.conversion import convert
from avelzoo.exporting.inference import OUTPUTS, Inference
from avelzoo.plugin.default import default_host
from avelzoo.testing.harness import random_batch
from tests.exporting.models import SPEC, stepped

DECIDED = {"names-agreement"}
"""Recipes whose decoder is not the head's rule."""

WEAK = ("cmbs", "ead-b", "psp", "spav")
"""Recipes whose weak variant has a model of its own."""

FEWER = {"ave-clip": {"windows": (2, 5)}, "mm-pyramid": {"levels": 2}} | {
    name: {"layers": 1} for name in ("cmbs", "cmran", "mpn", "spav")
}
"""Options of encoders that repeat a part less often."""


def small(name, supervision="full"):
    """A run with the encoder that is exported the fastest."""
    return stepped(name, supervision, encoder="mean-pool")


def usable(name, supervision):
    """Whether the rest of a recipe works beside that encoder."""
    registry = default_host().registry
    found = resolve(registry, name, supervision=supervision, choices={"encoder": "mean-pool"})
    try:
        check(found.recipe, registry, found.sources)
    except CompositionError:
        return False
    return True


def models():
    """Models that hold every encoder, and every memory beside its head, of all recipes.

    ead-b is ``exported`` already; an encoder that an earlier one holds is left out where the rest works without it.
    """
    registry = default_host().registry
    variants = [(name, "full") for name in registry.names("recipe")] + [(name, "weak") for name in WEAK]
    seen, found = set(), []
    for name, supervision in [("ead-b", "full"), *(variant for variant in variants if variant[0] not in DECIDED)]:
        recipe = resolve(registry, name, supervision=supervision).recipe
        encoder, rest = type(recipe.encoder), (type(recipe.memory), type(recipe.head), supervision)
        if {encoder, rest} - seen:
            swapped = encoder in seen and usable(name, supervision)
            found.append(pytest.param(name, supervision, swapped, id=f"{name}-{supervision}"))
        seen |= {encoder, rest}
    return found[1:]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """ead-b: prototypes, anchors and a margin, everything that a graph must hold."""
    run = stepped("ead-b")
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    return run, export_onnx(run, path), path


@pytest.mark.parametrize("b", [1, 4, 17])
def test_answers_are_those_of_the_run(exported, b):
    run, _, path = exported
    batch = random_batch(SPEC, b, seed=b + 100)
    with torch.no_grad():
        own = run.model.decode(run.model.predict(batch, run.model.view()))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"audio": batch.audio.numpy(), "visual": batch.visual.numpy()})
    found = dict(zip(names, values, strict=True))
    assert names == ["segments", "category", "category_scores", "relevance"]
    np.testing.assert_allclose(found["relevance"], own.relevance, atol=1e-4)
    np.testing.assert_allclose(found["category_scores"], own.category_scores, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(found["category"], own.category)
    np.testing.assert_array_equal(found["segments"], own.segments)
    assert found["segments"].shape == (b, SPEC.segments)


def test_the_file_says_what_it_is(exported):
    run, result, path = exported
    facts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert facts == result.metadata
    assert json.loads(facts["avelzoo.categories"]) == list(SPEC.categories)
    assert facts["avelzoo.recipe"].endswith("ead-b")
    assert json.loads(facts["avelzoo.threshold"]) == run.model.head.decision.threshold
    assert result.agreement.largest <= 1e-4
    assert path.stat().st_size == result.size


def test_the_number_of_segments_is_constant_and_can_be_chosen(tmp_path):
    run = small("single-branch")
    result = export_onnx(run, tmp_path / "model.onnx", segments=3)
    session = onnxruntime.InferenceSession(result.path, providers=["CPUExecutionProvider"])
    assert [value.shape[1] for value in session.get_inputs()] == [3, 3]
    assert result.inputs["audio"] == "(b 3 6) float32"


def test_the_run_is_not_changed(exported):
    run, _, _ = exported
    assert "items" not in dict(run.model.named_buffers())
    cace = stepped("cace-net").model
    Inference(cace)
    assert isinstance(cace.head.contrasting, torch.Tensor)


class Branching(nn.Module):
    """An encoder with a branch on its features."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, audio, visual):
        return self.inner(audio if float(audio.mean()) > 0.3 else -audio, visual)


def test_an_encoder_that_cannot_be_exported_is_named(tmp_path):
    run = stepped("single-branch")
    run.model.encoder = Branching(run.model.encoder)
    with pytest.raises(CompositionError, match="the encoder cannot be exported") as caught:
        export_onnx(run, tmp_path / "model.onnx")
    assert caught.value.where.startswith("encoder: ")
    assert caught.value.found
    assert list(tmp_path.iterdir()) == []


def test_a_head_that_cannot_be_exported_is_named(tmp_path):
    run = small("single-branch")
    decode = run.model.head.decode
    run.model.head.decode = lambda output: decode(output) if float(output.segment_logits.sum()) else None
    with pytest.raises(CompositionError, match="the head cannot be exported"):
        export_onnx(run, tmp_path / "model.onnx")


def test_a_graph_that_answers_differently_is_refused():
    inference = Inference(small("single-branch").model)
    content = convert(inference, (torch.rand(2, 5, 6), torch.rand(2, 5, 2, 3, 8)), OUTPUTS).SerializeToString()
    compare(content, inference, SPEC, 5)
    with torch.no_grad():
        for value in inference.head.parameters():
            value.mul_(1.01)
    with pytest.raises(RunError, match="differs from the run's model"):
        compare(content, inference, SPEC, 5)


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    def refuse(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(libraries, "import_module", refuse)
    with pytest.raises(UsageError, match="needs the library onnx") as caught:
        export_onnx(small("single-branch"), tmp_path / "model.onnx")
    assert caught.value.fix == "pip install 'avelzoo[onnx]'"


@pytest.mark.parametrize(("path", "match"), [("", "it is a folder"), ("missing/model.onnx", "its folder is missing")])
def test_a_place_that_cannot_hold_the_file(tmp_path, path, match):
    with pytest.raises(StorageError, match=match):
        export_onnx(small("single-branch"), tmp_path / path)


class Distances(nn.Module):
    def forward(self, audio, visual):
        return torch.cdist(audio, visual.mean(dim=(2, 3)), compute_mode="donot_use_mm_for_euclid_dist")


class Attends(nn.Module):
    """Three axes, without mask, with a bool mask and with a mask of numbers."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, audio, visual):
        return F.scaled_dot_product_attention(audio, visual.mean(dim=(2, 3)), visual.mean(dim=(2, 3)), self.mask)


LOWER = torch.ones(5, 5).tril()


@pytest.mark.parametrize("module", [Distances(), Attends(None), Attends(LOWER.bool()), Attends(LOWER.log1p())])
def test_translated_operators(module):
    audio, visual = torch.rand(3, 5, 8), torch.rand(3, 5, 2, 2, 8)
    model = convert(module, (audio, visual), ("out",))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"audio": audio[:2].numpy(), "visual": visual[:2].numpy()})
    np.testing.assert_allclose(found, module(audio[:2], visual[:2]), atol=1e-5)


@pytest.mark.parametrize(("name", "supervision", "swapped"), models())
def test_the_modules_of_every_recipe_can_be_exported(name, supervision, swapped, tmp_path: Path):
    run = small(name, supervision) if swapped else stepped(name, supervision, **FEWER.get(name, {}))
    assert export_onnx(run, tmp_path / "model.onnx").agreement.largest <= 1e-4


@pytest.mark.parametrize("name", sorted(DECIDED))
def test_recipes_that_are_decided_outside_the_model_are_refused(name, tmp_path: Path):
    with pytest.raises(CompositionError, match="no trained model to export"):
        export_onnx(stepped(name), tmp_path / "model.onnx")


def test_a_decoder_is_refused_at_once(tmp_path):
    run = small("single-branch")
    decided = resolve(default_host().registry, "single-branch", choices={"decoder": "single-span"})
    with pytest.raises(CompositionError, match="decoder cannot be exported") as caught:
        export_onnx(replace(run, composition=decided), tmp_path / "model.onnx")
    assert caught.value.where == "decoder: avelzoo/single-span"
    assert list(tmp_path.iterdir()) == []
