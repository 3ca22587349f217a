"""Training, evaluation and the run folder; the only layer that uses every kind of component."""

from __future__ import annotations

from avelzoo.engine.importing import save_import
from avelzoo.engine.loading import Evaluation, LoadedRun, evaluate, evaluation, load_run
from avelzoo.engine.naming import new_folder
from avelzoo.engine.progress import ProgressBar
from avelzoo.engine.record import recorded_threads
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir, RunWarning
from avelzoo.engine.running import run
from avelzoo.metrics.stored import load_predictions

__all__ = [
    "Evaluation",
    "LoadedRun",
    "ProgressBar",
    "RunDir",
    "RunResult",
    "RunWarning",
    "evaluate",
    "evaluation",
    "load_predictions",
    "load_run",
    "new_folder",
    "recorded_threads",
    "run",
    "save_import",
]
