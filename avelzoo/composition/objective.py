"""The loss of a composition: the weighted sum of its terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from avelzoo.channels import MEMORY, met_by
from avelzoo.components import Term
from avelzoo.composition import returned
from avelzoo.contracts import Component
from avelzoo.errors import ChannelError
from avelzoo.records import FeatureSpec, HeadOutput, MemoryView, Targets


class SumOfTerms(Component):
    """L = sum_i w_i L_i.

    Args:
        terms: terms that train; `avelzoo.composition.building` removes all others.
        spec: sizes of the features.

    Attributes:
        weights: the weight of every term by name.

    >>> SumOfTerms(GeneralConfig().terms("full")[:2], WorldsConfig().open("full").spec).weights
    {'event': 1.0, 'relevance': 1.0}
    """

    def __init__(self, terms: Iterable[Term], spec: FeatureSpec) -> None:
        super().__init__()
        self.terms = {term.name: term for term in terms}
        self.weights = {name: term.weight for name, term in self.terms.items()}
        self._functions = {name: term.build(spec) for name, term in self.terms.items()}
        modules = {name: function for name, function in self._functions.items() if isinstance(function, nn.Module)}
        self.stateful = nn.ModuleDict(modules)

    def forward(self, output: HeadOutput, targets: Targets, view: MemoryView | None) -> dict[str, Tensor]:
        """Term name -> unweighted scalar.

        Raises:
            ChannelError: the input of a term is missing.
            PluginError: a term returns no scalar.
        """
        given = set(output.given()) | ({MEMORY} if view is not None else set())
        found = {}
        for name, term in self.terms.items():
            missing = [need for need in term.needs if not met_by(need, given)]
            if not missing:
                function = self._functions[name]
                found[name] = returned.scalar(name, function, function(output, targets, view))
            elif not term.late:
                raise ChannelError(
                    f"the loss term '{name}' has no input: no part gave {' and '.join(map(str, missing))}",
                    found=", ".join(sorted(map(str, given))),
                    fix="the part that declares the channel in `gives` must give it in every training step",
                )
        return found

    def total(self, terms: Mapping[str, Tensor], like: Tensor) -> Tensor:
        """The weighted sum of terms, a scalar with device and type of ``like``."""
        return sum((self.weights[name] * value for name, value in terms.items()), start=like.new_zeros(()))
