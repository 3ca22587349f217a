"""Options of the built-in transforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avelzoo.components import Supervision, TransformConfig

if TYPE_CHECKING:
    from avelzoo.contracts import Transform
    from avelzoo.records import FeatureSpec


@dataclass(frozen=True, kw_only=True)
class NoTransformConfig(TransformConfig):
    """No augmentation: training uses the stored features unchanged.

    >>> issubclass(NoTransformConfig, avelzoo.TransformConfig)
    True
    """

    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform | None:
        """None."""
        return None
