"""Output of commands: JSON for programs, rich tables for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from avelzoo.components import LEAK_MARK, LEAK_NOTE, LEAKING_PROTOCOLS
from avelzoo.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from avelzoo.composition.resolving import Composition
    from avelzoo.composition.terms import TermState
    from avelzoo.metrics.scores import Floors, Scores
    from avelzoo.plugin.papers import Paper

PIPE_WIDTH = 120
"""Width of output without a terminal; COLUMNS overrides it."""


@dataclass
class JsonDocument:
    """The JSON document of a command; a later document replaces an earlier one."""

    text: str = ""


_documents: list[JsonDocument] = []


@contextmanager
def json_document() -> Iterator[JsonDocument]:
    """Collect the data given to `emit_json` inside the block, instead of printing it."""
    _documents.append(JsonDocument())
    try:
        yield _documents[-1]
    finally:
        _documents.pop()


def emit_json(data: Any) -> None:
    """Print plain data as the JSON document of this command."""
    text = json.dumps(data, indent=2) + "\n"
    if _documents:
        _documents[-1].text = text
    else:
        sys.stdout.write(text)


def console(*, stderr: bool = False) -> Console:
    """A console for people; on stderr when stdout belongs to a program."""
    return console_on(sys.stderr if stderr else sys.stdout)


def console_on(stream: TextIO) -> Console:
    """A console that shows control characters in plain text as escapes."""
    from rich.console import Console

    class PlainConsole(Console):
        def print(self, *objects: Any, **how: Any) -> None:
            super().print(*(visible(o) if isinstance(o, str) else o for o in objects), **how)

    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return PlainConsole(file=stream, width=width, highlight=False, markup=False, emoji=False)


def visible(text: str) -> str:
    """Text with control characters shown as escapes; line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    folded: str = "",
) -> Table:
    """A light table.

    Args:
        columns: headings.
        rows: texts of the cells.
        title: heading of the table.
        right: columns whose text is flush right.
        folded: the only column whose text is broken in lines; by default all but the first are.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        grid.add_column(
            column,
            style="cyan" if i == 0 else None,
            no_wrap=column != folded if folded else i == 0,
            overflow="fold",
            justify="right" if column in right else "left",
        )
    for row in rows:
        grid.add_row(*map(visible, row))
    return grid


def video_progress() -> Progress:
    """A bar on stderr with the number of finished videos and an estimate of the remaining time."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console(stderr=True), transient=True)


def composition_table(composition: Composition) -> Table:
    """Table of every value of a composition and its source."""
    from avelzoo.cli.options import as_text

    rows: list[tuple[str, str, str]] = []
    for slot, part in composition.to_dict()["slots"].items():
        rows.append((slot, str(part.get("name", "")), ""))
        rows += [(f"  {slot}.{k}", as_text(v), part["sources"][k]) for k, v in part["options"].items()]
    recipe = composition.recipe
    return table(
        ("option", "value", "source"), rows, title=f"{composition.owner.qualified}, {recipe.supervision} supervision"
    )


def terms_table(states: Sequence[TermState]) -> Table:
    """Table of loss terms: whether each one trains, its input or the reason why not."""
    rows = [
        (
            state.name,
            f"{state.term.weight:g}",
            "yes" if state.learns else "no",
            state.reason or ", ".join(state.given_by),
        )
        for state in states
    ]
    return table(("loss term", "weight", "trains", "input from, or reason"), rows, right=("weight",))


def terms_lines(states: Sequence[TermState]) -> dict[str, str]:
    """The same in two lines, for `fields`."""
    return {
        "loss terms": ", ".join(f"{state.name} x {state.term.weight:g}" for state in states if state.learns),
        "not trained": ", ".join(f"{state.name} ({state.reason})" for state in states if not state.learns),
    }


def citation(papers: Mapping[str, Paper], key: str) -> str:
    """Citation of a paper's key; the key itself if it is not registered."""
    paper = papers.get(key)
    if paper is None:
        return key
    return f"{paper}, code: github.com/{paper.code}" if paper.code else str(paper)


def percent(value: Any) -> str:
    """Format a fraction in percent, or a dash for None."""
    return f"{100 * value:.1f}" if isinstance(value, int | float) and value == value else "-"  # noqa: PLR0124 - NaN


FLOORS: tuple[tuple[str, Callable[[Floors], float]], ...] = (
    ("background everywhere", lambda floors: floors.background),
    ("its own category in every segment", lambda floors: floors.own_category_all_event),
    ("the true category in every segment", lambda floors: floors.category_oracle_all_event),
)
"""Predictions of each floor, in words."""

MEASURES: tuple[tuple[str, Callable[[Scores], float | None]], ...] = (
    ("video category accuracy", lambda scores: scores.category_accuracy),
    ("event/background balanced accuracy", lambda scores: scores.foreground_background.balanced_accuracy),
    ("segment IoU where the category is right", lambda scores: scores.localization.segment_iou),
    ("segment accuracy on partial events", lambda scores: scores.partial_event.segment_accuracy),
    ("event F1 at IoU 0.5", lambda scores: scores.event_f1_iou50),
    ("event F1 at IoU 0.5, mean over thresholds", lambda scores: getattr(scores.ranking, "event_f1_mean", None)),
    ("event/background AUROC", lambda scores: scores.ranking.auroc if scores.ranking else None),
)


def score_table(scores: Mapping[str, Scores]) -> Table:
    """Table of scores by split in percent, with the floors for comparison."""
    splits, found = list(scores), list(scores.values())
    rows = [
        ("segment accuracy", *(percent(one.segment_accuracy) for one in found)),
        ("  95 % interval over videos", *(_interval(one.segment_accuracy_interval) for one in found)),
        *_other_threshold(found),
        *((f"  floor: {label}", *(percent(value(one.floors)) for one in found)) for label, value in FLOORS),
        *(
            (f"  reference: {name}", *(percent(one.references.get(name)) for one in found))
            for name in sorted({name for one in found for name in one.references})
        ),
        *((label, *(percent(value(one)) for one in found)) for label, value in MEASURES),
        *_absent_event(found),
    ]
    return table(("scores in percent", *splits), rows, right=splits)


def _absent_event(found: Sequence[Scores]) -> list[tuple[str, ...]]:
    """The absent-event rate and its number of videos, if any split has videos without an event."""
    absent = [one.absent_event for one in found]
    if not any(one and one.videos for one in absent):
        return []
    cells = (f"{percent(one.rate)} ({one.videos})" if one and one.videos else "-" for one in absent)
    return [("absent-event rate (videos without an event)", *cells)]


def _other_threshold(found: Sequence[Scores]) -> list[tuple[str, ...]]:
    """The accuracy at the threshold not used for predictions, if it differs on any split."""
    both = [one.thresholds for one in found]
    known = [pair for pair in both if pair is not None]
    if all(pair.fixed.segment_accuracy == pair.val.segment_accuracy for pair in known):
        return []
    fixed = known[0].decides == "val"
    other = [pair and (pair.fixed if fixed else pair.val) for pair in both]
    first = known[0].fixed if fixed else known[0].val
    noun, at = ("relevance", first.relevance) if first.distance is None else ("distance", first.distance)
    label = f"at the fixed {noun}" if fixed else f"at the {noun} chosen on val"
    return [(f"  {label}, {at:.2f}", *(percent(one and one.segment_accuracy) for one in other))]


def weak_labels(protocol: str | None) -> str:
    """The weak labels of a run, marked if they leak the event's duration; empty under full supervision."""
    return f"{protocol} {LEAK_MARK} {LEAK_NOTE}" if protocol in LEAKING_PROTOCOLS else protocol or ""


def _interval(ends: tuple[float, float] | None) -> str:
    return f"{percent(ends[0])} - {percent(ends[1])}" if ends else "-"


def fields(pairs: Mapping[str, str]) -> Table:
    """Table with one line per pair, without empty values."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in pairs.items():
        if value:
            grid.add_row(visible(label), visible(value))
    return grid
