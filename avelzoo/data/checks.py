"""Checks of the small files: annotations, order files, label files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from avelzoo.data.annotations import Annotations
from avelzoo.data.findings import Finding, listed
from avelzoo.data.h5 import H5Array
from avelzoo.data.labels import RULES, count_negatives
from avelzoo.data.layout import ANNOTATIONS, NEGATIVE_LABELS, ORDERS, SHARES
from avelzoo.data.orders import overlaps, read_order
from avelzoo.errors import DataError

BLOCK = 4096  # rows of labels compared at a time
STRICT = ("labels_closs.h5", "mil_labels.h5")
"""In AVE these follow from the annotations without exception; the other label files are variants."""


def check_annotations(annotations: Annotations) -> Iterator[Finding]:
    """Events without a segment, repeated videos, categories that differ in spelling alone."""
    empty = [row.line for row in annotations.rows if row.empty]
    if empty:
        yield Finding(
            "warning",
            ANNOTATIONS,
            "videos with a category and no event segment (0&0)",
            listed(empty, "line"),
            fix="nothing, if it is AVE's line 27; such a video counts as background in every segment",
        )
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(annotations.rows):
        by_id[row.video_id].append(number)
    repeated = {video: rows for video, rows in by_id.items() if len(rows) > 1}
    if repeated:
        rows = sum(map(len, repeated.values())) - len(repeated)
        yield Finding(
            "note",
            ANNOTATIONS,
            "videos that occur in several rows",
            f"{len(repeated)} videos, {rows} rows more than videos",
        )
    twice = [video for video, rows in repeated.items() if len(set(annotations.events[rows].tolist())) < len(rows)]
    if twice:
        yield Finding(
            "warning",
            ANNOTATIONS,
            "videos that occur twice under the same category",
            ", ".join(twice[:5]),
            fix="remove one of the lines together with its row in every other file, or leave it out of the order files",
        )
    spellings: dict[str, set[str]] = defaultdict(set)
    for name in annotations.categories:
        spellings["".join(filter(str.isalnum, name)).casefold()].add(name)
    for names in spellings.values():
        if len(names) > 1:
            yield Finding(
                "warning",
                ANNOTATIONS,
                "category names that differ in spelling alone count as different categories",
                " | ".join(sorted(names)),
                fix="spell them alike if they mean the same",
            )


def check_orders(root: Path, annotations: Annotations) -> Iterator[Finding]:
    """Order files one by one, then what they share and what they leave out."""
    orders: dict[str, np.ndarray] = {}
    for name, file in ORDERS.items():
        if not (root / file).is_file():
            continue
        try:
            orders[name] = read_order(root / file, len(annotations))
        except DataError as error:
            yield Finding.of(error, file)
    for fault in overlaps(root, orders):
        yield Finding.of(fault, Path(fault.where).name)
    if set(orders) != set(ORDERS):
        return
    unused = np.setdiff1d(np.arange(len(annotations)), np.concatenate(list(orders.values())))
    if unused.size:
        yield Finding("warning", "*_order.h5", "rows that are in no split", listed(unused))
    absent = sorted(set(range(len(annotations.categories))) - set(annotations.events[orders["train"]].tolist()))
    if absent:
        names = ", ".join(annotations.categories[i] for i in absent[:5])
        yield Finding("warning", ORDERS["train"], "categories without a training video", names)
    ids = np.array(annotations.video_ids)
    leaks = {name: int(np.isin(ids[orders[name]], ids[orders["train"]]).sum()) for name in ("val", "test")}
    if any(leaks.values()):
        yield Finding(
            "warning",
            "*_order.h5",
            "videos of val or test also occur in train, under another row",
            f"{leaks['val']} val rows, {leaks['test']} test rows",
            "10 and 8 in AVE's own splits",
            "leave them out with --set dataset.exclude_leaks=true",
        )


def check_labels(root: Path, annotations: Annotations, t: int) -> Iterator[Finding]:
    """Every label file against the annotations."""
    try:
        segments = annotations.segments(t)
    except DataError as error:
        yield Finding.of(error, ANNOTATIONS)
        return
    for name in RULES:
        if (root / name).is_file():
            try:
                yield from _check_rule(root / name, annotations, segments)
            except DataError as error:
                yield Finding.of(error, name)
    if (root / NEGATIVE_LABELS).is_file():
        try:
            count_negatives(root, len(annotations.categories))
        except DataError as error:
            yield Finding.of(error, NEGATIVE_LABELS)


def _check_rule(path: Path, annotations: Annotations, segments: np.ndarray) -> Iterator[Finding]:
    rule, n = RULES[path.name], len(annotations.categories)
    array = H5Array(path, rows=len(annotations))
    shape = rule(segments[:1], annotations.events[:1], n).shape[1:]
    if array.shape[1:] != shape:
        found, expected = f"shape {array.shape}", f"({len(annotations)}, {', '.join(map(str, shape))})"
        yield Finding("error", path.name, "labels do not fit the annotations", found, expected)
        return
    wrong: list[int] = []
    for start in range(0, len(annotations), BLOCK):
        part = slice(start, start + BLOCK)
        expected_values = rule(segments[part], annotations.events[part], n)
        stored = array.raw(start, min(start + BLOCK, len(array)))
        same = np.isclose(stored, expected_values, rtol=0, atol=1e-5 if path.name == SHARES else 0)
        wrong += (start + np.flatnonzero(~same.reshape(len(same), -1).all(axis=1))).tolist()
    if wrong:
        strict = path.name in STRICT
        yield Finding(
            "error" if strict else "warning",
            path.name,
            "labels differ from the annotations",
            listed(wrong),
            "the event of Annotations.txt in every row"
            + ("; in AVE's labels.h5 rows 171 and 2189 differ" if path.name == "labels.h5" else ""),
            "use files that belong together"
            if strict
            else "training rebuilds labels from Annotations.txt unless dataset.labels names a file",
        )
