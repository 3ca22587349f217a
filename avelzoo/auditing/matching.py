"""Which entry of a file belongs to which video of a split: by row number, by name, or by order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from avelzoo.auditing.reading.entries import Entry, PredictionFile, fault, occur, others
from avelzoo.errors import DataError, did_you_mean, printable, some
from avelzoo.metrics import SplitLabels

Category = Callable[[Entry], int]
"""Predicted category of an entry, as an id of the labels."""


class _Row(NamedTuple):
    """A row of the labels: its number, split, position in the split and category."""

    number: int
    split: str
    position: int
    event: int


class Match:
    """Entries of a split, in its order.

    Args:
        file: the prediction file.
        splits: labels of every split.
        split: the split that is scored.
        category: predicted category of an entry.

    Attributes:
        entries: one per video of the split.
        notes: what was assumed, in sentences.
        by_order: whether the order alone assigns entries to videos.

    Raises:
        DataError: entries are missing, repeated, unknown, or belong to another split.
    """

    def __init__(self, file: PredictionFile, splits: Mapping[str, SplitLabels], split: str, category: Category) -> None:
        self._file, self._splits, self._split, self._category = file, splits, split, category
        self._labels = splits[split]
        numbered = len(self._labels.rows) > 0
        self._rows = self._labels.rows if numbered else np.arange(len(self._labels.video_ids))
        self.notes: list[str] = []
        self.by_order = False
        self._repeated: dict[str, list[str]] = defaultdict(list)
        rows = [entry.row is not None for entry in file.entries]
        names = [entry.video is not None for entry in file.entries]
        for found, part in ((rows, "row"), (names, "video")):
            if any(found) and not all(found):
                first = file.entries[found.index(False)]
                raise self._fault(f"an entry has no {part}", first.where, expected=f"a {part}, as other entries have")
        if rows[0]:
            self.entries = self._by_row()
        elif names[0]:
            self.entries = self._by_name()
        else:
            self.entries = self._by_order()

    def _by_order(self) -> list[Entry]:
        entries, videos = self._file.entries, len(self._labels.video_ids)
        total = sum(len(labels.video_ids) for labels in self._splits.values())
        t = self._labels.truth.segments.shape[1]
        if len(entries) == t and entries[0].length == videos != t:
            raise self._fault(
                "an array is transposed",
                found=f"{t} x {videos}, segments x videos",
                expected=f"{videos} x {t}",
                fix="store numpy.swapaxes(array, 0, 1)",
            )
        if len(entries) == total and len(self._labels.rows) and len(entries) > int(self._labels.rows.max()):
            self.notes.append(
                f"The file names no videos and has {total:,} entries, so entry i is taken as row i of the annotations."
            )
            return [entries[row] for row in self._labels.rows.tolist()]
        if len(entries) != videos:
            same = [name for name, labels in self._splits.items() if len(labels.video_ids) == len(entries)]
            raise self._fault(
                "the file has the wrong number of videos, and does not name them",
                found=f"{len(entries)} entries" + (f", as many as the {same[0]} split has" if same else ""),
                expected=f"{videos}, the videos of {self._split} in order",
                fix=f"choose --split {same[0]}" if same else "add row numbers or names of the videos",
            )
        self.by_order = True
        self.notes.append(f"The file names no videos, so the order of the {self._split} split is assumed.")
        return list(entries)

    def _by_row(self) -> list[Entry]:
        entries = self._file.entries
        by_row: dict[int, Entry] = {}
        again: dict[int, Entry] = {}
        for entry in entries:
            row = int(entry.row if entry.row is not None else -1)
            if by_row.setdefault(row, entry) is not entry:
                again.setdefault(row, entry)
        if again:
            row, entry = next(iter(again.items()))
            raise self._fault(
                occur("row", len(again)), entry.where, expected="every row once",
                found=f"row {row}, also in {by_row[row].where}" + others([f"row {one}" for one in again]),
            )  # fmt: skip
        own, videos = self._rows, len(self._rows)
        total = sum(len(labels.rows) for labels in self._splits.values())
        readings = {
            "": own,
            "Row numbers count from 1 in the file.": own + 1,
            f"Row numbers are positions in the {self._split} split, from 0.": np.arange(videos),
            f"Row numbers are positions in the {self._split} split, from 1.": np.arange(1, videos + 1),
        }
        complete = {note: rows for note, rows in readings.items() if all(row in by_row for row in rows.tolist())}
        if set(by_row) == set(range(1, total + 1)):
            complete.pop("", None)  # every row, from 1
        fitting = {note: rows for note, rows in complete.items() if not self._misnamed(by_row, rows)}
        if not fitting:
            raise self._row_fault(by_row, complete)
        note, rows = next(iter(fitting.items()))
        if note:
            self.notes.append(note)
        self._note_rest(len(entries) - videos)
        return [by_row[row] for row in rows.tolist()]

    def _misnamed(self, by_row: Mapping[int, Entry], rows: np.ndarray) -> list[tuple[Entry, str]]:
        """Entries whose names contradict their rows, with the names that the labels give them."""
        pairs = ((by_row[row], name) for row, name in zip(rows.tolist(), self._labels.video_ids, strict=True))
        return [(entry, name) for entry, name in pairs if entry.video is not None and not _same_name(entry.video, name)]

    def _row_fault(self, by_row: Mapping[int, Entry], complete: Mapping[str, np.ndarray]) -> DataError:
        if complete:
            entry, name = self._misnamed(by_row, next(iter(complete.values())))[0]
            return self._fault(
                "a row number and a video name contradict each other", entry.where, found=entry.who,
                expected=f"{printable(name)} in this row", fix="use row numbers of the same annotations, from 0",
            )  # fmt: skip
        for name, labels in self._splits.items():
            if name != self._split and set(by_row) == set(labels.rows.tolist()):
                return self._other_split(name)
        missing = [row for row in self._rows.tolist() if row not in by_row]
        return self._missing([f"row {row}" for row in missing])

    def _by_name(self) -> list[Entry]:
        groups: dict[str, list[Entry]] = defaultdict(list)
        known = {name for labels in self._splits.values() for name in labels.video_ids}
        stems: dict[str, str] = {}
        for entry in self._file.entries:
            name = str(entry.video)
            if name not in known:
                name = stems.setdefault(name, _stem(name))
            groups[name].append(entry)
        if any(name in known for name in stems.values()):
            first = next(name for name in stems if stems[name] in known)
            self.notes.append(f"Folders and endings of file names are ignored, as in {printable(first)}.")
        own = Counter(self._labels.video_ids)
        missing = [name for name in own if name not in groups]
        unknown = [name for name in groups if name not in known]
        if missing:
            for name, labels in self._splits.items():
                if name != self._split and len(missing) > len(own) / 2 and set(labels.video_ids) <= set(groups):
                    raise self._other_split(name)
            hint = did_you_mean(unknown[0], missing) if unknown else ""
            raise self._missing(list(map(printable, missing)), unknown, hint)
        rows: dict[str, list[_Row]] = defaultdict(list)
        for split, labels in self._splits.items():
            for i, name in enumerate(labels.video_ids):
                if name in own:
                    number = int(labels.rows[i]) if len(labels.rows) else i
                    rows[name].append(_Row(number, split, i, int(labels.truth.events[i])))
        many = [name for name in own if len(groups[name]) not in (1, own[name], len(rows[name]))]
        if many:
            one, two = groups[many[0]][:2]
            raise self._fault(
                "a video occurs more often in the file than in the labels", two.where,
                found=f"{many[0]}, {len(groups[many[0]])} times; first in {one.where}{others(many)}",
                expected=f"{own[many[0]]} times", fix="remove the repeated entries, or add row numbers",
            )  # fmt: skip
        taken: dict[int, Entry] = {}
        for name in own:
            taken.update(self._share(name, groups[name], sorted(rows[name])))
        for what, names in self._repeated.items():
            self.notes.append(f"{what}: {some(list(map(printable, names)), 3)}.")
        used = sum(own[name] if len(groups[name]) > 1 else 1 for name in own)
        self._note_rest(len(self._file.entries) - used, unknown)
        return [taken[i] for i in range(len(self._labels.video_ids))]

    def _share(self, name: str, entries: Sequence[Entry], everywhere: Sequence[_Row]) -> dict[int, Entry]:
        """Entries of one name to the positions of its rows in the split; ``everywhere`` are its rows in all splits."""
        here = [row for row in everywhere if row.split == self._split]
        if len(entries) == 1:
            if len(here) > 1:
                self._repeated["One entry is used for all rows of a video"].append(name)
            return {row.position: entries[0] for row in here}
        rows = here if len(here) == len(entries) else everywhere
        events, predicted = [row.event for row in rows], list(map(self._category, entries))
        if sorted(events) == sorted(predicted) and len(set(events)) == len(events):
            order = [entries[predicted.index(event)] for event in events]
            self._repeated["Rows of one video are told apart by their category"].append(name)
        else:
            order = list(entries)
            self._repeated["Rows of one video are taken in the order of the annotations"].append(name)
        pairs = zip(rows, order, strict=True)
        return {row.position: entry for row, entry in pairs if row.split == self._split}

    def _note_rest(self, extra: int, unknown: Sequence[str] = ()) -> None:
        if extra > 0:
            strangers = f", {len(unknown)} of them for videos that no split has" if unknown else ""
            self.notes.append(f"{extra:,} entries outside the {self._split} split are ignored{strangers}.")

    def _other_split(self, name: str) -> DataError:
        return self._fault(
            f"the file's videos are those of the {name} split", found=f"{len(self._file.entries)} entries",
            expected=f"the videos of {self._split}",
            fix=f"choose --split {name}, or use the predictions for {self._split}",
        )  # fmt: skip

    def _missing(self, names: Sequence[str], unknown: Sequence[str] = (), hint: str = "") -> DataError:
        videos = len(self._labels.video_ids)
        strangers = f"; not in the labels: {some(list(map(printable, unknown)), 3)}{hint}" if unknown else ""
        return self._fault(
            f"predictions are missing for {len(names)} of {videos} videos",
            found=f"{len(self._file.entries)} entries{strangers}",
            expected=f"also {some(names, 4)}",
            fix="add them; a score of some videos is no score of the split",
        )

    def _fault(self, problem: str, where: str = "", *, found: str = "", expected: str = "", fix: str = "") -> DataError:
        return fault(self._file.path, where, problem, found=found, expected=expected, fix=fix)


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


_ENDINGS = (".mp4", ".mkv", ".avi", ".webm", ".mov", ".m4v", ".wav", ".mp3", ".flac", ".npy", ".txt")


def _same_name(given: str, name: str) -> bool:
    return given == name or _stem(given) == name
