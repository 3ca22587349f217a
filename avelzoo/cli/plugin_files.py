"""``--plugin FILE``: single-file plugins, loaded before the other arguments are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avelzoo.errors import UsageError

FLAG = "--plugin"


def load_plugins(argv: Sequence[str]) -> list[str]:
    """Load every plugin file that the arguments name; returns the other arguments.

    Raises:
        UsageError: the flag has no value.
        PluginError: a file cannot be read or run, or its registration is invalid.
    """
    rest: list[str] = []
    found: list[str] = []
    words = iter(argv)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag != FLAG:
            rest.append(word)
            continue
        value = value if equals else next(words, "")
        if not value:
            raise UsageError("--plugin needs a file", fix="for example: avelzoo --plugin idea.py list encoders")
        found.append(value)
    if found:
        from avelzoo.plugin.default import default_host

        for file in found:
            default_host().add_file(Path(file))
    return rest
