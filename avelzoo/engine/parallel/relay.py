"""How a run goes, told through a file by the process that knows to the one that shows it."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avelzoo.engine.progress import Watcher
from avelzoo.engine.rundir import RunWarning

_PAUSE = 0.1
"""Seconds between two steps that are told."""


class Relay:
    """A watcher that writes down what it is told, a line each. Steps in quick succession are passed over.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = 0.0

    def begin(self, epochs: int, done: int) -> None:
        """Training begins, or goes on."""
        self._tell("begin", epochs=epochs, done=done)

    def step(self, epoch: int, step: int, steps: int) -> None:
        """A step is done."""
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            self._tell("step", epoch=epoch, step=step, steps=steps)

    def epoch(self, epoch: int, line: Mapping[str, Any], best: bool) -> None:
        """An epoch is done."""
        self._tell("epoch", epoch=epoch, line=dict(line), best=best)

    def end(self) -> None:
        """Whoever listens sees the end of the process."""

    def warn(self, text: str) -> None:
        """A warning was given."""
        self._tell("warning", text=text)

    def _tell(self, event: str, **values: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event} | values) + "\n")


class Listener:
    """Reads what a `Relay` writes, and tells a watcher.

    Args:
        path: the file; it need not be there yet.
        watcher: is told.
    """

    def __init__(self, path: Path, watcher: Watcher) -> None:
        self._path, self._watcher = path, watcher
        self._read = 0

    def listen(self) -> None:
        """Pass on whatever is new."""
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
                getattr(self._watcher, event)(**values)
