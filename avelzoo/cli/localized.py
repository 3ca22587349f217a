"""Results of `predict` and `decode` on the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from avelzoo.cli import render
from avelzoo.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

    from avelzoo.localization.batch import Outcome

NOTICES = 3
"""Largest number of notices shown for a video; files of results have all."""


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """A result as plain data, without scores per segment."""
    result = outcome.result
    return {
        "file": result.path,
        "status": result.status,
        "reason": outcome.error or result.reason,
        "duration": result.duration,
        "decision": result.decision,
        "events": result.timeline.to_records(),
        "notices": list(result.notices),
        "files": [str(path) for path in outcome.files],
        "resumed": outcome.resumed,
    }


def emit(outcomes: Sequence[Outcome], facts: Mapping[str, Any], exit_code: int) -> None:
    """Print the JSON document of the command."""
    results = [outcome_dict(outcome) for outcome in outcomes]
    render.emit_json({"results": results, **facts, "exit_code": exit_code})


def print_outcomes(
    outcomes: Sequence[Outcome], rows: Mapping[str, str], shared: Sequence[str] = (), *, stderr: bool
) -> None:
    """Print a row per event, a sentence per video without one, then what was used and written.

    Args:
        outcomes: the videos.
        rows: facts of the batch.
        shared: notices of the batch, printed once.
        stderr: print on stderr instead of stdout.
    """
    out = render.console(stderr=stderr)
    table = [row for outcome in outcomes for row in _rows(outcome)]
    if table:
        out.print(
            render.table(
                ("file", "status", "seconds", "event", "score"), table, right=("seconds", "score"), folded="file"
            )
        )
    scored = [set(o.result.notices) for o in outcomes if o.result.scores is not None]
    for notice in dict.fromkeys(shared):
        out.print(printable(notice), soft_wrap=True)
    common = set.intersection(*scored) - set(shared) if len(scored) > 1 else set()
    for notice in dict.fromkeys(n for o in outcomes for n in o.result.notices if n in common):
        out.print(f"every video: {printable(notice)}", soft_wrap=True)
    for outcome in outcomes:
        _say(out, outcome, common | set(shared))
    failed = sum(outcome.failed for outcome in outcomes)
    done = f"{len(outcomes) - failed} of {len(outcomes)}"
    resumed = sum(outcome.resumed for outcome in outcomes)
    out.print(render.fields({"videos": done, "from an earlier call": str(resumed or "")} | dict(rows)))


def _rows(outcome: Outcome) -> Sequence[Sequence[str]]:
    result = outcome.result
    name, status = result.path, str(result.status)
    events = [(f"{e.start:.1f} - {e.end:.1f}", e.category, f"{e.score:.2f}") for e in result.events]
    cells = [(name, status, *event) for event in events[:1]] + [("", "", *event) for event in events[1:]]
    return cells or [(name, status, "-", "no event" if result.scores is not None else "-", "-")]


def _say(out: Console, outcome: Outcome, common: Set[str]) -> None:
    """Print what is special about a video; ``common`` notices were printed."""
    result = outcome.result
    notices = [notice for notice in result.notices if notice not in common and notice not in result.reason]
    said = [result.reason] if result.reason else []
    said += [f"not written: {outcome.error}"] if outcome.error else []
    said += notices[:NOTICES]
    more = len(notices) - NOTICES
    said += [f"and {more} more notices"] if more > 0 else []
    for line in said:
        out.print(f"{printable(result.path)}: {printable(line)}", soft_wrap=True)
