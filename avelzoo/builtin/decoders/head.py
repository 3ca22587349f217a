"""The default decoder: the head decides by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avelzoo.components import DecoderConfig

if TYPE_CHECKING:
    from avelzoo.contracts import Decoder, Head
    from avelzoo.records import FeatureSpec


@dataclass(frozen=True, kw_only=True)
class HeadRuleConfig(DecoderConfig):
    """The head's own rule, with its own threshold.

    >>> issubclass(HeadRuleConfig, avelzoo.DecoderConfig)
    True
    """

    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder | None:
        """None."""
        return None
