"""Groups of test videos: by length of the event, and from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from avelzoo.errors import UsageError, first_line, some
from avelzoo.metrics.groups import run_length_groups
from avelzoo.reporting.runs import ReportRun


def groups_of(run: ReportRun, file: Path | None) -> dict[str, np.ndarray]:
    """Groups of a run's test videos: name -> (v) bool. Groups may overlap.

    Args:
        run: the run.
        file: JSON file ``{"group": ["video or category", ...], ...}``; None for the groups by length of the event only.

    Raises:
        UsageError: the file cannot be read, or names neither videos nor categories of the run.
    """
    truth = run.labelled.truth
    found = {
        f"{name} event segments" if name.isdecimal() else f"event: {name}": inside
        for name, inside in run_length_groups(truth).items()
    }
    if file is None:
        return found
    ids = np.array([str(name) for name in run.labelled.video_ids])
    category = np.array([*truth.categories, ""])[truth.events]
    for name, members in _read(file).items():
        unknown = sorted(set(members) - set(ids) - set(truth.categories))
        if unknown:
            raise UsageError(
                "a group names neither a test video nor a category",
                where=f"{file}, group '{name}'",
                found=some(unknown),
                expected=f"ids such as {ids[0]}, or categories such as {truth.categories[0]}",
            )
        found[name] = np.isin(ids, members) | np.isin(category, members)
    return found


def _read(file: Path) -> Mapping[str, list[str]]:
    expected = '{"group": ["video or category", ...], ...}'
    try:
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            "the file of groups cannot be read", where=str(file), found=first_line(error), expected=expected
        ) from error
    fits = isinstance(data, dict) and all(
        isinstance(members, list) and all(isinstance(one, str) for one in members) for members in data.values()
    )
    if not fits:
        raise UsageError("the file of groups has the wrong form", where=str(file), expected=expected)
    read: dict[str, list[str]] = data
    return read
