"""Checks for objectives."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.builtin.heads.configs import DoubleConfig
from avelzoo.builtin.memory.configs import NoMemoryConfig
from avelzoo.channels import MEMORY, channels_of
from avelzoo.components import ObjectiveConfig
from avelzoo.composition.checking import check
from avelzoo.composition.objective import SumOfTerms
from avelzoo.composition.terms import loss_terms
from avelzoo.errors import ChannelError, CompositionError
from avelzoo.plugin.default import default_host
from avelzoo.testing.harness import harnesses_for, only, require_declared_terms


def check_terms_are_weighted_scalars(config: ObjectiveConfig) -> None:
    """Every term is a finite scalar with a weight; the loss is their weighted sum and has a gradient."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        step = model(harness.batch(), harness.targets(negatives=1))
        assert step.terms, "no term at all"
        total = 0.0
        for name, value in step.terms.items():
            assert value.dim() == 0, f"term '{name}' is {tuple(value.shape)}, not a scalar"
            assert torch.isfinite(value), f"term '{name}' is {value.item()}"
            assert name in model.objective.weights, f"term '{name}' has no weight"
            total += model.objective.weights[name] * value.item()
        assert math.isclose(total, step.loss.item(), rel_tol=1e-4, abs_tol=1e-6), "the loss is not the weighted sum"
        assert step.loss.requires_grad, "the loss has no gradient"


def check_declares_its_terms(config: ObjectiveConfig) -> None:
    """The terms of a training step are those that `terms` lists as trained, with the same weights."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        step = model(harness.batch(), harness.targets())
        require_declared_terms(harness.recipe, model, step)


def check_terms_read_what_they_declare(config: ObjectiveConfig) -> None:
    """A term is the same with its declared channels only: it reads no others."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        targets = harness.targets()
        step = model(harness.batch(), targets)
        for name, term in model.objective.terms.items():
            if name not in step.terms:
                continue
            readable = channels_of(*term.needs)
            alone = SumOfTerms([replace(term, weight=1.0)], harness.spec).train()
            twice = []
            for output in (step.output, only(step.output, readable)):
                try:
                    view = step.view if MEMORY in readable or output is step.output else None
                    twice.append(alone(output, targets, view)[name])
                except (ChannelError, AssertionError, AttributeError) as error:
                    raise AssertionError(f"term '{name}' reads what it does not declare in `needs`: {error}") from error
            assert torch.equal(*twice), f"term '{name}' reads channels that it does not declare in `needs`"


def check_asks_for_the_input_of_its_own_terms(config: ObjectiveConfig) -> None:
    """A composition without the input of one of the objective's own terms is refused."""
    registry = default_host().registry
    for harness in harnesses_for(config):
        recipe = replace(harness.recipe, encoder=MeanPoolConfig(), memory=NoMemoryConfig(), head=DoubleConfig())
        states = loss_terms(recipe)
        lacking = {s.name for s in states if s.missing and s.term.own and s.term.weight > 0}
        try:
            check(recipe, registry)
        except CompositionError:
            continue
        assert not lacking, f"trains without {', '.join(sorted(lacking))} beside parts that give no input for it"


def check_right_answers_cost_less(config: ObjectiveConfig) -> None:
    """After training on one batch, the loss of its labels is lower than that of other labels."""
    for harness in harnesses_for(config):
        model = harness.model().train()
        batch, targets = harness.batch(6), harness.targets(6)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(40):
            optimizer.zero_grad()
            model(batch, targets).loss.backward()
            optimizer.step()
        n = harness.spec.n
        shifted = (targets.event + 1) % n
        segments = (
            None
            if targets.segments is None
            else targets.segments.where(targets.segments == n, (targets.segments + 1) % n)
        )
        wrong = replace(targets, event=shifted, segments=segments)
        with torch.no_grad():
            view = model.view()
            output = model(batch, targets).output
            losses = [
                sum(model.objective.weights[k] * v.item() for k, v in model.objective(output, t, view).items())
                for t in (targets, wrong)
            ]
        assert losses[0] < losses[1], f"right labels cost {losses[0]:.4g}, wrong ones {losses[1]:.4g}"
