"""avelzoo: audio-visual event localization, every published system in one house.

Names are imported when first used, so that ``import avelzoo`` costs nothing and never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from avelzoo.version import __version__

if TYPE_CHECKING:  # the same names as in _HOME, for type checkers
    from avelzoo.api import load_run as load_run, recipes as recipes, run as run
    from avelzoo.components import (
        DatasetConfig as DatasetConfig,
        EncoderConfig as EncoderConfig,
        HeadConfig as HeadConfig,
        MemoryConfig as MemoryConfig,
        ObjectiveConfig as ObjectiveConfig,
        Supervision as Supervision,
    )
    from avelzoo.config import Bounds as Bounds, Help as Help
    from avelzoo.contracts import (
        Dataset as Dataset,
        Encoder as Encoder,
        Head as Head,
        Memory as Memory,
        Objective as Objective,
        Split as Split,
    )
    from avelzoo.errors import AvelzooError as AvelzooError
    from avelzoo.hookspecs import hookimpl as hookimpl
    from avelzoo.interop import OfficialSystem as OfficialSystem
    from avelzoo.recipe import Published as Published, Recipe as Recipe, TrainConfig as TrainConfig
    from avelzoo.records import (
        Batch as Batch,
        Decoded as Decoded,
        Encoded as Encoded,
        FeatureSpec as FeatureSpec,
        MemoryView as MemoryView,
        Metric as Metric,
        Predictions as Predictions,
        Targets as Targets,
        Unimodal as Unimodal,
        Widths as Widths,
    )

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

__all__ = ["__version__", *_WHERE]  # noqa: PLE0604 - every key of _WHERE is a string


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'avelzoo' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
