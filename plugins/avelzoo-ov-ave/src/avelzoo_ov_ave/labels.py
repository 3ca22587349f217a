"""Labels of a folder: both files, found and joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError, some
from avelzoo.metrics import SplitLabels, Truth
from avelzoo_ov_ave.entries import flags
from avelzoo_ov_ave.files import SPLITS, Clip, read_annotations, read_split_file

if TYPE_CHECKING:
    from avelzoo_ov_ave.configs import OvAveConfig

META = "ovave_dataset_meta.csv"
ANNOTATIONS = {"released": "released_ovavel_dataset_anno.json", "original": "ovavel_dataset_anno.json"}
FOLDER = "meta_anno_files"


@dataclass(frozen=True, eq=False)
class Clips:
    """Labels of all clips, in the order of the split file.

    Attributes:
        clips: the clips.
        events: (clips t) bool, the segments with the clip's event.
        categories: the n names, by id, in alphabetical order.
        paths: the two files.
    """

    clips: tuple[Clip, ...]
    events: NDArray[np.bool_]
    categories: tuple[str, ...]
    paths: tuple[Path, Path]

    @property
    def seen(self) -> frozenset[str]:
        """Categories of training."""
        return frozenset(clip.category for clip in self.clips if clip.seen)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Positions of a split's clips."""
        return np.array([i for i, clip in enumerate(self.clips) if clip.split == split], dtype=np.int64)

    def truth(self, rows: NDArray[np.int64]) -> Truth:
        """Ground truth of some clips. A clip without an event keeps its category."""
        ids = {name: i for i, name in enumerate(self.categories)}
        category = np.array([ids[self.clips[row].category] for row in rows], dtype=np.int64)
        n = len(self.categories)
        return Truth(
            segments=np.where(self.events[rows], category[:, None], n), events=category, categories=self.categories
        )

    def split_labels(self) -> Mapping[str, SplitLabels]:
        """Labels of every split that has clips."""
        found = {name: self.rows(name) for name in SPLITS}
        return {
            name: SplitLabels(
                video_ids=tuple(self.clips[row].name for row in rows), truth=self.truth(rows), seen=self.seen
            )
            for name, rows in found.items()
            if len(rows)
        }


def read_clips(config: OvAveConfig) -> Clips:
    """Labels of a folder.

    Raises:
        DataError: no folder is named, or a file is missing, damaged or does not match the other one.
    """
    meta, annotations = need_files(config)
    clips, entries = read_split_file(meta), read_annotations(annotations)
    without = [clip.name for clip in clips if clip.name not in entries]
    if without:
        raise DataError(
            f"{len(without):,} of {len(clips):,} clips of the split file have no annotation",
            where=str(annotations),
            found=f"no key {some(without)}",
            expected=f"every vid_name of {meta.name}",
            fix="use both files of one release",
        )
    t = config.segments
    events = np.array([_flags(entries, clip, t, annotations) for clip in clips], dtype=np.bool_).reshape(-1, t)
    return Clips(clips, events, tuple(sorted({clip.category for clip in clips})), (meta, annotations))


def need_files(config: OvAveConfig) -> tuple[Path, Path]:
    """The split file and the annotations.

    Raises:
        DataError: no folder is named, or a file is missing.
    """
    if config.root is None:
        raise DataError(
            "the data set 'ov-ave' needs a folder",
            where="dataset.root",
            expected=f"a folder with {META} and {ANNOTATIONS[config.annotations]}",
            fix="name it with --data DIR",
        )
    root = config.root.expanduser()
    if not root.is_dir():
        raise DataError("the data folder is missing", where=str(root), fix="correct the path")
    return _need(root, META), _need(root, ANNOTATIONS[config.annotations])


def _need(root: Path, name: str) -> Path:
    for path in (root / name, root / FOLDER / name):
        if path.is_file():
            return path
    fix = f"copy it from the folder {FOLDER} of the repository jasongief/OV-AVEL"
    other = ANNOTATIONS["original"]
    if name == ANNOTATIONS["released"] and any((root / part / other).is_file() for part in ("", FOLDER)):
        fix += f"; {other} has other labels, and is read with --set dataset.annotations=original"
    raise DataError("a file of labels is missing", where=str(root / name), fix=fix)


def _flags(entries: Mapping[str, Any], clip: Clip, t: int, path: Path) -> NDArray[np.bool_]:
    return flags(entries[clip.name], clip.category, t, f"{path}, clip {clip.name}")
