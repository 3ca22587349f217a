"""Names of event categories as classes of published networks: AudioSet's for sound, ImageNet's for pictures."""

from __future__ import annotations

from avelzoo.names.resolving import resolve
from avelzoo.names.scoring import AGREEMENT, category_scores, predictions
from avelzoo.names.table import NamedCategory, table

__all__ = ["AGREEMENT", "NamedCategory", "category_scores", "predictions", "resolve", "table"]
