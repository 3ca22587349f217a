"""The table of AVE's 28 categories, and comparison of names by their words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class NamedCategory:
    """A category and the classes that stand for it.

    Attributes:
        name: name of the category.
        audio: AudioSet classes, as YAMNet names them; empty if no class of sound fits.
        visual: ImageNet classes; empty if no class of pictures fits.
        also: other names that people use.

    >>> NamedCategory(name="Helicopter", audio=("Helicopter",), visual=()).notice
    "'Helicopter' has no class of pictures: decided by sound alone"
    """

    name: str
    audio: tuple[str, ...]
    visual: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def notice(self) -> str:
        """What a user should know about this category; empty if both modalities have a class."""
        if self.audio and self.visual:
            return ""
        lacking, by = ("pictures", "sound") if self.audio else ("sound", "sight")
        return f"'{self.name}' has no class of {lacking}: decided by {by} alone"


@cache
def table() -> Mapping[str, NamedCategory]:
    """AVE's categories by name, in AVE's order.

    >>> table()["Bark"].audio, len(table()["Bark"].visual)
    (('Bark',), 118)
    """
    rows = json.loads(files("avelzoo.names").joinpath("ave.json").read_text(encoding="utf-8"))
    return {
        name: NamedCategory(name=name, **{field: tuple(values) for field, values in row.items()})
        for name, row in rows.items()
    }


def words(name: str) -> tuple[str, ...]:
    """The words of a name without case, punctuation, plural s and -ing, for comparison.

    >>> words("Dogs barking!")
    ('dog', 'bark')
    """
    return tuple(_stem(word) for word in re.findall(r"\w+", name.casefold().replace("'s", "")))


def synonyms(name: str) -> tuple[str, ...]:
    """A class's name and the names that commas separate in it.

    >>> synonyms("tabby, tabby cat")
    ('tabby, tabby cat', 'tabby', 'tabby cat')
    """
    return tuple(dict.fromkeys([name, *(part.strip() for part in name.split(","))]))


def positions(wanted: Iterable[str], classes: Iterable[str]) -> tuple[int, ...]:
    """Positions of the wanted classes: by the whole name, otherwise by a first name that only one class has."""
    return _positions(tuple(wanted), tuple(classes))


@lru_cache(maxsize=256)  # every window of every video asks the same
def _positions(wanted: tuple[str, ...], classes: tuple[str, ...]) -> tuple[int, ...]:
    whole: dict[tuple[str, ...], int] = {}
    first: dict[tuple[str, ...], list[int]] = {}
    for index, name in enumerate(classes):
        whole.setdefault(words(name), index)
        first.setdefault(words(name.partition(",")[0]), []).append(index)
    found = []
    for name in wanted:
        alone = first.get(words(name.partition(",")[0]), [])
        if words(name) in whole:
            found.append(whole[words(name)])
        elif len(alone) == 1:
            found.append(alone[0])
    return tuple(dict.fromkeys(found))


def _stem(word: str) -> str:
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
