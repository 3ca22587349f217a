"""Options of the data set. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from avelzoo import Bounds, DatasetConfig, Help, Supervision

if TYPE_CHECKING:
    from avelzoo import Dataset
    from avelzoo.metrics import SplitLabels


@dataclass(frozen=True, kw_only=True)
class OvAveConfig(DatasetConfig):
    """OV-AVEBench: clips of ten segments with none, one or several runs of an event.

    The folder holds the annotations and the split file, also in ``meta_anno_files``. Training needs features too, as
    `avelzoo extract` writes them. Category ids follow the alphabet. A clip keeps its category where no segment has the
    event.
    """

    paper: ClassVar[str] = "ovavel2025"
    reads_folder: ClassVar[bool] = True
    assumptions: ClassVar[tuple[str, ...]] = (
        "The layout of both files is that of public descriptions; it was not tested on the published files.",
        "Weak labels are the categories of the clips, also of clips without an event; there are no negatives.",
    )

    root: Annotated[Path | None, Help("folder with the annotations and the split file")] = None
    annotations: Annotated[
        Literal["released", "original"],
        Help("released_ovavel_dataset_anno.json, or ovavel_dataset_anno.json with other labels"),
    ] = "released"
    segments: Annotated[int, Help("number of segments of a clip, one second each"), Bounds(min=1)] = 10

    @property
    def single_runs(self) -> bool | None:
        """False: events may have several runs."""
        return False

    def read_labels(self) -> Mapping[str, SplitLabels]:
        """Labels of every split, without features.

        Raises:
            DataError: a file is missing, damaged or has unexpected content.
        """
        from avelzoo_ov_ave.labels import read_clips

        return read_clips(self).split_labels()

    def open(self, supervision: Supervision) -> Dataset:
        """Open labels and features.

        Raises:
            DataError: a file is missing, damaged or has unexpected content.
        """
        from avelzoo_ov_ave.dataset import OvAveDataset

        return OvAveDataset(self, supervision)
