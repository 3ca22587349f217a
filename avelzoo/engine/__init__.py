"""Training, evaluation and the run folder. The only place that knows every kind of part."""

from __future__ import annotations

from avelzoo.engine.evaluation import load_answers
from avelzoo.engine.loading import LoadedRun, evaluate, load_run, save_import
from avelzoo.engine.progress import Watcher
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir, RunWarning
from avelzoo.engine.running import run

__all__ = [
    "LoadedRun",
    "RunDir",
    "RunResult",
    "RunWarning",
    "Watcher",
    "evaluate",
    "load_answers",
    "load_run",
    "run",
    "save_import",
]
