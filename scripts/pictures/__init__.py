"""Pictures of the README and the documentation that need only what the repository holds."""

from __future__ import annotations

from pathlib import Path

from pictures import components, cost, flow, results, rules, world
from pictures.tables import DOCS

DRAWN = {
    "diagram-flow": flow.wide,
    "flow-narrow": flow.narrow,
    "diagram-st-fusion": components.st_fusion,
    "diagram-heads": components.heads,
    "diagram-bank": components.bank,
    "diagram-decoders": rules.decoders,
    "schedules": rules.schedules,
    "worlds": results.heads,
    "worlds-memories": results.memories,
    "recipes-on-worlds": results.recipes,
    "diagram-worlds": world.cues,
    "performance-shares": cost.shares,
    "performance-steps": cost.steps,
    "growth": cost.growth,
    "scale-storage": cost.storage,
    "scale-bank": cost.bank,
}
"""File name in docs/pictures -> what draws it."""


def pictures() -> dict[Path, str]:
    """Every picture's file and content."""
    return {DOCS / "pictures" / f"{name}.svg": draw() for name, draw in DRAWN.items()}
