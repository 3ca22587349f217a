"""The events of a run in a file, written by rank 0 and read by the launching process."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from avelzoo.engine.run_events import RunEvents
from avelzoo.engine.rundir import RunWarning
from avelzoo.plugin.listeners import Listener, RunView

_PAUSE = 0.1
"""Least time between two written steps, in seconds."""


@final
class EventFileWriter(Listener):
    """Writes one line per event; of steps in quick succession, only some are written.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0.0

    def run_started(self, run: RunView) -> None:
        """Training begins, or resumes."""
        self._write("run_started", epochs_done=run.epochs_done)

    def step_finished(self, epoch: int, step: int, steps: int) -> None:
        """A step is done."""
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            self._write("step_finished", epoch=epoch, step=step, steps=steps)

    def epoch_finished(self, epoch: int, metrics: Mapping[str, Any], best: bool) -> None:
        """An epoch is done."""
        self._write("epoch_finished", epoch=epoch, metrics=dict(metrics), best=best)

    def warn(self, text: str) -> None:
        """A warning was given."""
        self._write("warning", text=text)

    def _write(self, event: str, **values: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event} | values) + "\n")


class EventFileReader:
    """Reads the events of an `EventFileWriter`. The run ends when its process ends.

    Args:
        path: the file; it may not exist yet.
        events: receives the events.
    """

    def __init__(self, path: Path, events: RunEvents) -> None:
        self._path, self._events = path, events
        self._read = 0

    def poll(self) -> None:
        """Pass on new events."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            news = file.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            values = json.loads(line)
            event = values.pop("event")
            if event == "warning":
                warnings.warn(values["text"], RunWarning, stacklevel=2)
            else:
                getattr(self._events, event)(**values)
