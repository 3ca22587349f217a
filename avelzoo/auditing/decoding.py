"""From entries to the arrays that scores need, and doubts about ids that only the labels can raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.auditing.doubts import doubt_numbering, doubt_order, doubt_split
from avelzoo.auditing.matching import Match
from avelzoo.auditing.reading.entries import Entry, PredictionFile, fault
from avelzoo.auditing.vocabulary import Vocabulary
from avelzoo.metrics import PredictionArrays, SplitLabels, Truth


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """Predictions of a file for the videos of a split.

    Attributes:
        predictions: arrays in the split's order.
        has_relevance: whether the file has a relevance or scores, so that its calibration can be measured.
        nameless: videos for which the file has neither a category nor an event segment.
        notes: what was assumed, in sentences.
    """

    predictions: PredictionArrays
    has_relevance: bool
    nameless: int
    notes: tuple[str, ...]


def decode(
    file: PredictionFile,
    splits: Mapping[str, SplitLabels],
    split: str,
    *,
    numbering: str = "auto",
    order: Sequence[str] | None = None,
    threshold: float = 0.5,
) -> Decoded:
    """Predictions for a split.

    A video's category is the file's, else the best mean score, else the most frequent event of its segments, the first
    one of several. A video without any event or category is counted as a wrong category.

    Args:
        file: the prediction file.
        splits: labels of every split.
        split: the split to score.
        numbering: how ids are numbered, see `Vocabulary`.
        order: names in the order of the file's ids.
        threshold: relevance above which a segment is an event, for scores without a column for background.

    Raises:
        DataError: the file does not fit the labels; `Match` and `Vocabulary` have the cases.
        OptionError: an unknown numbering or order.
    """
    labels = splits[split]
    truth = labels.truth
    words = Vocabulary(truth.categories, numbering=numbering, order=order)
    words.learn(file.path, file.entries)
    reader = _Reader(file, words, threshold)
    match = Match(file, splits, split, reader.category)
    predictions = reader.arrays(match.entries, truth)
    if words.by_number and words.numbering == "background-last" and not words.chosen:
        doubt_numbering(file, predictions, truth)
    if words.by_number and not words.reordered:
        doubt_order(file, predictions, truth)
    if match.by_order:
        doubt_split(file, predictions, splits, split)
    notes = (*file.notes, *words.notes, *reader.notes, *match.notes)
    scored = any(entry.relevance is not None or entry.scores is not None for entry in match.entries)
    return Decoded(predictions=predictions, has_relevance=scored, nameless=reader.nameless, notes=notes)


class _Reader:
    """Interprets entries; ids of the labels come out."""

    def __init__(self, file: PredictionFile, words: Vocabulary, threshold: float) -> None:
        self._file, self._words, self._threshold = file, words, threshold
        self.notes: list[str] = []
        self.nameless = 0
        self._columns: list[int] | None = None
        self._shares = False
        first = next((entry.scores for entry in file.entries if entry.scores is not None), None)
        if first is not None:
            self._columns = words.columns(file.columns, first.shape[1], file.path)
            self._check_scores(first.shape[1])

    def category(self, entry: Entry) -> int:
        """Id of an entry's category; n if it has none."""
        if entry.category is not None:
            return self._words.id(entry.category)
        if entry.scores is not None:
            return int(self._by_category(entry.scores).mean(axis=0)[: self._words.n].argmax())
        ids = [one for one in map(self._words.id, entry.segments or ()) if one < self._words.n]
        return max(ids, key=ids.count) if ids else self._words.n

    def arrays(self, entries: Sequence[Entry], truth: Truth) -> PredictionArrays:
        """Arrays of the split's entries."""
        n, (videos, t) = self._words.n, truth.segments.shape
        segments, relevance = np.full((videos, t), n), np.zeros((videos, t), dtype=np.float32)
        scores = np.zeros((videos, n), dtype=np.float32)
        category = np.array([self.category(entry) for entry in entries])
        nameless = category == n
        category[nameless] = (truth.events[nameless] + 1) % n
        for i, entry in enumerate(entries):
            length = int(truth.lengths[i])
            if entry.length not in (length, t):
                raise fault(
                    self._file.path, entry.where, "a video has the wrong number of segments",
                    found=f"{entry.length} segments of {entry.who}", expected=f"{length}, as in the labels",
                    fix="if the labels have too few segments because no event reaches the end, put a feature or label"
                    " file into the data folder" if entry.length > t else "",
                )  # fmt: skip
            ids, events = self._segments(entry)
            segments[i, :length], relevance[i, :length] = ids[:length], events[:length]
            if entry.scores is not None:
                scores[i] = self._by_category(entry.scores).mean(axis=0)[:n]
        if not self._columns:
            scores = np.eye(n, dtype=np.float32)[category]
        if nameless.any():
            self.nameless = count = int(nameless.sum())
            self.notes.append(
                f"{count:,} video{'s have' if count > 1 else ' has'} neither a category nor an event segment in the"
                " file; the category counts as wrong."
            )
        return PredictionArrays(
            segments=segments, category=category, category_scores=scores, relevance=relevance, lengths=truth.lengths
        )

    def _segments(self, entry: Entry) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids and relevance of an entry's segments."""
        n = self._words.n
        if entry.scores is None:
            ids = np.array([self._words.id(one) for one in entry.segments or ()], dtype=np.int64)
            return ids, (ids != n).astype(float) if entry.relevance is None else self._unit(entry)
        by_category = self._by_category(entry.scores)
        if n in (self._columns or ()):
            ids = by_category.argmax(axis=1)
            return ids, (ids != n).astype(float) if entry.relevance is None else self._unit(entry)
        if entry.relevance is not None:
            relevance = self._unit(entry)
        else:
            relevance = by_category[:, :n].sum(axis=1) if self._shares else by_category[:, :n].max(axis=1)
        relevance = relevance.clip(0, 1)
        return np.where(relevance > self._threshold, by_category[:, :n].argmax(axis=1), n), relevance

    def _unit(self, entry: Entry) -> NDArray[np.float64]:
        values = entry.relevance
        if values is None or len(values) != entry.length or values.min() < -1e-5 or values.max() > 1 + 1e-5:
            found = "none" if values is None else f"{len(values)} values from {values.min():g} to {values.max():g}"
            raise fault(
                self._file.path, entry.where, "a relevance is wrong", found=found,
                expected=f"{entry.length} values from 0 to 1",
            )  # fmt: skip
        return values.clip(0, 1)

    def _by_category(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores (t n+1) in the order of the ids; -inf for background where it has no column."""
        found = np.full((len(scores), self._words.n + 1), -np.inf)
        found[:, self._columns] = scores
        return found

    def _check_scores(self, width: int) -> None:
        n, path = self._words.n, self._file.path
        entries = [entry for entry in self._file.entries if entry.scores is not None]
        for entry in entries:
            if entry.scores is not None and entry.scores.shape[1] != width:
                raise fault(
                    path, entry.where, "scores have unequal numbers of columns", found=str(entry.scores.shape[1]),
                    expected=str(width),
                )  # fmt: skip
        if n in (self._columns or ()):
            return
        stacked = np.concatenate([entry.scores for entry in entries if entry.scores is not None])
        if all(entry.relevance is not None for entry in entries):
            self.notes.append(f"A segment is an event where its relevance is above {self._threshold:g}.")
            return
        if stacked.min() < 0 or stacked.max() > 1 + 1e-5:
            raise fault(
                path, "", "scores without a column for background are no probabilities",
                found=f"{stacked.min():g} to {stacked.max():g}", expected="values from 0 to 1, or a relevance",
                fix="add a column for background, or a relevance per segment",
            )  # fmt: skip
        self._shares = bool(stacked.sum(axis=1).max() <= 1 + 1e-4)
        what = "the sum of its scores" if self._shares else "its largest score"
        self.notes.append(f"Scores have no column for background: a segment is an event where {what} is above"
                          f" {self._threshold:g}.")  # fmt: skip
