"""Checks of the small files, annotations and order files, and of what headers tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from avelzoo.data.checking.findings import Finding, listed
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import ANNOTATIONS, VISUAL_AXES
from avelzoo.data.reading.links import listed_names
from avelzoo.data.reading.orders import order_files, overlaps, read_order
from avelzoo.data.reading.shapes import channels_first, named
from avelzoo.errors import DataError


def check_storage(array: H5Array) -> Iterator[Finding]:
    """What is odd about an array, as far as its header tells."""
    name = array.path.name
    if array.info.unwritten:
        yield Finding(
            "warning",
            name,
            "a part of the array was never written",
            array.info.unwritten,
            "numbers in all of it",
            f"write the rest of it; until then HDF5 gives {array.info.fill:g} there",
        )
    if len(array.shape) == len(VISUAL_AXES) and channels_first(array.shape):
        h, w, v = array.shape[2:]
        yield Finding(
            "warning",
            name,
            "visual features look channels-first",
            f"shape {array.shape}, read as a {h} x {w} grid with {v} channels",
            named(VISUAL_AXES),
            "if these are (rows, t, v, h, w), store numpy.moveaxis(array, 2, 4); nothing, if the grid is so large",
        )


def check_place(array: H5Array) -> Iterator[Finding]:
    """Says where an array lies that is not in the file it is named in."""
    others = array.info.others(array.path)
    if others:
        found = f"{len(others)} other file{'s' * (len(others) != 1)}: {listed_names([str(path) for path in others])}"
        yield Finding("note", array.path.name, "the array is read from other files", found)


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
    for problem, found, fix in annotations.odd_names():
        yield Finding("warning", ANNOTATIONS, problem, found, fix=fix)


def check_orders(root: Path, annotations: Annotations) -> Iterator[Finding]:
    """Order files one by one, then what they share and what they leave out."""
    orders: dict[str, np.ndarray] = {}
    files = order_files(root)
    for name, file in files.items():
        if not (root / file).is_file():
            continue
        try:
            orders[name] = read_order(root / file, annotations)
        except DataError as error:
            yield Finding.of(error, file)
    for fault in overlaps(root, orders):
        yield Finding.of(fault, Path(fault.where).name)
    if set(orders) != set(files):
        return
    unused = np.setdiff1d(np.arange(len(annotations)), np.concatenate(list(orders.values())))
    if unused.size:
        yield Finding("warning", "*_order.h5", "rows that are in no split", listed(unused))
    absent = sorted(set(range(len(annotations.categories))) - set(annotations.events[orders["train"]].tolist()))
    if absent:
        names = ", ".join(annotations.categories[i] for i in absent[:5])
        yield Finding("warning", files["train"], "categories without a training video", names)
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
