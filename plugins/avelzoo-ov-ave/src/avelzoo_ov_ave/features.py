"""Features of the clips, as `avelzoo extract` writes them: features.json names the files, videos.csv their rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from avelzoo.errors import DataError, first_line, reason, some

RECORD, VIDEOS = "features.json", "videos.csv"
HOW = "`avelzoo extract VIDEOS --out DIR` writes them into the folder of the labels"


@dataclass(frozen=True, eq=False)
class Features:
    """Two arrays with a row per extracted video.

    Attributes:
        audio: path of the (rows t a) array.
        visual: path of the (rows t h w v) array.
        shapes: shapes of both arrays.
        row_of: row of each clip, by the clip's name.
        record: content of features.json that a run keeps.
    """

    audio: Path
    visual: Path
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    row_of: Mapping[str, int]
    record: Mapping[str, Any]

    def read(self, rows: Sequence[int], t: int) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Audio (b t a) and visual (b t h w v) features of some rows; missing segments are zeros.

        Raises:
            DataError: a file is damaged or has numbers that are not finite.
        """
        return _rows(self.audio, rows, t), _rows(self.visual, rows, t)

    def need(self, names: Sequence[str]) -> list[int]:
        """Rows of clips.

        Raises:
            DataError: some were not extracted.
        """
        without = [name for name in names if name not in self.row_of]
        if without:
            raise DataError(
                f"{len(without):,} of {len(names):,} clips have no features",
                where=str(self.audio.parent / VIDEOS),
                found=f"no video {some(without)}",
                fix="extract them too, or remove their lines from the split file",
            )
        return [self.row_of[name] for name in names]


def open_features(root: Path) -> Features:
    """Features of a folder.

    Raises:
        DataError: a file is missing or damaged, or two files do not belong together.
    """
    record = _record(root / RECORD)
    files = [root / str(record[name]["file"]) for name in ("audio", "visual")]
    shapes = [_shape(file, axes) for file, axes in zip(files, (3, 5), strict=True)]
    names = _videos(root / VIDEOS)
    if {shape[0] for shape in shapes} != {len(names)}:
        counts = f"{len(names)} videos, {shapes[0][0]} audio rows, {shapes[1][0]} visual rows"
        raise DataError("the features and the list of videos differ", where=str(root / VIDEOS), found=counts)
    return Features(files[0], files[1], (shapes[0], shapes[1]), {name: row for row, name in enumerate(names)}, record)


def _record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(
            "the folder has no features",
            where=str(path),
            expected="features of the clips; labels alone are enough for `avelzoo audit`",
            fix=HOW,
        )
    try:
        data = json.loads(path.read_text("utf-8"))
        return {"seconds": float(data["seconds"]), "visual": dict(data["visual"]), "audio": dict(data["audio"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("features.json is damaged", where=str(path), found=first_line(error), fix=HOW) from error


def _videos(path: Path) -> list[str]:
    """Names of the extracted videos without folder and ending, by row."""
    try:
        lines = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("the list of videos cannot be read", where=str(path), found=reason(error), fix=HOW) from error
    names = [PurePosixPath(line.get("video") or "").stem for line in lines if line.get("status") != "failed"]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError("two videos have the same name", where=str(path), found=twice)
    return names


def _shape(path: Path, axes: int) -> tuple[int, ...]:
    with _opened(path) as array:
        if array.ndim != axes:
            expected = f"{axes} axes"
            raise DataError("features have the wrong shape", where=str(path), found=str(array.shape), expected=expected)
        return tuple(map(int, array.shape))


def _rows(path: Path, rows: Sequence[int], t: int) -> NDArray[np.floating[Any]]:
    with _opened(path) as array:
        found = np.zeros((len(rows), t, *array.shape[2:]), dtype=array.dtype)
        for place, row in enumerate(rows):
            block = array[row, :t]
            found[place, : len(block)] = block
    if not np.isfinite(found).all():
        raise DataError("features are not finite", where=f"{path}, rows {some(rows)}", fix=HOW)
    return found


class _opened:  # noqa: N801 - used like a function
    """The only array of a file; errors are for users."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        try:
            self._file = h5py.File(self._path, "r")
        except OSError as error:
            found = reason(error)
            raise DataError("a feature file cannot be read", where=str(self._path), found=found, fix=HOW) from error
        arrays = [value for value in self._file.values() if isinstance(value, h5py.Dataset)]
        if len(arrays) != 1:
            self._file.close()
            found = f"{len(arrays)} arrays"
            raise DataError("a feature file holds one array", where=str(self._path), found=found)
        return arrays[0]

    def __exit__(self, *_: object) -> None:
        self._file.close()
