"""Build the model of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avelzoo.composition.recipe import Recipe
from avelzoo.composition.terms import loss_terms

if TYPE_CHECKING:
    from avelzoo.composition.model import Model
    from avelzoo.composition.objective import SumOfTerms
    from avelzoo.records import FeatureSpec


def build(recipe: Recipe, spec: FeatureSpec) -> Model:
    """The model of a recipe for features of ``spec``'s sizes, in float32 on the CPU whatever the caller's defaults are.

    Initial weights are drawn from PyTorch's global generator, as those of every module.

    >>> spec = avelzoo.WorldsConfig().open("full").spec
    >>> type(build(avelzoo.recipes["ead-b"]("full"), spec)).__name__
    'Model'
    """
    from avelzoo.composition.model import Model
    from avelzoo.composition.returned import built
    from avelzoo.system.isolation import isolated

    with isolated(generators=False):
        encoder = built("encoder", recipe.encoder.build(spec))
        memory = built("memory", recipe.memory.build(spec, encoder.widths, recipe.supervision))
        head = built("head", recipe.head.build(spec, encoder.widths, recipe.supervision))
        rule = recipe.decoder.build(spec, head)
        decoder = None if rule is None else built("decoder", rule)
        return Model(encoder, memory, head, objective_of(recipe, spec), decoder)


def objective_of(recipe: Recipe, spec: FeatureSpec) -> SumOfTerms:
    """The sum of the terms that train in a recipe."""
    from avelzoo.composition.objective import SumOfTerms

    return SumOfTerms((state.term for state in loss_terms(recipe) if state.trains), spec)
