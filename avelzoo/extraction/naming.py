"""Extractors by name: registered ones, and any backbone of timm as ``timm:NAME``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avelzoo.errors import OptionError
from avelzoo.extractors import ExtractorConfig, Modality
from avelzoo.plugin.registry import Registry

TIMM = "timm"
MODEL = "model"
"""Option of the extractor ``timm`` that names the backbone."""
VISUAL = "colour-motion"
"""Visual extractor if none is named: it needs no weights."""
AUDIO = "log-mel"
"""Audio extractor if none is named: it needs no weights."""


def extractor_config(registry: Registry, name: str, options: Mapping[str, Any]) -> ExtractorConfig:
    """The extractor of this name with these options.

    Args:
        registry: registry of the extractors.
        name: a registered name, or ``timm:NAME`` for a backbone of timm.
        options: values by option, as text or plain data.

    Raises:
        UnknownNameError: no extractor has this name.
        OptionError: an option does not exist, is named twice, or has an invalid value.

    >>> from avelzoo.plugin.default import default_host
    >>> extractor_config(default_host().registry, "colour-motion", {"frames": "4"}).frames
    4
    """
    family, colon, model = name.partition(":")
    values = dict(options)
    if colon and family == TIMM:
        if values.setdefault(MODEL, model) != model:
            raise OptionError(
                "two backbones are named", found=f"{name}, and option {MODEL} = {values[MODEL]}", fix="name one"
            )
        name = TIMM
    config: ExtractorConfig = registry.get("extractor", name).target.from_dict(values)
    return config


def require_modality(config: ExtractorConfig, modality: Modality, name: str) -> None:
    """Refuse an extractor of the other modality.

    Raises:
        OptionError: the extractor's modality is not ``modality``.
    """
    if config.modality != modality:
        raise OptionError(
            f"'{name}' is not an extractor of {modality} features",
            found=f"an extractor of {config.modality} features",
            fix=f"name it with --{config.modality}; `avelzoo list extractors` lists the extractors",
        )
