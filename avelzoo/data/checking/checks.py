"""Checks of annotations, order files and array headers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from avelzoo.data.checking.findings import Finding, listed
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import VISUAL_AXES
from avelzoo.data.reading.links import listed_names
from avelzoo.data.reading.orders import order_files, overlaps, read_order
from avelzoo.data.reading.shapes import channels_first, named
from avelzoo.errors import DataError


def check_storage(array: H5Array) -> Iterator[Finding]:
    """Check an array's header for unwritten parts and an unlikely axis order."""
    name = array.path.name
    if array.info.unwritten:
        yield Finding(
            "warning",
            name,
            "part of the array was never written",
            array.info.unwritten,
            "every number of the array written",
            f"write the missing part; HDF5 reads it as {array.info.fill:g}",
        )
    if len(array.shape) == len(VISUAL_AXES) and channels_first(array.shape):
        h, w, v = array.shape[2:]
        yield Finding(
            "warning",
            name,
            "visual features look channels-first",
            f"shape {array.shape}, read as a {h} x {w} grid with {v} channels",
            named(VISUAL_AXES),
            "for axes (rows, t, v, h, w), store numpy.moveaxis(array, 2, 4); no action needed if the grid is correct",
        )


def check_place(array: H5Array) -> Iterator[Finding]:
    """Report an array whose numbers are stored in other files."""
    others = array.info.others(array.path)
    if others:
        found = f"{len(others)} other file{'s' * (len(others) != 1)}: {listed_names([str(path) for path in others])}"
        yield Finding("note", array.path.name, "the array is read from other files", found)


def check_annotations(annotations: Annotations) -> Iterator[Finding]:
    """Check for events without segments, repeated videos and categories that differ only in spelling."""
    name = annotations.path.name
    empty = [row.line for row in annotations.rows if row.empty]
    if empty:
        yield Finding(
            "warning",
            name,
            "videos with a category but no event segment (0&0)",
            listed(empty, "line"),
            fix="no action needed for AVE's line 27; all segments of such a video are background",
        )
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(annotations.rows):
        by_id[row.video_id].append(number)
    repeated = {video: rows for video, rows in by_id.items() if len(rows) > 1}
    if repeated:
        rows = sum(map(len, repeated.values())) - len(repeated)
        yield Finding(
            "note",
            name,
            "videos with several rows",
            f"{len(repeated)} videos, {rows} additional rows",
        )
    twice = [video for video, rows in repeated.items() if len(set(annotations.events[rows].tolist())) < len(rows)]
    if twice:
        yield Finding(
            "warning",
            name,
            "videos listed twice under the same category",
            ", ".join(twice[:5]),
            fix="remove one of the lines and its row in every other file, or remove the row from the order files",
        )
    for problem, found, fix in annotations.odd_names():
        yield Finding("warning", name, problem, found, fix=fix)


def check_orders(root: Path, annotations: Annotations) -> Iterator[Finding]:
    """Check each order file, then rows in several splits, rows in none, and videos of val or test in train."""
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
        yield Finding("warning", "*_order.h5", "rows in no split", listed(unused))
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
            "videos of val or test are also in train, in another row",
            f"{leaks['val']} val rows, {leaks['test']} test rows",
            "10 and 8 in AVE's own splits",
            "exclude them with --set dataset.exclude_leaks=true",
        )
