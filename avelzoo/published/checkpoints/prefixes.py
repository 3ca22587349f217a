"""Names of weights without what training scripts put before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")

_MARKS = re.compile(r"(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
"""What torch.compile, FSDP, activation checkpointing and Lightning Fabric write into names, wherever it stands."""
WRAPPERS = ("module", "model", "net", "network", "state_dict", "ema_model", "online_model")
"""Attributes in which wrappers hold the model: data-parallel training, Lightning modules, averages."""


def without_prefixes(state: Mapping[str, T]) -> Iterator[tuple[dict[str, T], str]]:
    """The weights under ever shorter names, as they are first; with each, what was taken off.

    1. Marks such as ``_orig_mod.``, wherever they stand.
    2. A wrapper's name before every key, such as ``module.``, again and again.
    3. The same where not every key has it: from those that have it; then those keys alone.
    4. ``module.`` inside a name, which a wrapped part of a model leaves.

    A first part that all keys share is taken off like a wrapper's name, whatever it is.

    Whoever asks tries them in this order: a model may well have a part that is called ``model``.
    """
    seen: set[frozenset[str]] = set()
    for names, taken in _shorter({name: name for name in state}, ""):
        keys = frozenset(names.values())
        if len(keys) == len(names) and keys not in seen:
            seen.add(keys)
            yield {short: state[name] for name, short in names.items()}, taken


def _shorter(names: dict[str, str], taken: str) -> Iterator[tuple[dict[str, str], str]]:
    """Full names with their short ones, and what was taken off."""
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
    """Whether what was taken off is known to be no part of any model's own names."""
    return all(part in WRAPPERS or f"{part}." in _MARKS.findall(f"{part}.") for part in taken.rstrip(".").split("."))
