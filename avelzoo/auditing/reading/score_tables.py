"""Score tables of sed_scores_eval: onset, offset and a column per category; a file per video, or one file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from avelzoo.auditing.reading.entries import Entry, PredictionFile, fault, shown_keys
from avelzoo.auditing.reading.tables import table_lines
from avelzoo.auditing.reading.values import parsed
from avelzoo.errors import some

SUFFIXES = (".scores.tsv", ".tsv")
FORM = "a header onset, offset and a column per category, separated by tabs"
_VIDEO = ("filename", "video", "video_id")


def read_scores(path: Path, seconds: float) -> PredictionFile:
    """Read a folder with a table per video, one table, or one table with a first column ``filename``.

    Frames that are shorter than a segment are averaged over the segment, weighted by their overlap with it.

    Args:
        path: file or folder.
        seconds: length of a segment.

    Raises:
        DataError: a table is missing, damaged, has other columns than the first, or a gap in time.
    """
    files = sorted(path.glob("*.tsv")) if path.is_dir() else [path]
    if not files:
        raise fault(path, "", "no score table in a folder", expected="a file VIDEO.scores.tsv or VIDEO.tsv per video")
    entries: list[Entry] = []
    columns: tuple[str, ...] | None = None
    notes = ["A segment's score of a category is the mean over its frames."]
    for file in files:
        lines = table_lines(file)
        header = [name.strip() for name in lines[0][1]]
        named = header[0].lower() in _VIDEO
        if [name.lower() for name in header[named : named + 2]] != ["onset", "offset"] or len(header) < named + 3:
            raise fault(file, "line 1", "a score table has the wrong header", found=shown_keys(header), expected=FORM)
        values, names = _arrays(file, lines, int(named))
        if columns not in (None, names[2:]):
            raise fault(
                file, "line 1", "score tables have different columns", found=shown_keys(names[2:]),
                expected=some(columns or (), 6),
            )  # fmt: skip
        columns = names[2:]
        owners = np.array([line[0] if named else "" for _, line in lines[1:]])
        numbers = np.array([number for number, _ in lines[1:]])
        if not len(values):
            raise fault(file, "", "a score table is empty", found="a header alone", expected=FORM)
        for owner in dict.fromkeys(owners.tolist()):
            mine = owners == owner
            where = f"line {numbers[mine][0]}" if named or len(files) == 1 else file.name
            scores = _segments(file, numbers[mine], values[mine], seconds)
            entries.append(Entry(where=where, video=owner if named else _stem(file), scores=scores))
    return PredictionFile(path=path, format="tsv", entries=tuple(entries), columns=columns, notes=tuple(notes))


def _segments(file: Path, numbers: np.ndarray, values: np.ndarray, seconds: float) -> np.ndarray:
    """Mean scores (t c) of a video's segments."""
    onset, offset = values[:, 0], values[:, 1]
    stop = partial(fault, file)
    wrong = np.flatnonzero(offset <= onset)
    gaps = np.flatnonzero(np.abs(np.concatenate([[0.0], offset[:-1]]) - onset) > 1e-3 * seconds + 1e-6)
    if wrong.size or gaps.size:
        i = int((wrong if wrong.size else gaps)[0])
        raise stop(
            f"line {numbers[i]}", "a frame of a score table has the wrong time",
            found=f"{onset[i]:g} to {offset[i]:g} s", expected="frames without gaps, from 0 s on, in order",
        )  # fmt: skip
    t = max(1, round(float(offset[-1]) / seconds))
    edges = np.arange(t)[:, None] * seconds
    overlap = np.clip(np.minimum(offset, edges + seconds) - np.maximum(onset, edges), 0, None)
    overlap[np.arange(t), np.minimum(np.searchsorted(onset, edges[:, 0], side="right") - 1, len(onset) - 1)] += 1e-12
    means: np.ndarray = overlap @ values[:, 2:] / overlap.sum(axis=1, keepdims=True)
    return means


def _stem(file: Path) -> str:
    return next(file.name.removesuffix(suffix) for suffix in SUFFIXES if file.name.endswith(suffix))


def _arrays(path: Path, lines: Sequence[tuple[int, list[str]]], first: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers from column ``first`` on, (frames columns), and the names of these columns."""
    header = [name.strip() for name in lines[0][1]]
    values = np.empty((len(lines) - 1, len(header) - first))
    for i, (number, line) in enumerate(lines[1:]):
        stop = partial(fault, path, f"line {number}")
        if len(line) != len(header):
            raise stop(
                "a line has the wrong number of fields", found=str(len(line)), expected=f"{len(header)}, as in line 1"
            )
        values[i] = [parsed(field) for field in line[first:]]
        if not np.isfinite(values[i]).all():
            raise stop("a score is not a finite number", found=",".join(line), expected="a number in every column")
    return values, tuple(header[first:])
