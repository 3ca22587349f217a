"""First pass over the arguments: find the composition, whose options the second pass needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from avelzoo.components import KINDS

FLAGS = frozenset({"--resume", "--dry-run", "--json", "--quiet", "--help", "--test-curve", "--no-test-curve"})
"""Options of `run` without a value. All other options, dotted ones included, have a value."""

REPEATABLE = frozenset({"--set", "--sweep"})
"""Options of `run` that may be given several times."""

_DOTTED = re.compile(r"^--[a-z]+\.[^=]+")


@dataclass
class Arguments:
    """Result of the first pass.

    Attributes:
        recipe: the first argument that is neither an option nor an option's value.
        slots: component names by slot.
        values: values of all other options, by name.
        flags: options without a value.
        dotted: options ``--slot.option`` with their values.
        twice: options of one value that were given two different values.
    """

    recipe: str | None = None
    slots: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    dotted: dict[str, str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    @property
    def help(self) -> bool:
        """Whether ``--help`` was given."""
        return "--help" in self.flags


def prescan(argv: Sequence[str]) -> Arguments:
    """Read the arguments after the command's name, without validation."""
    seen = Arguments()
    words = iter(argv)
    for word in words:
        if word == "--":
            seen.recipe = seen.recipe or next(words, None)
            break
        if not word.startswith("-"):
            seen.recipe = seen.recipe or word
        elif word in FLAGS:
            seen.flags.add(word)
        else:
            option, equals, value = word.partition("=")
            if not equals:
                value = next(words, "")
            name = option.removeprefix("--")
            known = seen.dotted if "." in name else seen.slots if name in KINDS else seen.values
            key = option if "." in name else name
            if known.get(key, value) != value and option not in REPEATABLE:
                seen.twice.append(option)
            known[key] = value
    return seen


def normalise(argv: Sequence[str]) -> list[str]:
    """Rewrite ``--slot.some-option`` as ``--slot.some_option``, the option's name."""
    return [_DOTTED.sub(lambda found: "--" + found[0][2:].replace("-", "_"), word) for word in argv]
