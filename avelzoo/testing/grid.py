"""The grid: every encoder with every head, memory and supervision; one training step and one prediction each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.components import EncoderConfig, MemoryConfig, Supervision
from avelzoo.composition.building import objective_of
from avelzoo.composition.checking import check
from avelzoo.composition.model import Model
from avelzoo.composition.recipe import Recipe, TrainConfig
from avelzoo.contracts import Encoder
from avelzoo.errors import CompositionError
from avelzoo.plugin.registry import Entry, Registry
from avelzoo.records import FeatureSpec
from avelzoo.testing.harness import narrow, random_batch, random_targets, require_declared_terms

SPEC = FeatureSpec(segments=3, audio_dim=4, grid=(2, 2), visual_dim=5, categories=("bark", "bell", "horn"))
SUPERVISIONS: tuple[Supervision, ...] = ("full", "weak")


@dataclass(frozen=True)
class Pairing:
    """One cell of the grid.

    Attributes:
        encoder: its name.
        head: its name.
        memory: its name.
        supervision: full or weak.
        objective: the registered objective that fits; empty where none does.
        refusal: why it cannot work, in one sentence; empty where it can.
    """

    encoder: str
    head: str
    memory: str
    supervision: Supervision
    objective: str
    refusal: str


def walk_encoder(registry: Registry, entry: Entry) -> Iterator[Pairing]:
    """Train every combination of one encoder for one step on a random batch, then predict.

    Raises:
        AssertionError: a pairing that was not refused does not train or answer.
    """
    config = narrow(entry.target())
    torch.manual_seed(0)
    encoder = config.build(SPEC)
    for head in registry.entries("head"):
        for memory in registry.entries("memory"):
            for supervision in SUPERVISIONS:
                recipe, objective, refusal = _fit(registry, config, head, memory, supervision)
                if recipe is not None:
                    _try(recipe, encoder, f"{entry.name} + {head.name} + {memory.name}, {supervision}")
                yield Pairing(entry.name, head.name, memory.name, supervision, objective, refusal)


def _fit(
    registry: Registry, encoder: EncoderConfig, head: Entry, memory: Entry, supervision: Supervision
) -> tuple[Recipe | None, str, str]:
    """The composition with the first fitting objective, general ones first; or the reason why none fits."""
    refusal = ""
    objectives = sorted(registry.entries("objective"), key=lambda e: e.plugin != "avelzoo")
    for objective in objectives:
        recipe = Recipe(
            name="grid",
            summary="",
            paper="",
            supervision=supervision,
            dataset=WorldsConfig(),
            encoder=encoder,
            memory=_small(memory.target()),
            head=head.target(),
            objective=objective.target(),
            train=TrainConfig(epochs=1),
        )
        try:
            check(recipe, registry)
        except CompositionError as error:
            refusal = refusal or error.problem
            continue
        return recipe, objective.name, ""
    return None, "", refusal


def _small(config: MemoryConfig) -> MemoryConfig:
    """The memory with two slots per category, if it has such an option: an eighth of the default's cost."""
    small: MemoryConfig = type(config).from_dict(config.to_dict() | ({"size": 2} if hasattr(config, "size") else {}))
    return small


def _try(recipe: Recipe, encoder: Encoder, name: str) -> None:
    batch = random_batch(SPEC, 2)
    targets = random_targets(SPEC, 2, weak=recipe.supervision == "weak")
    memory = recipe.memory.build(SPEC, encoder.widths, recipe.supervision)
    head = recipe.head.build(SPEC, encoder.widths, recipe.supervision)
    model = Model(encoder, memory, head, objective_of(recipe, SPEC)).train()
    model.begin_epoch(0, 1)
    model.zero_grad()
    step = model(batch, targets)
    assert torch.isfinite(step.loss), f"{name}: the loss is {step.loss.item()}"
    require_declared_terms(recipe, model, step)
    if step.loss.requires_grad:
        torch.autograd.backward(step.loss)
    norms = [p.grad.norm() for p in encoder.parameters() if p.grad is not None]
    assert norms or not any(True for _ in encoder.parameters()), f"{name}: no gradient reaches the encoder"
    assert all(torch.isfinite(norm) for norm in norms), f"{name}: gradients are not finite"
    model.eval()
    with torch.no_grad():
        predictions = model.head.decode(model.predict(batch, model.view()))
    assert tuple(predictions.segments.shape) == (2, SPEC.segments), (
        f"{name}: predictions are {tuple(predictions.segments.shape)}"
    )
    assert int(predictions.segments.max()) <= SPEC.n, f"{name}: ids leave 0..n"
