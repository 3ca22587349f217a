"""Completion in shells: which words an option or an argument can have.

Typer asks for completions by running the program with the words typed so far in the environment. Names come from the
registry; literal choices from the metavar of an option, such as ``full|weak``. Shells complete other words as paths.
"""

from __future__ import annotations

import inspect
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from avelzoo.components import KINDS

REQUEST = "_AVELZOO_COMPLETE"
Words = list[tuple[str, str]]
Complete = Callable[[typer.Context, str], Words]

KIND_OF = {
    **{kind: kind for kind in KINDS},
    "recipe": "recipe",
    "system": "published-code",
    "launcher": "launcher",
    "visual": "extractor",
    "audio": "extractor",
    "formats": "format",
}
"""Kind of component that a parameter of this name takes, in every command."""


def completing() -> bool:
    """Whether a shell requests completions."""
    return REQUEST in os.environ


def typed_words(environ: Mapping[str, str]) -> list[str]:
    """Complete words on the shell's line after the program's name, while it requests completions.

    The word at the cursor is left out, because it is not complete yet.
    """
    if REQUEST not in environ:
        return []
    line = environ.get("_TYPER_COMPLETE_ARGS")
    if line is None:
        words = _split(environ.get("COMP_WORDS", ""))
        cursor = environ.get("COMP_CWORD", "")
        return words[1 : int(cursor) if cursor.isdecimal() else len(words)]
    words = _split(line)
    return words[1:] if line.endswith(" ") else words[1:-1]


def join_equals(environ: MutableMapping[str, str]) -> None:
    """Rewrite bash's three words ``--encoder``, ``=``, ``st`` as the two words of ``--encoder st``."""
    try:
        words, cursor = shlex.split(environ["COMP_WORDS"]), int(environ["COMP_CWORD"])
    except (KeyError, ValueError):
        return
    for at in range(min(cursor, len(words) - 1), 1, -1):
        if words[at] == "=" and words[at - 1].startswith("--"):
            del words[at]
            cursor -= at < cursor
    environ["COMP_WORDS"], environ["COMP_CWORD"] = shlex.join(words), str(cursor)


def set_completion(command: Callable[..., Any]) -> None:
    """Give every parameter of a command that has choices or takes a component's name its completion."""
    signature = inspect.signature(command, eval_str=True)  # evaluated once: Typer must read the changed annotations
    for parameter in signature.parameters.values():
        for info in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(info, OptionInfo | ArgumentInfo) and info.autocompletion is None:
                info.autocompletion = _completion_of(parameter.name, info.metavar or "")
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}


def _completion_of(name: str, metavar: str) -> Complete | None:
    """Completion of a parameter by its literal choices and the kind of component that it takes; None without both."""
    words = metavar.split("|") if "|" in metavar else []
    choices = [word for word in words if word == word.lower()]  # words in capitals stand for values
    kinds = [KIND_OF[name]] if name in KIND_OF and (not choices or len(choices) < len(words)) else []
    if not choices and not kinds:
        return None

    def complete(ctx: typer.Context, incomplete: str) -> Words:
        named = names_of(*kinds)(ctx, incomplete) if kinds else []
        return [*words_of(*choices)(ctx, incomplete), *named]

    return complete


def words_of(*words: str) -> Complete:
    """Completion by fixed words."""

    def complete(ctx: typer.Context, incomplete: str) -> Words:
        return [(word, "") for word in words if word.startswith(incomplete)]

    return complete


def names_of(*kinds: str) -> Complete:
    """Completion by the names of registered components of some kinds, or of all, with their summaries."""

    def complete(ctx: typer.Context, incomplete: str) -> Words:
        found = dict(name for kind in kinds or (None,) for name in _names(kind))
        return [(name, text) for name, text in found.items() if name.startswith(incomplete)]

    return complete


def kinds_and_names(ctx: typer.Context, incomplete: str) -> Words:
    """Completion of ``[KIND] NAME``, first word: kinds, then all names."""
    from avelzoo.cli.catalogue import PLURALS

    return [*words_of(*PLURALS)(ctx, incomplete), *names_of()(ctx, incomplete)]


def names_of_kind(ctx: typer.Context, incomplete: str) -> Words:
    """Completion of ``[KIND] NAME``, second word: names of the kind."""
    from avelzoo.cli.catalogue import PLURALS

    word = str(ctx.params.get("what") or "").lower()
    kinds = [one for one, many in PLURALS.items() if word in (one, many)]
    return names_of(*kinds)(ctx, incomplete) if kinds else []


def plugins_and_components(ctx: typer.Context, incomplete: str) -> Words:
    """Completion by names of plugins and of components that have checks."""
    from avelzoo.components import BASES
    from avelzoo.plugin.default import default_host

    plugins = dict.fromkeys(entry.plugin for entry in default_host().registry.entries())
    return [*words_of(*plugins)(ctx, incomplete), *names_of(*BASES)(ctx, incomplete)]


def weights_names(ctx: typer.Context, incomplete: str) -> Words:
    """Completion by files of weights and extractors."""
    from avelzoo.plugin.default import default_host
    from avelzoo.weights.catalogue import known_weights

    files = [known.file.name for known in known_weights(default_host().registry)]
    words = [*words_of(*files)(ctx, incomplete), *names_of("extractor")(ctx, incomplete)]
    return list({word: (word, text) for word, text in reversed(words)}.values())[::-1]


def _names(kind: str | None) -> Iterator[tuple[str, str]]:
    from avelzoo.plugin.default import default_host

    for entry in default_host().registry.entries(kind):
        # Zsh reads the text inside quotation marks and brackets of its own.
        yield entry.name, "".join(c for c in entry.summary if c not in "()[]\"'`$\\")


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # an open quotation mark
        return line.split()
