"""Promises of everything that becomes part of a model."""

from __future__ import annotations

import copy

import torch

from avelzoo.components import ComponentConfig
from avelzoo.composition.model import Model
from avelzoo.published.official import without_dropout
from avelzoo.records import Batch, Targets
from avelzoo.testing.bench import Bench, bench_for


def check_learns(config: ComponentConfig) -> None:
    """Twenty small Adam steps on one batch, dropout off, lower a finite loss."""
    for bench in bench_for(config):
        model = bench.model().train()
        without_dropout(model)
        batch, targets = bench.batch(6), bench.targets(6)
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


def check_provides_what_it_says(config: ComponentConfig) -> None:
    """In training, all it provides under a supervision is there, and so is no extra that it does not announce."""
    for bench in bench_for(config):
        model = bench.model().train()
        batch, targets = bench.batch(), bench.targets()
        promised = config.provides_under(bench.recipe.supervision)
        silent = config.provides - promised
        assert not silent, f"`provides_under` lacks what `provides` names: {', '.join(sorted(silent))}"
        given, extras = _given(model, config.kind, batch, targets)
        absent = promised - given - extras
        assert not absent, f"provides but does not give under {bench.recipe.supervision}: {', '.join(sorted(absent))}"
        unannounced = extras - promised
        assert not unannounced, f"extras that `provides` does not name: {', '.join(sorted(unannounced))}"


def _given(model: Model, kind: str, batch: Batch, targets: Targets) -> tuple[set[str], set[str]]:
    """Capabilities a part gives by itself in a training step: fields and a memory's, and extras."""
    encoded = model.encoder(batch.audio, batch.visual)
    if kind == "encoder":
        return set(), set(encoded.extras)
    unimodal = model.memory.observe(encoded, batch, targets)
    view = model.memory.read(model.encoder)
    if kind == "memory":
        return {name for name, value in (("unimodal", unimodal), ("memory", view)) if value is not None}, set()
    if kind != "head":
        return set(), set()
    predictions = model.head(encoded, view)
    filled = {name for name, value in vars(predictions).items() if name != "extras" and value is not None}
    return filled, set(predictions.extras) - set(encoded.extras)


def check_batch_without_events(config: ComponentConfig) -> None:
    """A batch of background videos alone gives finite terms and gradients."""
    for bench in bench_for(config):
        model = bench.model().train()
        step = model(bench.batch(2), bench.targets(2, negatives=2))
        assert torch.isfinite(step.loss), f"the loss is {step.loss.item()}: {step.terms}"
        if step.loss.requires_grad:
            step.loss.backward()
        faults = [n for n, p in model.named_parameters() if p.grad is not None and not torch.isfinite(p.grad).all()]
        assert not faults, f"gradients are not finite: {', '.join(faults)}"


def check_inputs_not_changed(config: ComponentConfig) -> None:
    """Features and labels are left as they were."""
    for bench in bench_for(config):
        batch, targets = bench.batch(), bench.targets()
        before = copy.deepcopy((batch, targets))
        model = bench.model().train()
        model(batch, targets)
        for now, then in zip((batch, targets), before, strict=True):
            for name, value in vars(then).items():
                if isinstance(value, torch.Tensor):
                    assert torch.equal(getattr(now, name), value), f"{name} was changed in place"


def check_evaluation_is_deterministic(config: ComponentConfig) -> None:
    """In evaluation mode the same batch gives the same answers, and nothing of the state changes."""
    for bench in bench_for(config):
        model = _trained(bench).eval()
        state = copy.deepcopy(model.state_dict())
        batch = bench.batch()
        with torch.no_grad():
            first, second = (model.head.decode(model.predict(batch, model.view())) for _ in range(2))
        assert torch.equal(first.segments, second.segments), "decoded segments differ between two calls"
        assert torch.equal(first.relevance, second.relevance), "relevance differs between two calls"
        for key, value in model.state_dict().items():
            assert torch.equal(value, state[key]), f"evaluation changed {key}"


def check_state_dict_round_trip(config: ComponentConfig) -> None:
    """A fresh model with the state dict of another gives the same answers."""
    for bench in bench_for(config):
        model, other = _trained(bench).eval(), bench.model(seed=1).eval()
        other.load_state_dict(model.state_dict())
        batch = bench.batch()
        with torch.no_grad():
            first, second = (m.head.decode(m.predict(batch, m.view())) for m in (model, other))
        assert torch.equal(first.category_scores, second.category_scores), "the state dict does not hold everything"
        assert torch.equal(first.relevance, second.relevance), "the state dict does not hold everything"


def check_double_precision(config: ComponentConfig) -> None:
    """A float64 model takes float64 features and gives float64 gradients."""
    for bench in bench_for(config):
        model = bench.model().double().train()
        step = model(bench.batch().to(dtype=torch.float64), bench.targets())
        step.loss.backward()
        kept = [n for n, p in model.named_parameters() if p.grad is not None and p.grad.dtype != torch.float64]
        assert not kept, f"gradients are not float64: {', '.join(kept)}"


def _trained(bench: Bench) -> Model:
    """A model after one step, so that memories hold something."""
    model = bench.model().train()
    model(bench.batch(), bench.targets())
    return model
