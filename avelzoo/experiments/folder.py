"""The folder of an experiment.

- ``plan.json``: the hashed plan, written before the first run
- ``sweep/``: the runs, as a sweep: ``sweep/runs/NAME`` are run folders
- ``results.json``: scores, tests, costs, signatures; ``predictions.npz``: labels and predictions of every run on test
- ``table.md``, ``table.tex``, ``table.csv``: the table; ``*.svg``: the figure, if the experiment has one
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from avelzoo.errors import RunError
from avelzoo.experiments.plan import BenchPlan
from avelzoo.sweeps.folder import SweepDir
from avelzoo.system.files import make_folder, read_json, write_json

PLAN = "plan.json"
RESULTS = "results.json"


@dataclass(frozen=True)
class BenchDir:
    """Paths of an experiment.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def plan(self) -> Path:
        """The plan."""
        return self.path / PLAN

    @property
    def results(self) -> Path:
        """The results as JSON."""
        return self.path / RESULTS

    @property
    def predictions(self) -> Path:
        """Labels and predictions on test."""
        return self.path / "predictions.npz"

    @property
    def sweep(self) -> SweepDir:
        """The runs."""
        return SweepDir(self.path / "sweep")

    def table(self, ending: str) -> Path:
        """The table: ``md``, ``tex`` or ``csv``."""
        return self.path / f"table.{ending}"

    def figure(self, name: str) -> Path:
        """A figure."""
        return self.path / f"{name}.svg"

    def load(self) -> BenchPlan:
        """Read the plan.

        Raises:
            RunError: the plan is missing, damaged or changed by hand.
        """
        if not self.plan.exists():
            raise RunError(
                f"'{self.path}' holds no experiment" if self.path.is_dir() else f"there is no folder '{self.path}'",
                expected=f"a folder with {PLAN}",
                fix="name a folder that `avelzoo bench` made",
            )
        return BenchPlan.from_dict(read_json(self.path, PLAN), where=str(self.plan))

    def keep(self, plan: BenchPlan, *, resume: bool) -> BenchPlan:
        """Write the plan, or on resuming the stored plan with its amendments.

        Raises:
            RunError: the folder holds an experiment, or on resuming another plan.
        """
        if not self.plan.exists():
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise RunError(f"'{self.path}' is not empty", fix="choose another folder with --out")
            now = datetime.now(UTC).isoformat(timespec="seconds")
            plan = replace(plan, written=now, first_hash=plan.hash)
        elif not resume:
            raise RunError(
                f"'{self.path}' already holds an experiment",
                fix=f"choose another folder with --out, or continue this one: avelzoo bench {self.path} --resume",
            )
        else:
            plan = self.load().amended(plan, where=str(self.path))
        make_folder(self.path)
        write_json(self.plan, plan.to_dict())
        return plan
