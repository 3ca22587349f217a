"""Plain data as YAML. Reading YAML needs a library; writing this much of it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Text that every YAML version reads as the same text without quotation marks.
_PLAIN = re.compile(r"[A-Za-z][\w./-]*(?: [\w./-]+)*", re.ASCII)
_OTHER = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def yaml_text(data: Mapping[str, Any] | Sequence[Any]) -> str:
    """Mappings, sequences, text, numbers, booleans and None as block-style YAML, keys in order.

    >>> print(yaml_text({"tags": ["video", "50 %"], "value": 0.5}), end="")
    tags:
    - video
    - "50 %"
    value: 0.5
    """
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if _is_block(value):
                yield f"{_scalar(key)}:"
                indent = "  " if isinstance(value, Mapping) else ""
                yield from (indent + line for line in _lines(value))
            else:
                yield f"{_scalar(key)}: {_scalar(value)}"
    else:
        for value in data:
            first, *rest = _lines(value) if _is_block(value) else [_scalar(value)]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)


def _is_block(value: Any) -> bool:
    return bool(value) and isinstance(value, Mapping | list | tuple)


def _scalar(value: Any) -> str:
    """A scalar, or an empty collection. JSON's strings, numbers and words are YAML's."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _OTHER:
        return value
    return json.dumps(value, allow_nan=False)
