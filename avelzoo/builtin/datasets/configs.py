"""Options of the built-in data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from avelzoo.components import DatasetConfig, Supervision
from avelzoo.config import Bounds, Help

if TYPE_CHECKING:
    from avelzoo.contracts import Dataset


@dataclass(frozen=True, kw_only=True)
class AveConfig(DatasetConfig):
    """AVE, or any data in its public layout: a folder of HDF5 features, order files and Annotations.txt."""

    paper: ClassVar[str] = "tian2018"

    root: Annotated[Path | None, Help("the folder that holds the files")] = None
    audio: Annotated[
        Literal["auto", "vggish", "cnn14"], Help("audio features: audio_feature.h5, audio_cnn14.h5, or what is there")
    ] = "auto"
    labels: Annotated[
        Literal["annotations", "labels", "right_labels"],
        Help("segment labels: rebuilt from Annotations.txt, or read from labels.h5 or right_labels.h5"),
    ] = "annotations"
    exclude_leaks: Annotated[bool, Help("leave out val and test videos that also occur in train")] = False

    def open(self, supervision: Supervision) -> Dataset:
        from avelzoo.builtin.datasets.ave import AveDataset

        return AveDataset(self, supervision)


@dataclass(frozen=True, kw_only=True)
class WorldsConfig(DatasetConfig):
    """Synthetic audio-visual event worlds with known truth and a dial for modality bias."""

    train_videos: Annotated[int, Help("videos in the training split"), Bounds(min=1)] = 240
    val_videos: Annotated[int, Help("videos in the validation split"), Bounds(min=1)] = 120
    test_videos: Annotated[int, Help("videos in the test split"), Bounds(min=1)] = 240
    seed: Annotated[int, Help("seed of the whole world"), Bounds(min=0)] = 0

    def train_defaults(self, supervision: Supervision) -> Mapping[str, Any]:
        return {"epochs": 15, "batch_size": 32}

    def open(self, supervision: Supervision) -> Dataset:
        from avelzoo.builtin.datasets.worlds import WorldsDataset

        return WorldsDataset(self, supervision)
