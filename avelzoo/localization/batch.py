"""Many videos, one after another: finished ones are kept, a bad one never stops the rest.

The scores of a finished video are one file, written at once, with the video's key (path, size, time of modification)
and the fingerprint of everything that changes scores. A later call scores a video again only if its key differs. A
folder holds scores of one fingerprint, others are refused; thresholds and formats are not part of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, RunError, StorageError, UsageError, explain
from avelzoo.extraction.ahead import one_ahead
from avelzoo.extraction.inputs import VideoFile, find_all
from avelzoo.extraction.locking import alone
from avelzoo.extraction.manifest import require_same
from avelzoo.extraction.throughput import Throughput
from avelzoo.localization.deciding import decided
from avelzoo.localization.localizer import Localizer
from avelzoo.localization.outputs import SCORES, Outputs
from avelzoo.localization.planning import Plan, plan_of
from avelzoo.localization.storing import Stored, load, save
from avelzoo.system.files import clear_scratch, make_folder
from avelzoo.system.stages import WRITING, StageTimes
from avelzoo.timeline.records import Localization


@dataclass(frozen=True)
class Outcome:
    """What became of a video.

    Attributes:
        name: the video's name in the output folder.
        result: its result.
        files: files that were written.
        resumed: whether its scores are those of an earlier call.
        error: why results could not be written; empty if they were.
        times: busy seconds by stage; empty for a video of an earlier call.
    """

    name: str
    result: Localization
    files: tuple[Path, ...] = ()
    resumed: bool = False
    error: str = ""
    times: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether there is no result, or it could not be written."""
        return self.result.status == "unreadable" or bool(self.error)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 if all videos have results, 1 if some have, 2 if none has."""
    failed = sum(outcome.failed for outcome in outcomes)
    return 2 if failed == len(outcomes) else 1 if failed else 0


def throughput(outcomes: Sequence[Outcome], seconds: float, *, start: float = 0.0) -> Throughput | None:
    """Speed of a batch; None if no video was read.

    Args:
        outcomes: the outcomes of the batch.
        seconds: time that it took.
        start: second at which reading began in each file.
    """
    times, read = StageTimes(), [o for o in outcomes if o.times and o.result.scores is not None]
    for outcome in outcomes:
        times.merge(outcome.times)
    length = sum(o.result.duration - start for o in read)
    return Throughput(videos=len(read), video_seconds=length, seconds=seconds, stages=times.seconds) if read else None


def videos_of(paths: Sequence[Path]) -> list[VideoFile]:
    """Videos of files and folders, with unique names; a folder without videos stays in the list and is reported.

    Raises:
        UsageError: nothing was named.
    """
    if not paths:
        raise UsageError("no videos named", expected="video files, or folders with videos")
    found, without = find_all(paths)
    empty = [VideoFile(path.name or "folder", path) for path in without]
    if not any(path.is_absolute() for path in paths):  # as the user named them
        found = [VideoFile(video.name, Path(os.path.relpath(video.path))) for video in found]
    return [*found, *empty]


def predict_batch(
    localizer: Localizer,
    videos: Iterable[VideoFile],
    outputs: Outputs | None = None,
    *,
    start: float = 0.0,
    duration: float | None = None,
) -> Iterator[Outcome]:
    """Results of the videos, in order, as they are finished. While one is scored, the next one is being decoded.

    Args:
        localizer: the localizer.
        videos: the videos.
        outputs: folder and formats of the results; None to write nothing.
        start: where to begin in each file, in seconds.
        duration: length to read of each file in seconds; None for the rest.

    Raises:
        RunError: another process writes into the folder.
        StorageError: the folder cannot be made.
        UsageError: the folder holds scores of other settings.
    """
    mark = fingerprint(localizer, start, duration)
    with _held(outputs):
        if outputs is not None:
            _require_own(outputs, mark)
        planned = (plan_of(localizer, video, outputs, mark) for video in videos)
        with closing(one_ahead(planned, Plan.start, Plan.close)) as plans:
            for plan in plans:
                yield _outcome(localizer, plan, outputs, mark)


def fingerprint(localizer: Localizer, start: float, duration: float | None) -> dict[str, Any]:
    """Everything that changes scores, as plain data."""
    return {
        "system": localizer.system.identity,
        **localizer.front.recipes,
        "seconds": localizer.front.seconds,
        "window": localizer.layout.window,
        "hop": localizer.layout.hop,
        "start": start,
        "duration": duration,
    }


def _require_own(outputs: Outputs, mark: Mapping[str, Any]) -> None:
    """Refuse a folder with scores of another fingerprint; all readable scores of a folder have the same."""
    for path in outputs.stored():
        try:
            there = load(path).fingerprint
        except DataError:
            continue  # damaged; scored again
        require_same(there, mark, "the folder holds scores of other settings", where=outputs.folder)
        return


def _outcome(localizer: Localizer, plan: Plan, outputs: Outputs | None, mark: Mapping[str, Any]) -> Outcome:
    scored = plan.known or _score_or_reason(localizer, plan, mark)
    times = StageTimes() if plan.reader is None else plan.reader.times
    with times.timed(WRITING):
        outcome = _written(localizer, plan, outputs, mark, scored)
    return outcome if plan.reader is None else replace(outcome, times=times.seconds)


def _written(
    localizer: Localizer, plan: Plan, outputs: Outputs | None, mark: Mapping[str, Any], scored: Localization
) -> Outcome:
    result = decided(scored, localizer.rule, own=localizer.rule is localizer.system.rule)
    name = plan.video.name
    if outputs is None:
        return Outcome(name, result)
    path = outputs.scores(name)
    try:
        if result.status == "unreadable":
            path.unlink(missing_ok=True)  # scores of an earlier file of this name
        elif plan.known is None:
            make_folder(path.parent)
            save(path, Stored(scored, replace(localizer.system.rule, decide=None), plan.key, mark))
        files = outputs.write(name, result, threshold=localizer.rule.threshold)
    except (StorageError, OSError) as error:
        said = explain(error)
        return Outcome(name, result, error=f"{said.problem}: {said.found or said.where}")
    return Outcome(name, result, tuple(files), resumed=plan.known is not None)


def _score_or_reason(localizer: Localizer, plan: Plan, mark: Mapping[str, Any]) -> Localization:
    """Scores of a video; the status ``unreadable`` and a reason for files that cannot be read."""
    try:
        if plan.reader is None:
            raise DataError("a folder without videos")
        return localizer.score(plan.reader, start=mark["start"])
    except (DataError, OSError) as error:
        said = explain(error)
        reason = f"{said.problem}: {said.found}" if said.found else said.problem
        return Localization(path=str(plan.video.path), status="unreadable", reason=reason)


@contextmanager
def _held(outputs: Outputs | None) -> Iterator[None]:
    """Hold the output folder for this process."""
    if outputs is None:
        yield
        return
    folder = outputs.folder / SCORES
    make_folder(folder)
    with alone(folder) as free:
        if not free:
            raise RunError(
                "another process writes results into this folder",
                where=str(outputs.folder),
                fix="wait until it ends, or choose another folder with --out",
            )
        for left in (outputs.folder, folder):
            clear_scratch(left)
        yield
