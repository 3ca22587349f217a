"""An audit: a prediction file of any repository, scored and put beside what it is compared with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avelzoo.auditing.auditor import Auditor, Reading
from avelzoo.auditing.epochs import Optimism, read_epochs
from avelzoo.auditing.records import Audit
from avelzoo.auditing.verdict import verdict
from avelzoo.errors import DataError, UsageError

METRICS = "metrics.jsonl"
"""File of a run folder with accuracies per epoch."""


def audit(
    predictions: str | Path | None = None,
    other: str | Path | None = None,
    *,
    data: str | Path | None = None,
    dataset: str | None = None,
    split: str = "test",
    labels: str = "annotations",
    claim: str | float | None = None,
    epochs: str | Path | None = None,
    groups: str | Path | None = None,
    supervision: str = "?",
    selection: str = "?",
    reading: Reading | None = None,
) -> Audit:
    """Score a prediction file of any repository, and say what the score is worth.

    Args:
        predictions: file or run folder; None for the labels alone.
        other: second file, for a paired comparison.
        data: data folder; Annotations.txt and the order files are enough. A run folder holds its own labels.
        dataset: name of the data set; by default AVE's public layout.
        split: split to score.
        labels: annotations, labels or right_labels; ``all`` also scores against the other label files.
        claim: claimed accuracy in percent; as text, such as ``"80.80"``, it keeps its printed digits.
        epochs: file of accuracies on val and test per epoch.
        groups: file of groups, as `avelzoo.comparing.group_files.file_groups` reads it.
        supervision: full, weak or ``weak:PROTOCOL``, for the signature.
        selection: split that chose the epoch, for the signature.
        reading: how to read the file.

    Raises:
        UsageError: an unknown name or value.
        DataError: a file is missing, damaged, or does not fit the labels.
        RunError: a run folder is damaged.

    >>> found = audit(dataset="worlds", split="val", claim="82.2")
    >>> found.labels.videos
    120
    """
    auditor = Auditor(
        file=None if predictions is None else Path(predictions),
        folder=None if data is None else Path(data),
        dataset=dataset,
        split=split,
        labels=labels,
        reading=reading or Reading(),
    )
    if other is not None and predictions is None:
        raise UsageError("a comparison needs two prediction files", found="the second alone")
    found = auditor.audit(claim=None if claim is None else str(claim), groups=None if groups is None else Path(groups))
    run = found.format == "run" and auditor.file is not None and auditor.file.is_dir()
    curve = Path(epochs) if epochs is not None else auditor.file / METRICS if run and auditor.file else None
    optimism = None if curve is None else _optimism(curve, given=epochs is not None)
    if optimism is not None and epochs is not None and found.whole is not None and split == "test":
        optimism = replace(optimism, fits=optimism.has(found.whole.right, found.whole.segments))
    signature = found.signature
    if supervision != "?":
        signature = replace(signature, supervision=supervision)
    if selection != "?":
        signature = replace(signature, selection=selection)
    comparison = None if other is None else auditor.compare(Path(other))
    found = replace(found, signature=signature, optimism=optimism, comparison=comparison)
    return replace(found, verdict=verdict(found))


def _optimism(path: Path, *, given: bool) -> Optimism | None:
    """Accuracies per epoch; None for a run folder without them."""
    try:
        return read_epochs(path)
    except DataError:
        if given:
            raise
        return None
