"""Checks for every component that becomes part of a model."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor

from avelzoo.channels import MEMORY, RELEVANCE_ESTIMATE, Channel
from avelzoo.components import ComponentConfig
from avelzoo.composition.model import Model
from avelzoo.published.probes import without_dropout
from avelzoo.records import Batch, Targets
from avelzoo.testing.harness import Harness, harnesses_for


def check_learns(config: ComponentConfig) -> None:
    """Twenty small Adam steps on one batch, without dropout, lower the loss, which stays finite."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        if not any(True for _ in model.parameters()):
            continue  # nothing is trained
        without_dropout(model)
        batch, targets = harness.batch(6), harness.targets(6)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            step = model(batch, targets)
            step.loss.backward()
            optimizer.step()
            losses.append(step.loss.item())
        assert all(torch.isfinite(torch.tensor(losses))), f"the loss is not finite: {losses[:3]} ..."
        assert min(losses[-5:]) < losses[0], f"the loss does not fall: {losses[0]:.4g} to {losses[-1]:.4g}"


def check_gives_what_it_declares(config: ComponentConfig) -> None:
    """In training, the component returns exactly its declared channels, in their shapes, for every supervision."""
    for harness in harnesses_for(config):
        given = given_by(harness.model().train(), config.kind, harness.batch(), harness.targets())
        declared = config.gives(harness.recipe.supervision)
        absent, undeclared = sorted(map(str, declared - given.keys())), sorted(map(str, given.keys() - declared))
        under = f"under {harness.recipe.supervision} supervision"
        assert not absent, f"declared in `gives` but not given {under}: {', '.join(absent)}"
        assert not undeclared, f"given but not declared in `gives` {under}: {', '.join(undeclared)}"
        sizes = {"b": 3, "t": harness.spec.segments, "n": harness.spec.n}
        for channel, value in given.items():
            fault = shape_fault(channel, tuple(value.shape), sizes)
            assert not fault, f"the channel '{channel}' is {tuple(value.shape)}, not {channel.shape}: {fault}"


def given_by(model: Model, kind: str, batch: Batch, targets: Targets) -> dict[Channel, Tensor]:
    """Channels that a component returns in a training step."""
    encoded = model.encoder(batch.audio, batch.visual)
    if kind == "encoder":
        return dict(encoded.channels)
    targets = model.with_estimate(encoded, targets)
    observed = model.memory.observe(encoded, batch, targets) or {}
    view = model.memory.read(model.encoder)
    if kind == "memory":
        return dict(observed) | ({MEMORY: view.items} if view is not None else {})
    if kind != "head":
        return {}
    given: dict[Channel, Tensor] = model.head(encoded, view).given()
    return given | ({RELEVANCE_ESTIMATE: targets.estimate} if targets.estimate is not None else {})


def shape_fault(channel: Channel, shape: tuple[int, ...], sizes: Mapping[str, int]) -> str:
    """Difference between a shape and that of a channel, or an empty text. Letters without a known size match any."""
    letters = channel.shape.strip("()").split()
    if len(letters) != len(shape):
        return f"{len(shape)} dimensions"
    for letter, size in zip(letters, shape, strict=True):
        name, _, more = letter.partition("+")
        wanted = int(name) if name.isdigit() else sizes.get(name)
        if wanted is not None and size != wanted + int(more or 0):
            return f"{letter} is {wanted + int(more or 0)}"
    return ""


def check_batch_without_events(config: ComponentConfig) -> None:
    """A batch with background videos only has finite loss terms and gradients."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        step = model(harness.batch(2), harness.targets(2, negatives=2))
        assert torch.isfinite(step.loss), f"the loss is {step.loss.item()}: {step.terms}"
        if step.loss.requires_grad:
            step.loss.backward()
        faults = [n for n, p in model.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
        assert not faults, f"gradients are not finite: {', '.join(faults)}"


def check_inputs_not_changed(config: ComponentConfig) -> None:
    """Features and labels are not modified."""
    for harness in harnesses_for(config):
        batch, targets = harness.batch(), harness.targets()
        before = copy.deepcopy((batch, targets))
        model = harness.model().train()
        model(batch, targets)
        for now, then in zip((batch, targets), before, strict=True):
            for name, value in vars(then).items():
                if isinstance(value, torch.Tensor):
                    assert torch.equal(getattr(now, name), value), f"{name} was changed in place"


def check_evaluation_is_deterministic(config: ComponentConfig) -> None:
    """In evaluation mode, the same batch has the same outputs, and the state does not change."""
    for harness in harnesses_for(config):
        model = _trained(harness).eval()
        state = copy.deepcopy(model.state_dict())
        batch = harness.batch()
        with torch.no_grad():
            first, second = (model.head.decode(model.predict(batch, model.view())) for _ in range(2))
        assert torch.equal(first.segments, second.segments), "decoded segments differ between two calls"
        assert torch.equal(first.relevance, second.relevance), "relevance differs between two calls"
        for key, value in model.state_dict().items():
            assert torch.equal(value, state[key]), f"evaluation changed {key}"


def check_state_dict_round_trip(config: ComponentConfig) -> None:
    """A new model with the state dict of another one has the same outputs."""
    for harness in harnesses_for(config):
        model, other = _trained(harness).eval(), harness.model(seed=1).eval()
        other.load_state_dict(model.state_dict())
        batch = harness.batch()
        with torch.no_grad():
            first, second = (m.head.decode(m.predict(batch, m.view())) for m in (model, other))
        assert torch.equal(first.category_scores, second.category_scores), "the state dict does not hold everything"
        assert torch.equal(first.relevance, second.relevance), "the state dict does not hold everything"


def check_double_precision(config: ComponentConfig) -> None:
    """A float64 model accepts float64 features and has float64 gradients."""
    for harness in harnesses_for(config):
        model = harness.model().double().train()
        step = model(harness.batch().to(dtype=torch.float64), harness.targets())
        if step.loss.requires_grad:
            step.loss.backward()
        kept = [n for n, p in model.named_parameters() if p.grad is not None and p.grad.dtype != torch.float64]
        assert not kept, f"gradients are not float64: {', '.join(kept)}"


def _trained(harness: Harness) -> Model:
    """A model after one step, so that its memory is not empty."""
    model = harness.model().train()
    model(harness.batch(), harness.targets())
    return model
