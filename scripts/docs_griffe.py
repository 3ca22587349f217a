"""Shows the examples of docstrings as code on the pages of the API; Markdown takes lines with `>>>` for quotations."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^.*\S.*\n?)*)+", re.MULTILINE)


class Doctests(griffe.Extension):
    """Puts every example of a docstring, with its output, into a fence."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence the examples of one object's docstring."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
