"""Options of the built-in decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from avelzoo.components import DecoderConfig
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import Decoder, Head
    from avelzoo.records import FeatureSpec


@dataclass(frozen=True, kw_only=True)
class MarginConfig(DecoderConfig):
    """The head's fixed threshold or margin (eq. 21), even where the head would use the one chosen on val.

    >>> issubclass(MarginConfig, avelzoo.DecoderConfig)
    True
    """

    def build(self, spec: FeatureSpec, head: Head) -> Decoder:
        from avelzoo.builtin.decoders.threshold import Margin

        return Margin(head)


@dataclass(frozen=True, kw_only=True)
class ThresholdConfig(DecoderConfig):
    """One threshold of the relevance, chosen on val by segment accuracy.

    >>> ThresholdConfig(threshold=0.3).threshold
    0.3
    """

    threshold: Annotated[
        float, Help("relevance above which a segment is an event; the default before val"), Bounds(min=0, max=1)
    ] = 0.5

    def build(self, spec: FeatureSpec, head: Head) -> Decoder:
        from avelzoo.builtin.decoders.threshold import RelevanceThreshold

        return RelevanceThreshold(self.threshold)
