"""Files with groups of videos: CSV or JSON, by category or by video."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.data.reading.categories import folded, read_text
from avelzoo.errors import DataError, did_you_mean, printable, some
from avelzoo.metrics import Truth
from avelzoo.metrics.arrays import BoolArray
from avelzoo.metrics.groups import modality_groups

FORMS = (
    "CSV with a header category,group or video,group; JSON {group: [category or video, ...]};"
    " or a file of `avelzoo data modality`"
)


def file_groups(path: Path, truth: Truth, video_ids: Sequence[str]) -> Mapping[str, BoolArray]:
    """Groups of videos of a file: name -> (v) bool, in the order of the file. Groups may overlap.

    Args:
        path: CSV file ``category,group`` or ``video,group``; JSON file ``{"group": ["category or video", ...]}``, or as
            `avelzoo data modality` writes it.
        truth: truth of v videos.
        video_ids: their names.

    Raises:
        DataError: the file is missing or damaged, names an unknown category or video, or has no video of these.
    """
    text = read_text(path, subject="groups", expected=FORMS)
    if not text.lstrip().startswith(("{", "[")):
        found = _csv_groups(path, text, truth, video_ids)
    else:
        data = _parsed(path, text)
        found = _modality(path, data["led"], truth) if "led" in data else _members(path, data, truth, video_ids)
    found = {group: inside for group, inside in found.items() if inside.any()}
    if not found:
        raise DataError("no group has a video of the split", where=str(path), expected=FORMS)
    return found


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise DataError(
            "the file of groups cannot be read", where=str(path), found=str(error), expected=FORMS
        ) from error
    fits = isinstance(data, dict) and (isinstance(data.get("led"), dict) or all(map(_names, data.values())))
    if not fits:
        raise DataError("the file of groups has the wrong form", where=str(path), expected=FORMS)
    read: dict[str, Any] = data
    return read


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _modality(path: Path, led: Mapping[str, Any], truth: Truth) -> dict[str, BoolArray]:
    lacking = [name for name in truth.categories if not isinstance(led.get(name), str)]
    if lacking:
        raise DataError(
            "the file of modalities is about other categories",
            where=str(path),
            found=f"none of: {some(lacking)}" if len(lacking) == len(truth.categories) else f"no {some(lacking)}",
            expected="one entry per category of the data",
            fix="make the file again from the data of the runs, with `avelzoo data modality`",
        )
    return dict(modality_groups(truth, {name: led[name] for name in truth.categories}))


def _members(path: Path, data: Mapping[str, list[str]], truth: Truth, ids: Sequence[str]) -> dict[str, BoolArray]:
    known, found = _known(truth, ids), dict[str, BoolArray]()
    for group, names in data.items():
        unknown = [name for name in names if name not in known]
        if unknown:
            raise DataError(
                "a group names neither a video of the split nor a category",
                where=f"{path}, group '{printable(group)}'",
                found=some([printable(name) for name in unknown]),
                expected=f"videos such as {ids[0]}, or categories such as {truth.categories[0]}",
            )
        found[printable(group)] = np.any([known[name] for name in names], axis=0) if names else np.zeros(len(ids), bool)
    return found


def _known(truth: Truth, ids: Sequence[str]) -> dict[str, BoolArray]:
    """The videos of each category and of each name."""
    names = np.array(ids)
    return {str(name): names == name for name in np.unique(names)} | {
        name: truth.events == number for number, name in enumerate(truth.categories)
    }


def _csv_groups(path: Path, text: str, truth: Truth, ids: Sequence[str]) -> dict[str, BoolArray]:
    lines = _lines(text)
    number, header = next(lines, (1, [""]))
    kind = header[0].lower()
    if [kind in ("category", "video"), *(name.lower() for name in header[1:])] != [True, "group"]:
        raise DataError(
            "a file of groups has the wrong header",
            where=f"{path}, line {number}",
            found=some([printable(name) for name in header], 6),
            expected=FORMS,
        )
    keys = {folded(name): i for i, name in enumerate(truth.categories)}
    names, found, seen = np.array(ids), dict[str, BoolArray](), set[str]()
    for number, line in lines:
        where = f"{path}, line {number}"
        if len(line) != 2 or not all(line):
            told = printable(",".join(line))
            raise DataError("a line has the wrong number of fields", where=where, found=told, expected=FORMS)
        name, group = line[0], printable(line[1])
        key = folded(name) if kind == "category" else name
        if key in seen:
            raise DataError(f"a {kind} is in two lines", where=where, found=printable(name), expected="every one once")
        seen.add(key)
        if kind == "category" and key not in keys:
            hint = did_you_mean(name, truth.categories)
            raise DataError(f"a category is not among the labels{hint}", where=where, found=printable(name))
        inside = truth.events == keys[key] if kind == "category" else names == name
        found[group] = found.get(group, np.zeros(len(names), dtype=np.bool_)) | inside
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Numbers and fields of lines that are not empty."""
    for number, fields in enumerate(csv.reader(io.StringIO(text)), 1):
        if any(field.strip() for field in fields):
            yield number, [field.strip() for field in fields]
