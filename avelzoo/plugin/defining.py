"""Decorated classes: collected when a plugin's module is loaded, otherwise kept for this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from avelzoo.config import Config

Offer = tuple[str, str, type[Config]]
"""Kind, name, config class."""

MARK = "_avelzoo_offer"
"""Attribute of a decorated class that holds its `Offer`."""

_LOADING: ContextVar[bool] = ContextVar("avelzoo_loading", default=False)
_HERE: dict[tuple[str, str], type[Config]] = {}


@contextmanager
def loading() -> Iterator[None]:
    """Mark that a plugin's code runs in the block; classes decorated there belong to that plugin."""
    token = _LOADING.set(True)
    try:
        yield
    finally:
        _LOADING.reset(token)


def is_loading() -> bool:
    """Whether a plugin's code is running."""
    return _LOADING.get()


def offers_of(plugin: Any) -> list[Offer]:
    """Decorated classes defined in a plugin's module."""
    if not isinstance(plugin, ModuleType):
        return []
    classes = [value for value in vars(plugin).values() if isinstance(value, type)]
    return [
        vars(cls)[MARK] for cls in dict.fromkeys(classes) if cls.__module__ == plugin.__name__ and MARK in vars(cls)
    ]


def remember(kind: str, name: str, config: type[Config]) -> None:
    """Keep a class defined in this process for a host created later."""
    _HERE[kind, name] = config


def defined_here() -> list[Offer]:
    """Classes defined in this process so far."""
    return [(kind, name, config) for (kind, name), config in _HERE.items()]
