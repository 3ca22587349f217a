"""The videos of an extraction as jobs of a launcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from avelzoo import errors
from avelzoo.components import LauncherConfig
from avelzoo.errors import AvelzooError, StorageError, TrainingError, reason
from avelzoo.extraction.inputs import VideoFile
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.record import Record, video_key
from avelzoo.extraction.request import ExtractionRequest
from avelzoo.extraction.work import CALL, calling
from avelzoo.jobs import Job
from avelzoo.plugin.default import as_default
from avelzoo.plugin.host import PluginHost
from avelzoo.system.stages import StageTimes

CHUNK = 8
"""Largest number of videos of a job in its own process."""

OnVideo = Callable[[str, Record, int, int], None]
"""Called after each video with its name, its record, the number of finished videos and the number of all videos."""


@dataclass(frozen=True)
class Task:
    """A video of the extraction; a file that cannot be used has its failure instead of a key."""

    video: VideoFile
    key: str
    missing: Record | None = None


def task_of(video: VideoFile, *, by_content: bool) -> Task:
    """The task of a video; a file that cannot be used is a failure at once."""
    try:
        if video.path.is_dir():
            return Task(video, "", Record(key="", status="failed", reason="a folder, not a video"))
        return Task(video, video_key(video.path, by_content=by_content))
    except OSError as error:
        return Task(video, "", Record(key="", status="failed", reason=reason(error)))


class Runner:
    """Runs the videos of one process's share as jobs.

    Attributes:
        times: busy time of the stages, of all processes together.
        read: records of the videos that this call extracted.
    """

    def __init__(
        self,
        request: ExtractionRequest,
        journal: Journal,
        host: PluginHost,
        launcher: LauncherConfig,
        on_video: OnVideo | None,
    ) -> None:
        self._request, self._journal, self._host = request, journal, host
        self._launcher, self._on_video = launcher, on_video
        self.times = StageTimes()
        self.read: list[Record] = []

    def run(self, tasks: Sequence[Task]) -> int:
        """Extract every video that has no record; returns the number of videos that already had one.

        Raises:
            AvelzooError: an error that is not of one video, such as a full disk.
        """
        pending = {task.key: task for task in tasks if task.missing is None and self._is_due(task)}
        if self._request.retry_failed:
            for key in pending:
                self._journal.forget(key)
        over = len(tasks) - len(pending)
        resumed = over - sum(task.missing is not None for task in tasks)
        for task in tasks:
            if task.missing is not None:
                self._tell(task, task.missing, over, len(tasks))

        def finished(key: str) -> None:
            nonlocal over
            if key in pending and (record := self._journal.record(key)) is not None:
                over += 1
                self.read.append(record)
                self._tell(pending.pop(key), record, over, len(tasks))

        while pending:
            jobs = {job.name: job for job in self._jobs(list(pending.values()))}
            before = len(pending)
            launched = self._launcher.build().launch(list(jobs.values()))
            with as_default(self._host), calling(finished), closing(launched) as outcomes:
                for outcome in outcomes:
                    keys = [video["key"] for video in jobs[outcome.job].arguments["videos"]]
                    if outcome.error is not None:
                        self._blame(keys, outcome.error)
                    else:
                        self.times.merge(outcome.value)
                    for key in keys:
                        finished(key)
            if len(pending) == before:
                raise StorageError(
                    "the launcher's jobs leave no records in the output folder",
                    where=str(self._request.out),
                    fix="choose a folder that every machine of the launcher sees under the same path",
                )
        return resumed

    def _is_due(self, task: Task) -> bool:
        record = self._journal.record(task.key)
        return record is None or (self._request.retry_failed and record.failed)

    def _jobs(self, tasks: Sequence[Task]) -> Iterator[Job]:
        """One job in this process, which decodes ahead; a few videos per job in others, which load the extractors."""
        size = max(1, min(CHUNK, len(tasks) // 16)) if self._launcher.isolated else len(tasks)
        features, out = asdict(self._request.features), str(self._request.out.absolute())
        for start in range(0, len(tasks), size):
            part = [{"key": task.key, "path": str(task.video.path)} for task in tasks[start : start + size]]
            plugins = [str(file) for file in self._host.files]
            arguments = {"out": out, "videos": part, "features": features, "plugins": plugins}
            yield Job(name=f"videos-{start + 1}", call=CALL, arguments=arguments)

    def _blame(self, keys: Sequence[str], error: Mapping[str, Any]) -> None:
        """Record a death of a job's process as the failure of the video in progress; any other error stops everything.

        Raises:
            AvelzooError: the error is not of one video.
        """
        if error["error"] not in (TrainingError.__name__, AvelzooError.__name__):
            kind: type[AvelzooError] = getattr(errors, str(error["error"]), AvelzooError)
            parts = {name: str(error[name]) for name in ("where", "found", "expected", "fix")}
            raise kind(str(error["problem"]), **parts)
        key = next((key for key in keys if self._journal.record(key) is None), None)
        if key is not None:
            self._journal.fail(key, "its process died: " + str(error["found"] or error["problem"]))

    def _tell(self, task: Task, record: Record, over: int, of: int) -> None:
        if self._on_video is not None:
            self._on_video(task.video.name, record, over, of)
