"""Scores of a prediction file against the labels of a split, which are read once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avelzoo.auditing.claims import Claim, parse_claim, prints_as, reach
from avelzoo.auditing.decoding import Decoded, decode
from avelzoo.auditing.floors import label_facts, leaked, part
from avelzoo.auditing.grouping import group_parts
from avelzoo.auditing.reading.files import is_run, read_predictions
from avelzoo.auditing.records import Audit, LabelFacts, Part, Variant
from avelzoo.auditing.sources import VARIANTS, LabelSource, need_split, read_source, run_source
from avelzoo.comparing import Comparison, System, compare
from avelzoo.comparing.group_files import file_groups
from avelzoo.comparing.signing import signature_of
from avelzoo.data.reading.categories import read_categories
from avelzoo.errors import DataError, OptionError
from avelzoo.metrics import Signature, SplitLabels, data_hash, score, segment_accuracy, video_counts
from avelzoo.metrics.signature import UNKNOWN
from avelzoo.plugin.default import default_host

if TYPE_CHECKING:
    from avelzoo.auditing.reading.entries import PredictionFile


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a prediction file is read.

    Attributes:
        format: one of `avelzoo.auditing.reading.files.FORMATS`.
        ids: how ids are numbered, one of `avelzoo.auditing.vocabulary.NUMBERINGS`.
        categories: file with names in the order of the file's ids; None for the order of the labels.
        threshold: relevance above which a segment is an event, for scores without a column for background.
    """

    format: str = "auto"
    ids: str = "auto"
    categories: Path | None = None
    threshold: float = 0.5


class Auditor:
    """Audits files of one split, against labels that are read once."""

    def __init__(
        self, *, file: Path | None, folder: Path | None, dataset: str | None, split: str, labels: str, reading: Reading
    ) -> None:
        if labels not in (*VARIANTS, "all"):
            raise OptionError(f"unknown labels '{labels}'", where="--labels", expected=", ".join((*VARIANTS, "all")))
        if not 0 <= reading.threshold <= 1:
            raise OptionError("the threshold is out of range", found=f"{reading.threshold:g}", expected="0 to 1")
        self.file, self._folder, self._dataset, self._split = file, folder, dataset, split
        self._all, self._reading = labels == "all", reading
        own = folder is None and dataset is None and file is not None and is_run(file)
        variant = "annotations" if self._all else labels
        self._source = run_source(file, split) if own and file else self._read(variant)
        self._labels = need_split(self._source, split)
        self._decoded: Decoded | None = None

    def audit(self, *, claim: str | None, groups: Path | None) -> Audit:
        """Everything but the choice of the epoch and the comparison."""
        source, labels, truth = self._source, self._labels, self._labels.truth
        facts = label_facts(source, labels)
        signature = Signature(
            dataset=source.name,
            split=self._split,
            videos=facts.videos,
            labels=source.variant,
            interval="none",
            data_hash=data_hash(labels.video_ids, truth),
        )
        masks = None if groups is None else file_groups(groups, labels.truth, labels.video_ids)
        if self.file is None:
            claimed = None if claim is None else self._claim(claim, facts, None)
            return Audit(
                predictions=None, format=None, place=source.place, signature=signature, labels=facts, groups={},
                claim=claimed,
            )  # fmt: skip
        stored = self._stored(self.file)
        self._decoded = found = self._decode(stored)
        counts = video_counts(found.predictions.segments, truth, found.predictions.category)
        everyone = np.ones(facts.videos, dtype=np.bool_)
        whole = part(self._split, counts, truth, everyone)
        own = leaked(source, labels) & (facts.leaked_videos > 0)
        scores = score(found.predictions, truth, bootstrap=0)
        variants, notes = self._variants(found) if self._all else ((), ())
        return Audit(
            predictions=str(self.file),
            format=stored.format,
            place=source.place,
            signature=_of_run(replace(signature, interval=whole.interval.method), stored, labels),
            labels=facts,
            whole=whole,
            scores=scores if found.has_relevance else replace(scores, ranking=None),
            calibrated=found.has_relevance,
            nameless=found.nameless,
            leak_free=part("not in train", counts, truth, ~own) if own.any() and not own.all() else None,
            groups=group_parts(counts, labels, masks),
            variants=variants,
            claim=None if claim is None else self._claim(claim, facts, whole),
            notes=(*found.notes, *notes),
        )

    def compare(self, other: Path) -> Comparison:
        """Both files on the same videos, in pairs."""
        found = self._decode(self._stored(other))
        first, second = _short_names(self.file or other, other)
        systems = [
            System(
                name=name,
                segments=one.predictions.segments[None],
                category=one.predictions.category[None],
            )
            for name, one in ((first, self._decoded), (second, found))
            if one is not None
        ]
        return compare(systems, self._labels.truth, self._labels.video_ids)

    def _read(self, variant: str) -> LabelSource:
        return read_source(default_host().registry, self._folder, dataset=self._dataset, labels=variant)

    def _stored(self, path: Path) -> PredictionFile:
        seconds = self._labels.truth.seconds_per_segment
        return read_predictions(path, format=self._reading.format, split=self._split, seconds=seconds)

    def _decode(self, stored: PredictionFile) -> Decoded:
        order = self._reading.categories
        return decode(
            stored,
            self._source.splits,
            self._split,
            numbering=self._reading.ids,
            order=None if order is None else read_categories(order),
            threshold=self._reading.threshold,
        )

    def _variants(self, found: Decoded) -> tuple[tuple[Variant, ...], tuple[str, ...]]:
        """Scores against the other label files; a note for each that cannot be read."""
        truth, variants, notes = self._labels.truth, [], []
        for name in VARIANTS[1:]:
            try:
                other = need_split(self._read(name), self._split).truth
            except DataError as error:
                notes.append(f"No score against {name}.h5: {error.problem.partition(':')[0]}.")
                continue
            if other.categories != truth.categories:
                notes.append(f"No score against {name}.h5: it numbers the categories differently.")
                continue
            variants.append(
                Variant(
                    name=name,
                    accuracy=segment_accuracy(found.predictions.segments, other),
                    differing=int(((other.segments != truth.segments) & truth.real).sum()),
                )
            )
        return tuple(variants), tuple(notes)

    def _claim(self, text: str, facts: LabelFacts, whole: Part | None) -> Claim:
        percent, decimals = parse_claim(text)
        truth = self._labels.truth
        partial = truth.relevance.any(axis=1) & (truth.real & ~truth.relevance).any(axis=1)
        clean = ~leaked(self._source, self._labels)
        totals = {"segments": facts.segments}
        if facts.leaked_videos:
            totals["segments of videos that are not in train"] = int(truth.lengths[clean].sum())
        totals["videos"] = facts.videos
        totals["segments of partial events"] = int(truth.lengths[partial].sum())
        for name, labels in self._source.splits.items():
            if name != self._split:
                totals[f"segments of {name}"] = int(labels.truth.lengths.sum())
        return Claim(
            text=f"{percent} %",
            percent=float(percent),
            decimals=decimals,
            reach=reach(percent, decimals, {name: total for name, total in totals.items() if total}),
            inside=None if whole is None else float(percent) / 100 in whole.interval,
            prints=None if whole is None else prints_as(whole.right, whole.segments, percent, decimals),
        )


def _short_names(first: Path, second: Path) -> tuple[str, str]:
    """The shortest names that tell two files apart: stems, names, paths, or numbers."""
    pairs = ((first.stem, second.stem), (first.name, second.name), (str(first), str(second)), ("first", "second"))
    return next((one, other) for one, other in pairs if one != other)


def _of_run(signature: Signature, stored: PredictionFile, labels: SplitLabels) -> Signature:
    """The signature with what a run folder says of its training."""
    try:
        slots, supervision = stored.composition["slots"], stored.composition["supervision"]
        run = signature_of(slots, supervision, signature.split, (labels.video_ids, labels.truth))
    except (KeyError, TypeError):  # no run folder, or one of another version
        return signature
    own = signature.dataset == UNKNOWN
    return replace(
        signature,
        dataset=run.dataset if own else signature.dataset,
        labels=run.labels if own else signature.labels,
        supervision=run.supervision,
        selection=run.selection,
        seeds=run.seeds,
    )
