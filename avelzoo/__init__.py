"""avelzoo: audio-visual event localization, every published system in one house.

Names are imported when first used, so that ``import avelzoo`` costs nothing and never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from avelzoo.version import __version__

_HOME = {
    "avelzoo.components": (
        "DatasetConfig",
        "EncoderConfig",
        "HeadConfig",
        "MemoryConfig",
        "ObjectiveConfig",
        "Supervision",
    ),
    "avelzoo.config": ("Bounds", "Help"),
    "avelzoo.contracts": ("Dataset", "Encoder", "Head", "Memory", "Objective", "Split"),
    "avelzoo.records": (
        "Batch",
        "Decoded",
        "Encoded",
        "FeatureSpec",
        "MemoryView",
        "Metric",
        "Predictions",
        "Targets",
        "Unimodal",
        "Widths",
    ),
    "avelzoo.recipe": ("Published", "Recipe", "TrainConfig"),
    "avelzoo.hookspecs": ("hookimpl",),
    "avelzoo.errors": ("AvelzooError",),
    "avelzoo.interop": ("OfficialSystem",),
    "avelzoo.api": ("load_run", "recipes", "run"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted([*_WHERE, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'avelzoo' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
