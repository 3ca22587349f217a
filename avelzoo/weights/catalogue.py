"""All files of weights that registered extractors need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from avelzoo.config import options
from avelzoo.extractors import ExtractorConfig, WeightsFile
from avelzoo.plugin.registry import Registry


@dataclass(frozen=True)
class KnownWeights:
    """A file of weights and the extractors that need it.

    Attributes:
        file: the file.
        extractors: names of extractors, with the option that asks for the file if it is not the default:
            ``vgg19 source=imagenet``.
    """

    file: WeightsFile
    extractors: tuple[str, ...]


def known_weights(registry: Registry) -> tuple[KnownWeights, ...]:
    """Files of all registered extractors by name: those of the default settings and of each choice of an option."""
    users: dict[str, tuple[WeightsFile, list[str]]] = {}
    for entry in registry.entries("extractor"):
        for config, label in _variants(entry.target, entry.name):
            for file in config.weights():
                _, labels = users.setdefault(file.name, (file, []))
                if not any(label.startswith(known) for known in labels):
                    labels.append(label)
    return tuple(KnownWeights(file, tuple(labels)) for _, (file, labels) in sorted(users.items()))


def _variants(cls: type[ExtractorConfig], name: str) -> Iterator[tuple[ExtractorConfig, str]]:
    yield cls(), name
    for option in options(cls):
        for choice in option.choices:
            if choice != option.default:
                yield cls.from_dict({option.name: choice}), f"{name} {option.name}={choice}"
