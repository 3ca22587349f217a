"""Installed plugins: entry points, and those that the environment allows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import Distribution, EntryPoint, distributions

GROUP = "avelzoo"


def entry_points() -> list[tuple[EntryPoint, Distribution]]:
    """Entry points of the group with their distributions, each distribution once, sorted by name."""
    found: dict[tuple[str, str], tuple[EntryPoint, Distribution]] = {}
    for dist in distributions():
        try:
            ours = [point for point in dist.entry_points if point.group == GROUP]
            name = dist.name if ours else ""
        except Exception:  # noqa: BLE001, S112 - the metadata of another package may be damaged
            continue
        for point in ours:
            found.setdefault((name, point.name), (point, dist))
    return [found[key] for key in sorted(found)]


def is_allowed(name: str, environ: Mapping[str, str]) -> bool:
    """Whether ``AVELZOO_LOAD_PLUGINS`` and ``AVELZOO_DISABLE_PLUGINS`` allow a plugin."""
    allowed = environ.get("AVELZOO_LOAD_PLUGINS")
    blocked = environ.get("AVELZOO_DISABLE_PLUGINS", "")
    return name not in _names(blocked) and (allowed is None or name in _names(allowed))


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}
