"""Labels of a split without its features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from avelzoo.errors import DataError
from avelzoo.metrics.arrays import IntArray
from avelzoo.metrics.predictions import Truth


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitLabels:
    """Names and labels of a split's videos, in the split's order.

    Attributes:
        video_ids: (v) names; a name may occur more than once.
        truth: labels of the same videos.
        rows: (v) int64 row numbers in the data set's files; empty if the files do not number them.
        seen: categories of training, in data where other splits have more; empty where they have not.

    Raises:
        DataError: the parts differ in their number of videos.
    """

    video_ids: tuple[str, ...]
    truth: Truth
    rows: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    seen: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        videos = len(self.truth.events)
        found = {len(self.video_ids), len(self.rows) or videos}
        if found != {videos}:
            raise DataError(
                "names and labels of a split do not belong together",
                where="SplitLabels",
                found=f"{len(self.video_ids)} names, {len(self.rows)} row numbers",
                expected=f"{videos}, as in truth",
            )


@runtime_checkable
class ReadsLabels(Protocol):
    """Config of a data set whose labels are read without features and without torch, for `avelzoo audit`.

    A data set without this method is opened for its labels.
    """

    def read_labels(self) -> Mapping[str, SplitLabels]:
        """Labels of every split.

        Raises:
            DataError: a file is missing, damaged or has unexpected content.
        """
        ...
