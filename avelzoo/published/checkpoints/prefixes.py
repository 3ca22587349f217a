"""Removal of the prefixes that training scripts add to names of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")

_MARKS = re.compile(r"(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
"""Marks that torch.compile, FSDP, activation checkpointing and Lightning Fabric insert anywhere in a name."""
WRAPPERS = ("module", "model", "net", "network", "state_dict", "ema_model", "online_model")
"""Attributes that hold the model in wrappers: data-parallel training, Lightning modules, averages."""


def without_prefixes(state: Mapping[str, T]) -> Iterator[tuple[dict[str, T], str]]:
    """Yield the weights under successively shorter names, unchanged first, each with the removed prefix.

    Removed are, in this order:

    1. Marks such as ``_orig_mod.``, anywhere in a name.
    2. A wrapper's name in front of every key, such as ``module.``, repeatedly.
    3. A wrapper's name in front of some keys: first only removed from these, then with the other keys dropped.
    4. ``module.`` inside a name, left by a wrapped part of the model.

    A first part that all keys share is removed like a wrapper's name, whatever it is. Callers try the results in this
    order, because a model may have a part that is called ``model``.
    """
    seen: set[frozenset[str]] = set()
    for names, taken in _shorter({name: name for name in state}, ""):
        keys = frozenset(names.values())
        if len(keys) == len(names) and keys not in seen:
            seen.add(keys)
            yield {short: state[name] for name, short in names.items()}, taken


def _shorter(names: dict[str, str], taken: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield full names with their short names, and the removed prefix."""
    yield names, taken
    unmarked = {name: _MARKS.sub("", short) for name, short in names.items()}
    if unmarked != names:
        marks = sorted({mark for short in names.values() for mark in _MARKS.findall(short)})
        yield from _shorter(unmarked, taken + "".join(marks))
        return
    firsts = {short.partition(".")[0] for short in names.values() if "." in short}
    shared = firsts.pop() if len(firsts) == 1 and all("." in short for short in names.values()) else None
    if shared is not None:
        yield from _shorter({name: short.partition(".")[2] for name, short in names.items()}, f"{taken}{shared}.")
        return
    for wrapper in WRAPPERS:
        prefix = f"{wrapper}."
        having = {name: short.removeprefix(prefix) for name, short in names.items() if short.startswith(prefix)}
        if having:
            yield from _shorter(names | having, taken + prefix)
            yield from _shorter(having, taken + prefix)
    plain = {name: short.replace(".module.", ".") for name, short in names.items()}
    if plain != names:
        yield from _shorter(plain, f"{taken}.module.".lstrip("."))


def is_wrapping(taken: str) -> bool:
    """Whether a removed prefix is a known wrapper's, never part of a model's own names."""
    return all(part in WRAPPERS or f"{part}." in _MARKS.findall(f"{part}.") for part in taken.rstrip(".").split("."))
