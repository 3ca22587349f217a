"""Labels of a folder in AVE's public layout, from Annotations.txt (or events.csv) and the order files alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.data.checking.agreement import read_segments
from avelzoo.data.checking.findings import warn
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.event_table import read_annotated
from avelzoo.data.reading.features_record import read_features_record
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.layout import ANNOTATIONS, EVENTS, FILES, annotation_file, need_file, need_folder
from avelzoo.data.reading.orders import read_orders
from avelzoo.errors import DataError
from avelzoo.metrics import SplitLabels, Truth

if TYPE_CHECKING:
    from avelzoo.builtin.datasets.configs import AveConfig


def read_labels(config: AveConfig) -> Mapping[str, SplitLabels]:
    """Labels of train, val and test; no feature file is needed.

    The number of segments is that of a feature or label file if the folder has one, else the latest end of an event.

    Raises:
        DataError: no folder is named, or a file is missing, damaged, or does not match the other files.
    """
    if config.root is None:
        raise DataError(
            "the data set 'ave' needs a folder",
            where="dataset.root",
            expected=f"a folder with {ANNOTATIONS} or {EVENTS}, and the order files",
            fix="name it with --data DIR",
        )
    root = need_folder(config.root.expanduser())
    annotations = read_annotated(need_file(root, annotation_file(root), purpose="labels and categories"))
    for problem, found, fix in annotations.odd_names():
        warn(f"{annotations.path.name}: {problem}: {found}; {fix}")
    t = _segments(root, annotations)
    segments, events, categories = annotations.segments(t), annotations.events, annotations.categories
    if config.labels != "annotations":
        name = f"{config.labels}.h5"
        read = read_segments(need_file(root, name, purpose=f"the label variant '{config.labels}'"), annotations, t)
        segments, events, categories = read.segments, read.events, read.categories
        if read.note:
            warn(read.note)
    record, lengths, names = read_features_record(root), annotations.lengths(t), np.array(annotations.video_ids)
    orders = read_orders(root, annotations)
    if config.exclude_leaks:
        orders |= {
            name: orders[name][~np.isin(names[orders[name]], names[orders["train"]])] for name in ("val", "test")
        }
    return {
        name: SplitLabels(
            video_ids=tuple(names[order].tolist()),
            rows=order,
            truth=Truth(
                segments=segments[order],
                events=events[order],
                lengths=lengths[order],
                categories=categories,
                seconds_per_segment=record.seconds if record else 1.0,
            ),
        )
        for name, order in orders.items()
    }


def _segments(root: Path, annotations: Annotations) -> int:
    """Number of segments t; files that cannot be read do not count."""
    for file in FILES:
        if "t" in file.axes and file.role != "negatives" and (root / file.name).is_file():
            try:
                shape = read_info(root / file.name, file.keys).shape
            except DataError:
                continue
            if len(shape) > 1 and shape[0] == len(annotations):
                return int(shape[file.axes.index("t")])
    return annotations.longest
