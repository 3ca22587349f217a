"""Checks of the label files: sizes, one-hot rows, agreement with the annotations."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np

from avelzoo.data.checking.agreement import Comparison, compare, contradiction
from avelzoo.data.checking.findings import Finding, listed
from avelzoo.data.facts import TWO_CATEGORIES
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.labels import RULES, count_negatives, read_shares_table, segment_ids
from avelzoo.data.reading.layout import BY_NAME, NEGATIVE_LABELS, SHARES, VIDEO_LABELS
from avelzoo.data.reading.numbering import describe
from avelzoo.errors import DataError

STRICT = ("labels_closs.h5", VIDEO_LABELS)
"""Label files that follow from AVE's annotations without exception; the other label files are variants."""
VARIANTS = ("labels.h5", "right_labels.h5")


def check_labels(root: Path, annotations: Annotations, t: int, usable: Container[str]) -> Iterator[Finding]:
    """Compare every label file with the annotations.

    Args:
        root: the folder.
        annotations: the folder's annotations.
        t: segments per video.
        usable: names of the files with a readable array.
    """
    try:
        segments = annotations.segments(t)
    except DataError as error:
        yield Finding.of(error, annotations.path.name)
        return
    for name in RULES:
        if name in usable:
            try:
                yield from _check(root / name, annotations, segments)
            except DataError as error:
                yield Finding.of(error, name)
    if NEGATIVE_LABELS in usable:
        try:
            count_negatives(root, len(annotations.categories))
        except DataError as error:
            yield Finding.of(error, NEGATIVE_LABELS)


def _check(path: Path, annotations: Annotations, segments: np.ndarray) -> Iterator[Finding]:
    stored = _read(path, annotations, segments)
    tolerance = 0.5 / segments.shape[1] if path.name == SHARES else 0.0
    found = compare(path.name, stored, annotations, segments, tolerance)
    if found.contradicts and (path.name not in STRICT or not found.columns.permutes):
        yield Finding.of(contradiction(path, found, annotations), path.name)
        return
    if not found.columns.same:
        yield _permuted(path.name, found, annotations)
    elif path.name == SHARES:
        found = compare(path.name, stored, annotations, segments, tolerance=1e-5)
    if found.wrong.size:
        yield _different(path.name, found)


def _read(path: Path, annotations: Annotations, segments: np.ndarray) -> np.ndarray:
    """Read a label file's values; for one-hot segment labels, the ids."""
    if path.name in VARIANTS:
        return segment_ids(path, annotations, segments.shape[1])
    if path.name == SHARES:
        return read_shares_table(path, annotations)
    rule, n = RULES[path.name], len(annotations.categories)
    array = H5Array(path, axes=BY_NAME[path.name].axes, rows=len(annotations))
    shape = rule(segments[:1], annotations.events[:1], n).shape[1:]
    if array.shape[1:] != shape:
        raise DataError(
            "a label file does not match the annotations",
            where=str(path),
            found=f"shape {array.shape}",
            expected=f"({len(annotations)}, {', '.join(map(str, shape))})",
        )
    return array.all()


def _different(name: str, found: Comparison) -> Finding:
    strict = name in STRICT
    known = TWO_CATEGORIES.get(name)
    return Finding(
        "error" if strict else "warning",
        name,
        "labels differ from the annotations",
        listed(found.wrong),
        "the event of Annotations.txt in every row"
        + (f"; in AVE's {name} rows {' and '.join(map(str, known))} differ" if known else ""),
        "use files of the same data set"
        if strict
        else "no action needed if the difference is intended; training rebuilds labels from Annotations.txt unless "
        "dataset.labels names a file",
    )


def _permuted(name: str, found: Comparison, annotations: Annotations) -> Finding:
    """Report a file with permuted category ids, and its effect on training."""
    order = f"a {CATEGORIES} with the names in the file's order"
    if name in VARIANTS and not annotations.fixed:
        order = f"--set dataset.labels={name.removesuffix('.h5')}, or {order}"
    own = CATEGORIES if annotations.fixed else f"first appearance in {annotations.path.name}"
    return Finding(
        "warning",
        name,
        "category ids are a permutation of the annotations' ids",
        f"in {name}, {describe(found.columns, annotations.categories)}",
        f"ids by {own}",
        f"no action needed to train and predict with ids by {own}, which need no label file. Checkpoints and "
        f"predictions made with this file's ids have permuted categories; to use the file's ids: {order}",
    )
