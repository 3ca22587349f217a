"""A small composition around one component, so that every kind is checked inside a complete model."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.channels import MEMORY, Channel, met_by
from avelzoo.components import ComponentConfig, EncoderConfig, ObjectiveConfig, Supervision
from avelzoo.composition.building import build
from avelzoo.composition.checking import check, fits
from avelzoo.composition.model import Model, StepOutput
from avelzoo.composition.objective import SumOfTerms
from avelzoo.composition.recipe import Recipe, TrainConfig
from avelzoo.composition.terms import loss_terms
from avelzoo.errors import CompositionError, OptionError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.registry import Registry
from avelzoo.records import Batch, FeatureSpec, HeadOutput, MemoryView, Targets

SPEC = FeatureSpec(segments=5, audio_dim=6, grid=(2, 3), visual_dim=8, categories=("bark", "bell", "horn"))
_FIRST = {
    "encoder": ("mean-pool",),
    "memory": ("none", "jsd-bank"),
    "head": ("double", "single", "event-aware"),
    "objective": ("general",),
}


@dataclass(frozen=True)
class Harness:
    """A component with compatible partners.

    Attributes:
        recipe: the composition.
        spec: the features' sizes.
    """

    recipe: Recipe
    spec: FeatureSpec = SPEC

    @property
    def weak(self) -> bool:
        """Whether supervision is weak."""
        return self.recipe.supervision == "weak"

    def model(self, seed: int = 0) -> Model:
        """The composition's model with seeded weights."""
        torch.manual_seed(seed)
        return build(self.recipe, self.spec)

    def batch(self, b: int = 3, t: int | None = None, seed: int = 0) -> Batch:
        """Random features of the harness's sizes."""
        return random_batch(self.spec, b, t, seed=seed)

    def targets(self, b: int = 3, t: int | None = None, seed: int = 0, negatives: int = 0) -> Targets:
        """Random targets of the harness's supervision."""
        return random_targets(self.spec, b, t, weak=self.weak, seed=seed, negatives=negatives)


def harnesses_for(config: ComponentConfig, *, registry: Registry | None = None) -> list[Harness]:
    """One harness per supported supervision, with the simplest compatible registered partners.

    Raises:
        CompositionError: no registered partners fit.
    """
    registry = registry or default_host().registry
    return [_harness(config, supervision, registry) for supervision in config.supervisions]


def random_batch(spec: FeatureSpec, b: int = 3, t: int | None = None, *, seed: int = 0) -> Batch:
    """Non-negative random features: b videos of t segments."""
    generator = torch.Generator().manual_seed(seed)
    t = spec.segments if t is None else t
    return Batch(
        audio=torch.rand(b, t, spec.audio_dim, generator=generator),
        visual=torch.rand(b, t, *spec.grid, spec.visual_dim, generator=generator),
        rows=torch.arange(b) + 1000 * seed,
    )


def random_targets(
    spec: FeatureSpec, b: int = 3, t: int | None = None, *, weak: bool = False, seed: int = 0, negatives: int = 0
) -> Targets:
    """Random categories, each video with at least one event segment; the last ``negatives`` have no event."""
    generator = torch.Generator().manual_seed(seed)
    t = spec.segments if t is None else t
    event = torch.randint(spec.n, (b,), generator=generator)
    on = torch.rand(b, t, generator=generator) < 0.6
    on[:, 0] = True
    if negatives:
        event[-negatives:] = spec.background
        on[-negatives:] = False
    segments = event.unsqueeze(1).expand(b, t).masked_fill(~on, spec.background)
    presence = (event != spec.background).float()
    return Targets(event=event, presence=presence, segments=None if weak else segments, background=spec.background)


def tensors_of(output: HeadOutput) -> list[Tensor]:
    """Floating-point tensors of a record that require a gradient."""
    return [v for v in output.given().values() if v.is_floating_point() and v.requires_grad]


def only(output: HeadOutput, readable: Container[Channel]) -> HeadOutput:
    """The output with only some of its channels."""
    kept = {channel: value for channel, value in output.given().items() if channel in readable}
    return HeadOutput(metric=output.metric).joined(kept)


def term_values(
    config: ObjectiveConfig, output: HeadOutput, targets: Targets, view: MemoryView | None = None
) -> dict[str, Tensor]:
    """Unweighted terms of an objective whose inputs are present, for the supervision of the targets."""
    given = {*output.given(), *((MEMORY,) if view is not None else ())}
    terms = config.terms("weak" if targets.segments is None else "full")
    found = (term for term in terms if all(met_by(need, given) for need in term.needs))
    values: dict[str, Tensor] = SumOfTerms(found, SPEC)(output, targets, view)
    return values


def require_declared_terms(recipe: Recipe, model: Model, step: StepOutput) -> None:
    """Compare the terms of a training step with the declarations of the recipe's parts.

    Raises:
        AssertionError: a term trains that `loss_terms` does not name, or the other way round; or a weight differs.
    """
    weights = model.objective.weights
    declared = {state.name: state.term.weight for state in loss_terms(recipe) if state.trains}
    trained = {name: weights[name] for name in step.terms if weights[name] > 0}
    undeclared, absent = sorted(trained.keys() - declared), sorted(declared.keys() - trained)
    assert not undeclared, f"terms that train but are not declared so in `terms`: {', '.join(undeclared)}"
    assert not absent, f"terms that `terms` declares but that do not train: {', '.join(absent)}"
    assert trained == declared, f"weights are {trained}, `terms` declares {declared}"


def _harness(config: ComponentConfig, supervision: Supervision, registry: Registry) -> Harness:
    for parts in _candidates(config, registry):
        recipe = Recipe(
            name="harness",
            summary="",
            paper="",
            supervision=supervision,
            dataset=WorldsConfig(),
            train=TrainConfig(epochs=1),
            **parts,  # type: ignore[arg-type]
        )
        if fits(recipe):
            check(recipe, registry)
            return Harness(recipe)
    raise CompositionError(
        f"no registered parts fit this {config.kind} under {supervision} supervision",
        found="; ".join(
            f"{does} {', '.join(sorted(map(str, declared))) or 'nothing'}"
            for does, declared in (("reads", config.reads(supervision)), ("gives", config.gives(supervision)))
        ),
        expected="other parts give all that it reads, and a loss term trains from what it gives",
        fix="correct `reads` and `gives`, register a part that fits, or leave the supervision out of `supervisions`",
    )


def _candidates(config: ComponentConfig, registry: Registry) -> Iterator[dict[str, ComponentConfig]]:
    kinds = tuple(_FIRST)
    options = []
    for kind in kinds:
        if kind == config.kind:
            options.append([config])
            continue
        entries = registry.entries(kind)
        order = sorted(entries, key=lambda e, k=kind: (_rank(_FIRST[k], e.name), e.plugin != "avelzoo"))  # type: ignore[misc]
        options.append([e.target() for e in order if e.target not in (type(config),)])
    for chosen in product(*options):
        yield dict(zip(kinds, chosen, strict=True))


def _rank(first: tuple[str, ...], name: str) -> int:
    return first.index(name) if name in first else len(first)


def narrow(config: EncoderConfig, width: int = 16) -> EncoderConfig:
    """The encoder with few channels, if its options allow it, so that checks are fast."""
    try:
        narrowed: EncoderConfig = type(config).from_dict(config.to_dict() | {"width": width})
    except OptionError:
        return config
    return narrowed
