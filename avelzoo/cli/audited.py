"""Tables of an audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from avelzoo.cli import render
from avelzoo.cli.compared import comparison_table
from avelzoo.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from avelzoo.auditing import Audit, Part
    from avelzoo.auditing.claims import Claim
    from avelzoo.metrics import Signature

MEANINGS = {
    "data": "data set and split, with the number of scored videos",
    "supervision": "labels used in training",
    "labels": "label file that was scored against",
    "selection": "split that chose the epoch",
    "seeds": "number of training runs",
    "interval": "method of the interval",
    "version": "version of avelzoo that computed the score",
    "data hash": "hash of the scored labels; equal for equal labels",
}


def print_audit(found: Audit, out: Console) -> None:
    """Scores, groups, claim, comparison, notes and verdict."""
    out.print(render.table(("scores in percent", found.signature.split), _score_rows(found), right=("any",)))
    for name, parts in found.groups.items():
        out.print(_groups(name, parts))
    if found.claim is not None:
        out.print(_claim(found.claim))
    if found.comparison is not None:
        _print_comparison(found, out)
    out.print(_paragraphs("Read as follows", found.notes), soft_wrap=True) if found.notes else None
    out.print(_paragraphs("Verdict", found.verdict), soft_wrap=True)
    rows = {
        "predictions": f"{found.predictions} ({found.format})" if found.predictions else "",
        "labels": found.place,
        "signature": str(found.signature),
    }
    out.print(render.fields(rows))


def print_signature(found: Signature, out: Console) -> None:
    """Every part of a signature and its meaning."""
    values = {
        "data": f"{found.dataset}, {found.split}, {_known(found.videos)} videos",
        "supervision": found.supervision,
        "labels": found.labels,
        "selection": found.selection,
        "seeds": _known(found.seeds),
        "interval": found.interval,
        "version": found.version,
        "data hash": found.data_hash,
    }
    rows = [(name, "unknown" if value == "?" else value, MEANINGS[name]) for name, value in values.items()]
    out.print(render.table(("part", "value", "meaning"), rows, title="signature"))


def _known(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _score_rows(found: Audit) -> Iterator[tuple[str, str]]:
    labels, whole, scores = found.labels, found.whole, found.scores
    if whole is not None:
        yield "segment accuracy", f"{render.percent(whole.interval.value)}   {whole.right:,} of {whole.segments:,}"
        yield "  95 % interval over videos", _ends(whole)
    else:
        yield "videos", f"{labels.videos:,}"
        yield "segments", f"{labels.segments:,}"
    yield "  floor: background everywhere", render.percent(labels.background)
    if labels.average_window is not None:
        yield "  floor: the true category in its average window", render.percent(labels.average_window)
    yield "  floor: the true category in every segment", render.percent(labels.true_category)
    if scores is not None:
        yield "  floor: its own category in every segment", render.percent(scores.floors.own_category_all_event)
        measured = ((label, value(scores)) for label, value in render.MEASURES)
        yield from ((label, render.percent(value)) for label, value in measured if value is not None)
        if scores.absent_event is not None and scores.absent_event.videos:
            yield "videos without an event in which one is predicted", render.percent(scores.absent_event.rate)
        error = scores.localization.boundary_error_seconds
        yield "error of start and end, in seconds", "-" if error is None else f"{error:.2f}"
        yield "mean over categories", render.percent(scores.macro.segment_accuracy)
        if found.calibrated:
            yield "calibration error of the relevance", render.percent(scores.calibration.expected_error)
    yield "videos with event and background segments", f"{labels.partial_videos:,} of {labels.videos:,}"
    yield "videos that are also in train", f"{labels.leaked_videos:,}"
    if found.leak_free is not None:
        leak = found.leak_free
        yield f"segment accuracy on the other {leak.videos:,}", _with_ends(leak)
    for one in found.variants:
        yield f"against {one.name}.h5", f"{render.percent(one.accuracy)}   {one.differing:,} segments differ"
    if found.optimism is not None:
        curve = found.optimism
        yield f"test at the epoch chosen on val, {curve.val_epoch}", render.percent(curve.at_val)
        yield f"best test of {curve.epochs} epochs, {curve.test_epoch}", render.percent(curve.best)
        yield "  gained by choosing on test", render.percent(curve.gap)


def _groups(name: str, parts: Sequence[Part]) -> Table:
    rows = [
        (one.name, f"{one.videos:,}", render.percent(one.interval.value), _ends(one), render.percent(one.true_category))
        for one in parts
    ]
    columns = ("segment accuracy by " + name, "videos", "accuracy", "95 % interval", "true category everywhere")
    return render.table(columns, rows, right=columns[1:])


def _claim(claim: Claim) -> Table:
    rows = [
        (one.name, f"{one.total:,}", _ks(one.rounded), _ks(one.cut))
        for one in claim.reach
        if one is claim.reach[0] or one.rounded or one.cut
    ]
    columns = (f"k of N that prints as {claim.text}", "N", "k by rounding", "k by cutting digits")
    return render.table(columns, rows, right=columns[1:])


def _print_comparison(found: Audit, out: Console) -> None:
    from avelzoo.comparing import pairs_table, rows_table

    if found.comparison is None:
        return
    for one in (rows_table(found.comparison), pairs_table(found.comparison, brief=True)):
        out.print(comparison_table(one))
    out.print(_paragraphs("Comparison", found.comparison.sentences()), soft_wrap=True)


def _paragraphs(title: str, sentences: Iterable[str]) -> str:
    return "\n".join([title, *(f"  {printable(one)}" for one in sentences), ""])


def _ks(ends: tuple[int, int] | None) -> str:
    if ends is None:
        return "none"
    return f"{ends[0]:,}" if ends[0] == ends[1] else f"{ends[0]:,} to {ends[1]:,}"


def _ends(part: Part) -> str:
    return f"{render.percent(part.interval.low)} - {render.percent(part.interval.high)}"


def _with_ends(part: Part) -> str:
    return f"{render.percent(part.interval.value)}   {_ends(part)}"
