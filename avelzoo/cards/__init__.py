"""Model cards and files of evaluation results of runs, as model hubs read them. Nothing is uploaded."""

from __future__ import annotations

from avelzoo.cards.card import Card, make_card

__all__ = ["Card", "make_card"]
