"""Sweeps: a plan of trials, a launcher that runs them, a table of means and standard deviations."""

from __future__ import annotations

from avelzoo.sweeps.calling import sweep
from avelzoo.sweeps.plan import Axis, Plan, Trial
from avelzoo.sweeps.results import Cell, Failure, Spread, SweepResult

__all__ = ["Axis", "Cell", "Failure", "Plan", "Spread", "SweepResult", "Trial", "sweep"]
