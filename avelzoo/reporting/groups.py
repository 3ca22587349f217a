"""Groups of test videos: by length of the event, and from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avelzoo.comparing.group_files import file_groups
from avelzoo.metrics.groups import run_length_groups
from avelzoo.reporting.runs import ReportRun


def groups_of(run: ReportRun, file: Path | None) -> dict[str, np.ndarray]:
    """Groups of a run's test videos: name -> (v) bool. Groups may overlap.

    Args:
        run: the run.
        file: file of groups, as `file_groups` reads it; None for the groups by length of the event only.

    Raises:
        DataError: the file is missing or damaged, or names neither videos nor categories of the run.
    """
    truth = run.labelled.truth
    found = {
        name if "segment" in name else f"event: {name}": inside for name, inside in run_length_groups(truth).items()
    }
    return found if file is None else found | dict(file_groups(file, truth, run.labelled.video_ids))
