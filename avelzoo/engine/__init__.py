"""Training, evaluation and the run folder. The only place that knows every kind of part."""

from __future__ import annotations

from avelzoo.engine.loading import LoadedRun, evaluate, load_run, save_import
from avelzoo.engine.result import RunResult
from avelzoo.engine.rundir import RunDir
from avelzoo.engine.running import run

__all__ = ["LoadedRun", "RunDir", "RunResult", "evaluate", "load_run", "run", "save_import"]
