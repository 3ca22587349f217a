"""From words that a user types to categories: by the table, or by the classes' own names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from avelzoo.errors import UsageError
from avelzoo.names.table import NamedCategory, positions, synonyms, table, words


def resolve(
    query: str | Iterable[str], audio: Sequence[str], visual: Sequence[str], *, where: str = ""
) -> tuple[NamedCategory, ...]:
    """Find the classes of each category, without repetition.

    A name is looked up among the table's names and their other names first, then among the classes' own names. Case,
    punctuation, plural s and -ing do not matter.

    Args:
        query: names separated by commas, or one name each, such as a data set's categories.
        audio: classes of the sound's network; empty without sound.
        visual: classes of the pictures' network; empty without pictures.
        where: option or file of the names, for error messages.

    Raises:
        UsageError: no names, or no class of either modality stands for a name; the error lists similar names.

    >>> [found.name for found in resolve("dog barking, church bell", ["Bark", "Church bell"], [])]
    ['Bark', 'Church bell']
    """
    asked = re.split(r"[,;]", query) if isinstance(query, str) else list(query)
    asked = [name.strip() for name in asked if name.strip()]
    if not asked:
        raise UsageError(
            "no event names given", where=where, expected='names separated by commas, such as "dog barking, violin"'
        )
    whole = not isinstance(query, str)
    try:
        found = [_category(name, audio, visual, whole=whole) for name in asked]
    except UsageError as error:
        error.where = where
        raise
    return tuple({category.name: category for category in found}.values())


def _category(name: str, audio: Sequence[str], visual: Sequence[str], *, whole: bool) -> NamedCategory:
    """The category of one name; a ``whole`` name stays as it is given."""
    row = next((row for row in table().values() if _stands_for(row, name)), None)
    wanted = (row.audio, row.visual) if row else _direct(name, audio, visual)
    there = [
        tuple(classes[i] for i in positions(want, classes))
        for want, classes in zip(wanted, (audio, visual), strict=True)
    ]
    if not any(there):
        raise UsageError(
            f"no class of sound or sight stands for '{name}'",
            found=f"{len(audio)} classes of sound, {len(visual)} of sight",
            expected="similar names: " + (", ".join(similar(name, audio, visual)) or "none"),
            fix="use one of the similar names, or train a system on examples of this category",
        )
    return NamedCategory(name=row.name if row and not whole else name, audio=there[0], visual=there[1])


def similar(name: str, audio: Sequence[str], visual: Sequence[str], shown: int = 5) -> list[str]:
    """Known names that share a word with a name or are spelled like it, best first."""
    known: dict[str, str] = {}
    for row in table().values():
        if positions(row.audio, audio) or positions(row.visual, visual):
            known |= {" ".join(words(other)): other for other in (*synonyms(row.name), *row.also)}
    for one in (*audio, *visual):
        known |= {" ".join(words(other)): other for other in synonyms(one)[-1:]}
    asked = words(name)
    shared = [key for key in known if set(asked) & set(key.split())]
    alike = [*get_close_matches(" ".join(asked), shared, n=shown, cutoff=0.0)]
    spelled = get_close_matches(" ".join(asked), known, n=shown, cutoff=0.7)
    return [known[key] for key in dict.fromkeys([*alike, *spelled])][:shown]


def _stands_for(row: NamedCategory, name: str) -> bool:
    return words(name) in {words(other) for other in (*synonyms(row.name), *row.also)}


def _direct(name: str, audio: Sequence[str], visual: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Classes one of whose own names is ``name``."""
    asked = words(name)
    matches = [tuple(c for c in classes if asked in map(words, synonyms(c))) for classes in (audio, visual)]
    return matches[0], matches[1]
