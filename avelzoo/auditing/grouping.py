"""Groups of videos: run length, category, and those of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from avelzoo.auditing.floors import part
from avelzoo.auditing.records import Part
from avelzoo.metrics import SplitLabels, category_groups, run_length_groups, seen_groups
from avelzoo.statistics import Counts

Masks = Mapping[str, NDArray[np.bool_]]


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
