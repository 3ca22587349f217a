"""Many videos, one after another: finished ones are kept, a bad one never stops the rest.

The scores of a finished video are one file, written at once, with the video's key (path, size, time of modification)
and the fingerprint of everything that changes scores. A later call scores a video again only if its key differs. A
folder holds scores of one fingerprint, others are refused; thresholds and formats are not part of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, RunError, StorageError, UsageError, explain
from avelzoo.extraction.inputs import VideoFile, find_videos
from avelzoo.extraction.locking import alone
from avelzoo.extraction.manifest import require_same
from avelzoo.extraction.record import video_key
from avelzoo.localization.deciding import decided
from avelzoo.localization.localizer import Localizer
from avelzoo.localization.outputs import SCORES, Outputs
from avelzoo.localization.storing import Stored, load, save
from avelzoo.system.files import clear_scratch, make_folder
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
    """

    name: str
    result: Localization
    files: tuple[Path, ...] = ()
    resumed: bool = False
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether there is no result, or it could not be written."""
        return self.result.status == "unreadable" or bool(self.error)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 if all videos have results, 1 if some have, 2 if none has."""
    failed = sum(outcome.failed for outcome in outcomes)
    return 2 if failed == len(outcomes) else 1 if failed else 0


def videos_of(paths: Sequence[Path]) -> list[VideoFile]:
    """Videos of files and folders, with unique names; a folder without videos stays in the list and is reported.

    Raises:
        UsageError: nothing was named.
    """
    if not paths:
        raise UsageError("no videos named", expected="video files, or folders with videos")
    empty = []
    for path in dict.fromkeys(paths):
        if path.is_dir():
            try:
                find_videos([path])
            except UsageError:
                empty.append(VideoFile(path.name or "folder", path))
    rest = [path for path in paths if path not in {video.path for video in empty}]
    found = find_videos(rest) if rest else []
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
    """Results of the videos, in order, as they are finished.

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
        for video in videos:
            yield _outcome(localizer, video, outputs, mark)


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


def _outcome(
    localizer: Localizer,
    video: VideoFile,
    outputs: Outputs | None,
    mark: Mapping[str, Any],
) -> Outcome:
    key, known = _key(video.path), None
    if outputs is not None and key:
        known = _kept(outputs.scores(video.name), video.path, key, mark)
    scored = known or score_or_reason(localizer, video.path, start=mark["start"], duration=mark["duration"])
    result = decided(scored, localizer.rule, own=localizer.rule is localizer.system.rule)
    if outputs is None:
        return Outcome(video.name, result)
    path = outputs.scores(video.name)
    try:
        if result.status == "unreadable":
            path.unlink(missing_ok=True)  # scores of an earlier file of this name
        elif known is None:
            make_folder(path.parent)
            save(path, Stored(scored, replace(localizer.system.rule, decide=None), key, mark))
        files = outputs.write(video.name, result, threshold=localizer.rule.threshold)
    except (StorageError, OSError) as error:
        said = explain(error)
        return Outcome(video.name, result, error=f"{said.problem}: {said.found or said.where}")
    return Outcome(video.name, result, tuple(files), resumed=known is not None)


def score_or_reason(
    localizer: Localizer, path: Path, *, start: float = 0.0, duration: float | None = None
) -> Localization:
    """Scores of a video; the status ``unreadable`` and a reason for files that cannot be read."""
    try:
        if path.is_dir():
            raise DataError("a folder without videos")
        return localizer.score(path, start=start, duration=duration)
    except (DataError, OSError) as error:
        said = explain(error)
        reason = f"{said.problem}: {said.found}" if said.found else said.problem
        return Localization(path=str(path), status="unreadable", reason=reason)


def _key(path: Path) -> str:
    try:
        return video_key(path)
    except OSError:
        return ""


def _kept(path: Path, named: Path, key: str, mark: Mapping[str, Any]) -> Localization | None:
    """The result of an earlier call, if nothing that changes scores differs."""
    if not path.is_file():
        return None
    try:
        stored = load(path)
    except DataError:
        return None  # damaged by something else than this program, which writes whole files; scored again
    return replace(stored.result, path=str(named)) if stored.key == key and stored.fingerprint == mark else None


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
