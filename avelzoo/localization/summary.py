"""The summary of an output folder: a row per video."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from avelzoo.localization.batch import Outcome
from avelzoo.localization.outputs import SUMMARY
from avelzoo.system.files import write_bytes
from avelzoo.timeline.records import Localization

COLUMNS = ("file", "name", "status", "events", "reason", "duration", "decision", "notices")


def write_summary(
    folder: Path, outcomes: Sequence[Outcome], *, shared: Collection[str] = (), add: bool = False
) -> Path:
    """Write one row per video: status, number of events, reason.

    Args:
        folder: folder of the results.
        outcomes: the videos.
        shared: notices of the whole batch, which are left out of the rows.
        add: keep the rows of other videos from earlier calls.

    Raises:
        StorageError: the file cannot be written.
    """
    names = {outcome.name for outcome in outcomes}
    rows = [row for row in _rows(folder) if row.get("name") not in names] if add else []
    rows += [_row(outcome, shared) for outcome in outcomes]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    path = folder / SUMMARY
    write_bytes(path, text.getvalue().encode("utf-8", "backslashreplace"))
    return path


def unreadable_in(folder: Path) -> list[Outcome]:
    """Videos that the summary of a folder lists as unreadable, with their reasons."""
    return [
        Outcome(row["name"], Localization(path=row["file"], status="unreadable", reason=row["reason"]))
        for row in _rows(folder)
        if row.get("status") == "unreadable"
    ]


def _row(outcome: Outcome, shared: Collection[str]) -> dict[str, Any]:
    r = outcome.result
    return {
        "file": r.path,
        "name": outcome.name,
        "status": r.status,
        "events": len(r.events),
        "reason": outcome.error or r.reason,
        "duration": f"{r.duration:.3f}",
        "decision": r.decision,
        "notices": "; ".join(notice for notice in r.notices if notice not in shared),
    }


def _rows(folder: Path) -> list[dict[str, Any]]:
    path = folder / SUMMARY
    if not path.is_file():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8", "replace"), newline="")))
