"""Short and distinct names for compositions: the recipe, and the values that differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DEFAULTS = ("recipe ", "dataset ", "default of ")
"""Beginnings of the sources of values that nobody chose for a run."""

Composition = Mapping[str, Any]
"""Content of ``composition.json``."""


def names(compositions: Sequence[Composition]) -> list[str]:
    """One name per composition, such as ``ead-b`` and ``ead-b memory.size=8``.

    A name has the recipe and what was changed in it, if other compositions of this recipe differ there: supervision,
    components, options. Where such names are equal, they have every value that differs.
    """
    short = [_short(one["recipe"]) for one in compositions]
    qualified: dict[str, set[str]] = {}
    for label, one in zip(short, compositions, strict=True):
        qualified.setdefault(label, set()).add(one["recipe"])
    heads = [
        label if len(qualified[label]) == 1 else one["recipe"] for label, one in zip(short, compositions, strict=True)
    ]
    found = [_named(heads, compositions, i, chosen=True) for i in range(len(heads))]
    if len(set(found)) < len(found):
        twice = {name for name, count in Counter(found).items() if count > 1}
        found = [
            _named(heads, compositions, i, chosen=False) if name in twice else name for i, name in enumerate(found)
        ]
    return [name if found.count(name) == 1 else f"{name} #{found[: i + 1].count(name)}" for i, name in enumerate(found)]


def _named(heads: Sequence[str], compositions: Sequence[Composition], place: int, *, chosen: bool) -> str:
    own = compositions[place]
    beside = [one for head, one in zip(heads, compositions, strict=True) if head == heads[place]]
    return " ".join([heads[place], *_suffixes(own, beside, chosen=chosen)])


def _suffixes(own: Composition, beside: Sequence[Composition], *, chosen: bool) -> Iterator[str]:
    """What tells ``own`` from the others of its recipe."""
    if len({one["supervision"] for one in beside}) > 1 and (own["supervision"] != "full" or not chosen):
        yield own["supervision"]
    for slot, row in own["slots"].items():
        alike = [one["slots"][slot] for one in beside if one["slots"].get(slot, {}).get("name") == row.get("name")]
        if len(alike) < len(beside) and (_is_replaced(row) or not chosen):
            yield f"{slot}={_short(row['name'])}"
        for option, value in row["options"].items():
            if (slot, option) in (("train", "seed"), ("dataset", "root")):
                continue
            differs = len({json.dumps(other["options"].get(option)) for other in alike}) > 1
            if differs and (_is_chosen(row, option) or not chosen):
                yield f"{slot}.{option}={_text(value)}"


def _is_replaced(row: Mapping[str, Any]) -> bool:
    """Whether the component is not the recipe's own, as far as the sources of its values tell."""
    sources = [str(source) for source in row.get("sources", {}).values()]
    return not sources or any(source.startswith("default of ") for source in sources)


def _is_chosen(row: Mapping[str, Any], option: str) -> bool:
    return not str(row.get("sources", {}).get(option, "")).startswith(DEFAULTS)


def _short(qualified: str) -> str:
    return qualified.rpartition("/")[2]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
