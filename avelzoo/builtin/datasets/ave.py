"""AVE, or other data in its public layout, read in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.builtin.datasets.ave_split import AveSplit, Features, Labels, Rows
from avelzoo.components import Supervision
from avelzoo.contracts import Dataset, Split
from avelzoo.data.checking.agreement import read_segments, read_shares
from avelzoo.data.checking.checks import check_storage
from avelzoo.data.checking.findings import warn
from avelzoo.data.reading.annotations import Annotations
from avelzoo.data.reading.categories import CATEGORIES
from avelzoo.data.reading.checksum import fingerprint
from avelzoo.data.reading.event_table import read_annotated
from avelzoo.data.reading.features_record import TABLE, read_features_record
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.labels import count_negatives
from avelzoo.data.reading.layout import (
    ANNOTATIONS,
    AUDIO,
    BY_NAME,
    FEATURES,
    NEGATIVE_AUDIO,
    NEGATIVE_LABELS,
    NEGATIVE_VISUAL,
    SHARES,
    SPLITS,
    VISUAL,
    AudioKind,
    annotation_file,
    audio_features,
    is_there,
    need_file,
    need_folder,
    read_marker,
    visual_features,
)
from avelzoo.data.reading.orders import order_files, read_orders
from avelzoo.errors import DataError, UsageError
from avelzoo.records import FeatureSpec

if TYPE_CHECKING:
    from avelzoo.builtin.datasets.configs import AveConfig


class AveDataset(Dataset):
    """A folder in AVE's public layout.

    Row r of every feature and label file belongs to line r of Annotations.txt. Negatives, used only in weak training,
    have the row numbers after the last line.

    Args:
        config: options.
        supervision: full, or weak for a training split without segment labels.

    Raises:
        DataError: a file is missing, damaged, or does not match the other files.
    """

    workers = 2

    def __init__(self, config: AveConfig, supervision: Supervision) -> None:
        if config.root is None:
            raise DataError(
                "the data set 'ave' needs a folder",
                where="dataset.root",
                expected=f"a folder with {ANNOTATIONS}, {VISUAL} and the other files of AVE's public layout",
                fix="name it with --data DIR",
            )
        self._root = need_folder(config.root.expanduser())
        self._marker = read_marker(self._root)
        self._config = config
        self._weak = supervision == "weak"
        self._record = read_features_record(self._root)
        self._used = [annotation_file(self._root), *order_files(self._root).values()]
        self._annotations = self._read_annotations()
        rows = len(self._annotations)
        kind = audio_features(self._root, config.audio)
        features = self._open_features(kind, rows)
        (_, t, h, w, v), a = features.visual.shape, features.audio.shape[2]
        self.spec = FeatureSpec(
            segments=t,
            audio_dim=a,
            grid=(h, w),
            visual_dim=v,
            categories=self._annotations.categories,
            seconds_per_segment=self._record.seconds if self._record else 1.0,
        )
        if self._record:
            self._used.append(FEATURES)
            self.extraction = self._record.extraction()
        wanted = self._weak and config.weak_protocol != "onehot"
        negatives = self._open_negatives(kind, features) if wanted else None
        extra = self._count_negatives(negatives) if negatives else 0
        self._rows = Rows(features, negatives, self._read_labels(extra), self._annotations.video_ids, self.spec.n)
        self._orders = self._read_orders(extra)

    def split(self, name: str) -> Split:
        if name not in SPLITS:
            raise UsageError(f"there is no split '{name}'", expected=", ".join(SPLITS))
        return AveSplit(name, self._rows, self._orders[name], weak=self._weak and name == "train")

    def fingerprint(self) -> Mapping[str, str]:
        """Size and checksum of every file in use (large files: checksum of samples), and whether they are simulated.

        For a link, external storage or a virtual data set, the files that hold the array are included.
        """
        found = {name: fingerprint(self._root / name, self._others(name)) for name in self._used}
        return found | ({"simulated": f"by avelzoo, seed {self._marker['seed']}"} if self._marker else {})

    def _others(self, name: str) -> Sequence[Path]:
        path, file = self._root / name, BY_NAME[name]
        return read_info(path, file.keys).others(path) if file.axes else ()

    def _read_annotations(self) -> Annotations:
        name = annotation_file(self._root)
        path = need_file(self._root, name, purpose="labels and categories", fix=self._where_labels_are())
        annotations = read_annotated(path)
        if annotations.fixed:
            self._used.append(CATEGORIES)
        for problem, found, fix in annotations.odd_names():
            warn(f"{path.name}: {problem}: {found}; {fix}")
        return annotations

    def _where_labels_are(self) -> str:
        if self._record:
            return TABLE
        return f"choose the folder that holds it; `avelzoo data status {self._root}` lists the files of this one"

    def _open_features(self, kind: AudioKind, rows: int) -> Features:
        def open_array(name: str, purpose: str) -> H5Array:
            path = need_file(self._root, name, purpose=purpose)
            self._used.append(name)
            return _features(path, rows, watch=self._record is None)

        audio = open_array(AUDIO[kind], "audio features")
        visual = open_array(visual_features(self._root), "visual features")
        if audio.shape[1] != visual.shape[1]:
            swapped = audio.shape[2] == visual.shape[1]
            fix = "if the audio features are (rows, a, t), store numpy.swapaxes(array, 1, 2)" if swapped else ""
            raise _unlike(audio, visual, "segments", audio.shape[1], visual.shape[1], fix=fix)
        for array in (audio, visual):
            for finding in check_storage(array):
                warn(f"{array.path}: {finding.problem}: {finding.found}; {finding.fix}")
        return Features(audio, visual)

    def _open_negatives(self, kind: AudioKind, features: Features) -> Features:
        protocol = self._config.weak_protocol

        def open_array(name: str, like: H5Array) -> H5Array:
            fix = "train without negatives: --set dataset.weak_protocol=onehot; or add the file"
            purpose = f"the negatives of the weak protocol '{protocol}'"
            array = _features(need_file(self._root, name, purpose=purpose, fix=fix))
            if array.shape[1:] != like.shape[1:]:
                fix = "use files of the same data set, or train without negatives: --set dataset.weak_protocol=onehot"
                raise _unlike(array, like, "sizes of a row", array.shape[1:], like.shape[1:], fix=fix)
            self._used.append(name)
            return array

        audio = open_array(NEGATIVE_AUDIO[kind], features.audio)
        return Features(audio, open_array(NEGATIVE_VISUAL, features.visual))

    def _count_negatives(self, features: Features) -> int:
        """Number of negatives: the rows of labels_noisy.h5; only the first rows of larger feature files are used."""
        audio, visual = features.audio, features.visual
        if is_there(self._root / NEGATIVE_LABELS):
            self._used.append(NEGATIVE_LABELS)
            count = count_negatives(self._root, self.spec.n)
            for array in (audio, visual):
                if len(array) < count:
                    raise _unlike(array, self._root / NEGATIVE_LABELS, "rows", len(array), f"at least {count}")
            return count
        if len(audio) != len(visual):
            raise _unlike(audio, visual, "rows", len(audio), len(visual))
        return len(visual)

    def _read_labels(self, negatives: int) -> Labels:
        t, n = self.spec.segments, self.spec.n
        events, segments = self._annotations.events, self._annotations.segments(t)
        if self._config.labels != "annotations":
            name = f"{self._config.labels}.h5"
            path = need_file(self._root, name, purpose=f"the label variant '{self._config.labels}'")
            self._used.append(name)
            read = read_segments(path, self._annotations, t)
            segments, events = read.segments, read.events
            self.spec = replace(self.spec, categories=read.categories)
            if read.note:
                warn(read.note)
        shares = None
        if self._weak and self._config.weak_protocol == "soft-duration":
            shares = ((segments != n).sum(axis=1) / self._annotations.lengths(t)).astype(np.float32)
            if is_there(self._root / SHARES):
                self._used.append(SHARES)
                shares = read_shares(self._root / SHARES, self._annotations, t)
            shares = np.concatenate([shares, np.zeros(negatives, np.float32)])
        return Labels(
            np.concatenate([segments, np.full((negatives, t), n)]),
            np.concatenate([events, np.full(negatives, n)]),
            np.concatenate([self._annotations.lengths(t), np.full(negatives, t)]),
            shares,
        )

    def _read_orders(self, negatives: int) -> dict[str, np.ndarray]:
        rows = len(self._annotations)
        orders = read_orders(self._root, self._annotations)
        if self._config.exclude_leaks:
            ids = np.array(self._annotations.video_ids)
            for name in ("val", "test"):
                orders[name] = orders[name][~np.isin(ids[orders[name]], ids[orders["train"]])]
        orders["train"] = np.concatenate([orders["train"], rows + np.arange(negatives)])
        return orders


def _features(path: Path, rows: int | None = None, *, watch: bool = True) -> H5Array:
    file = BY_NAME[path.name]
    return H5Array(path, keys=file.keys, axes=file.axes, rows=rows, pooled=file.pooled, watch=watch)


def _unlike(
    array: H5Array, other: H5Array | Path, what: str, found: object, expected: object, *, fix: str = ""
) -> DataError:
    path = other.path if isinstance(other, H5Array) else other
    return DataError(
        f"two files differ in their {what}",
        where=str(array.path),
        found=str(found),
        expected=f"{expected}, as in {path.name}",
        fix=fix or "use files of the same data set",
    )
