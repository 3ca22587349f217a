"""Groups of videos: run length, category, and those of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avelzoo.auditing.floors import part
from avelzoo.auditing.reading.entries import fault, shown_keys
from avelzoo.auditing.reading.tables import table_lines
from avelzoo.auditing.records import Part
from avelzoo.data.reading.categories import folded
from avelzoo.errors import did_you_mean, printable
from avelzoo.metrics import SplitLabels, category_groups, run_length_groups, seen_groups
from avelzoo.statistics import Counts

FORM = "a header category,group or video,group, then a line per category or video"
Masks = Mapping[str, NDArray[np.bool_]]


def read_groups(path: Path, labels: SplitLabels) -> Masks:
    """Groups of a CSV file: a category or a video per line, and the name of its group, in the order of the file.

    Raises:
        DataError: the file is missing or damaged, names an unknown category or video, or no video of the split.
    """
    lines = table_lines(path)
    header = [name.strip().lower() for name in lines[0][1]]
    if len(header) != 2 or header[0] not in ("category", "video") or header[1] != "group":
        raise fault(path, "line 1", "a file of groups has the wrong header", found=shown_keys(header), expected=FORM)
    truth, by_category = labels.truth, header[0] == "category"
    keys = {folded(name): i for i, name in enumerate(truth.categories)} if by_category else {}
    names, found = np.array(labels.video_ids), dict[str, NDArray[np.bool_]]()
    seen: dict[str, int] = {}
    for number, line in lines[1:]:
        where = f"line {number}"
        if len(line) != 2 or not all(field.strip() for field in line):
            raise fault(path, where, "a line has the wrong number of fields", found=",".join(line), expected=FORM)
        name, group = line[0].strip(), printable(line[1].strip())
        key = folded(name) if by_category else name
        if key in seen:
            raise fault(path, where, f"a {header[0]} is in two lines", found=name, expected="every one once")
        seen[key] = number
        if by_category and key not in keys:
            hint = did_you_mean(name, truth.categories)
            raise fault(path, where, f"a category is not among the labels{hint}", found=name)
        mask = truth.events == keys[key] if by_category else names == name
        found[group] = found.get(group, np.zeros(len(names), dtype=np.bool_)) | mask
    found = {group: mask for group, mask in found.items() if mask.any()}
    if not found:
        raise fault(path, "", "no group has a video of the split", expected=FORM)
    return found


def group_parts(counts: Counts, labels: SplitLabels, file: Masks | None) -> dict[str, tuple[Part, ...]]:
    """Scores of all groups, by grouping."""
    groupings: dict[str, Masks] = {
        "run length": run_length_groups(labels.truth),
        "category": category_groups(labels.truth),
    }
    if labels.seen:
        groupings["seen in training"] = seen_groups(labels.truth, labels.seen)
    if file is not None:
        groupings["groups of the file"] = file
    return {name: tuple(_parts(counts, labels, masks)) for name, masks in groupings.items()}


def _parts(counts: Counts, labels: SplitLabels, masks: Masks) -> Iterator[Part]:
    return (part(name, counts, labels.truth, mask) for name, mask in masks.items())
