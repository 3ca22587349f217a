"""First pass over the arguments: which composition they speak of, so that the second pass knows its options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from avelzoo.components import KINDS

FLAGS = frozenset({"--resume", "--dry-run", "--json", "--quiet", "--help", "--test-curve", "--no-test-curve"})
"""Options of `run` that take no value. All others do, dotted ones included: that is what keeps this pass simple."""

REPEATABLE = frozenset({"--set", "--sweep"})
"""Options of `run` that may be given several times."""

_DOTTED = re.compile(r"^--[a-z]+\.[^=]+")


@dataclass
class Arguments:
    """What the first pass saw.

    Attributes:
        recipe: the first argument that is neither an option nor an option's value.
        slots: component names by slot.
        values: value of every other option seen, by name.
        flags: the options without a value that were used.
        dotted: the options ``--slot.option`` that were used, with their values.
        twice: options with one value that were given two different ones.
    """

    recipe: str | None = None
    slots: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    dotted: dict[str, str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    @property
    def help(self) -> bool:
        """Whether help was asked for."""
        return "--help" in self.flags


def prescan(argv: Sequence[str]) -> Arguments:
    """Read the arguments after the command's name, without judging them."""
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
    """The arguments with ``--slot.some-option`` spelled as the option is: ``--slot.some_option``."""
    return [_DOTTED.sub(lambda found: "--" + found[0][2:].replace("-", "_"), word) for word in argv]
