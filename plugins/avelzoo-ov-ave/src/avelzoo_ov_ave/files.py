"""The two files of labels: which clip is in which split, and which of its segments hold the event."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, first_line, printable, reason

SPLITS = ("train", "val", "test")
COLUMNS = ("split", "cls_name", "cls_type", "vid_name")
SEEN = {"close": True, "closed": True, "seen": True, "open": False, "unseen": False}
"""Words of the column ``cls_type``: whether training has the category."""
_ENCODING = "utf-8-sig"


@dataclass(frozen=True)
class Clip:
    """A line of the split file.

    Attributes:
        name: name of the clip.
        split: train, val or test.
        category: its category.
        seen: whether training has the category.
        line: number of the line.
    """

    name: str
    split: str
    category: str
    seen: bool
    line: int


def read_split_file(path: Path) -> tuple[Clip, ...]:
    """Clips in the order of the file.

    Raises:
        DataError: the file is missing or damaged, lacks a column, names a clip twice or a category of both types.
    """
    rows = list(csv.reader(_text(path).splitlines()))
    header = [name.strip().lower() for name in rows[0]] if rows else []
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(
            f"the split file lacks the column '{missing[0]}'",
            where=f"{path}, line 1",
            found=", ".join(header)[:200] or "an empty file",
            expected=f"a header with {', '.join(COLUMNS)}",
        )
    at = [header.index(name) for name in COLUMNS]
    clips: dict[str, Clip] = {}
    types: dict[str, Clip] = {}
    for line, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        clip = _clip(path, line, row, at)
        first = clips.setdefault(clip.name, clip)
        if first is not clip:
            where = f"{path}, line {line}"
            raise DataError("a clip is listed twice", where=where, found=f"{clip.name}, also in line {first.line}")
        other = types.setdefault(clip.category, clip)
        if other.seen != clip.seen:
            raise DataError(
                f"the category '{clip.category}' is both seen and unseen",
                where=f"{path}, line {line}",
                found=f"another cls_type than in line {other.line}",
                expected="one cls_type per category",
            )
    if not clips:
        raise DataError("the split file names no clip", where=str(path))
    return tuple(clips.values())


def _clip(path: Path, line: int, row: Sequence[str], at: Sequence[int]) -> Clip:
    where = f"{path}, line {line}"
    if len(row) <= max(at):
        raise DataError(
            "a line of the split file is too short",
            where=where,
            found=printable(",".join(row))[:100],
            expected=f"at least {max(at) + 1} fields",
        )
    split, category, kind, name = (row[i].strip() for i in at)
    checks = (("split", split, SPLITS), ("cls_type", kind.lower(), tuple(SEEN)))
    for column, value, known in checks:
        if value not in known:
            raise DataError(
                f"the column '{column}' has an unknown word",
                where=where,
                found=printable(value)[:60] or "nothing",
                expected=", ".join(known),
            )
    if not name or not category:
        raise DataError("a clip has no name or no category", where=where, found=printable(",".join(row))[:100])
    return Clip(name, split, category, SEEN[kind.lower()], line)


def read_annotations(path: Path) -> dict[str, Any]:
    """Annotation of each clip, not interpreted yet.

    Raises:
        DataError: the file is missing or damaged, or is no mapping of clips.
    """
    try:
        data = json.loads(_text(path), object_pairs_hook=_without_duplicates)
    except ValueError as error:
        raise DataError("not a JSON file", where=str(path), found=first_line(error)) from error
    except RecursionError as error:
        raise DataError("a JSON file is nested too deeply", where=str(path)) from error
    keys = list(data)[:6] if isinstance(data, dict) else []
    if not isinstance(data, dict) or {"images", "annotations"} <= data.keys():
        raise DataError(
            "the annotations have an unknown layout",
            where=str(path),
            found=f"keys {', '.join(map(printable, keys))}" if keys else f"a {type(data).__name__}",
            expected='a mapping of clips: {"CLIP": {"category": "NAME", "label": [0, 1, ...]}, ...}',
            fix="rewrite the file in this layout; docs/ov-ave.md lists the accepted ones",
        )
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key '{printable(twice)}' occurs twice")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(_ENCODING)
    except UnicodeDecodeError as error:
        raise DataError("not a text file in UTF-8", where=str(path), found=first_line(error)) from error
    except OSError as error:
        raise DataError("the file cannot be read", where=str(path), found=reason(error)) from error
