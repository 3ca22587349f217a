"""The folder of a sweep.

- ``sweep.json``: the plan, every trial with its whole composition
- ``runs/NAME/``: a run folder for each trial
- ``logs/NAME.log``: output of the trial's process, if it had its own process
- ``results.json``, ``table.md``: means and standard deviations, written when the launcher has finished or stopped
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from avelzoo.errors import RunError, some
from avelzoo.sweeps.plan import Plan, Trial

PLAN = "sweep.json"


def sweep_name(trials: Sequence[Trial]) -> str:
    """Name of a new folder for these trials."""
    recipes = dict.fromkeys(trial.composition["recipe"].rpartition("/")[2] for trial in trials)
    return "-".join([*recipes][:3]) + "-sweep"


@dataclass(frozen=True)
class SweepDir:
    """Paths of one sweep.

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
        return self.path / "results.json"

    @property
    def table(self) -> Path:
        """The results as a table."""
        return self.path / "table.md"

    def run(self, trial: Trial) -> Path:
        """The run folder of a trial."""
        return self.path / "runs" / trial.name

    def log(self, trial: Trial) -> Path:
        """Log of a trial's process."""
        return self.path / "logs" / f"{trial.name}.log"

    def load(self) -> Plan:
        """Read the plan.

        Raises:
            RunError: the plan is missing or damaged.
        """
        from avelzoo.system.files import read_json

        data = read_json(self.path, PLAN)
        try:
            return Plan.from_dict(data)
        except (KeyError, TypeError) as error:
            raise RunError("the plan of the sweep is incomplete", where=str(self.plan), found=str(error)) from error

    def begun(self) -> dict[str, tuple[str | None, Mapping[str, str]]]:
        """Folder and fingerprint of the data of every started run, by the run's name."""
        from avelzoo.engine.record import location
        from avelzoo.system.files import read_json

        found = {}
        for path in sorted(self.path.glob("runs/*/composition.json")):
            with suppress(RunError):  # a damaged record is reported by its own run
                record = read_json(path.parent, path.name)
                found[path.parent.name] = (location(record), record.get("data", {}))
        return found

    def keep(self, plan: Plan, *, resume: bool) -> Plan:
        """Write the plan; with ``resume``, replace an earlier plan whose trials are all in the new one.

        Returns:
            The plan; earlier trials keep their names.

        Raises:
            RunError: the folder holds a sweep or a run, or on resuming a different sweep.
        """
        from avelzoo.engine import RunDir
        from avelzoo.system.files import write_json

        if not self.plan.exists():
            RunDir(self.path).require_free()
        elif not resume:
            raise RunError(
                f"'{self.path}' already holds a sweep",
                fix="choose another folder with --out, or continue this sweep with --resume",
            )
        else:
            plan = self._extended(plan)
        write_json(self.plan, plan.to_dict())
        return plan

    def _extended(self, plan: Plan) -> Plan:
        before = self.load().trials
        one_folder = all(len({trial.data_root for trial in trials}) == 1 for trials in (before, plan.trials))
        identity = attrgetter("identity_without_root" if one_folder else "identity")  # the data folder may have moved
        there = {identity(trial): trial for trial in before}
        asked = set(map(identity, plan.trials))
        lost = [trial.name for key, trial in there.items() if key not in asked]
        if lost:
            raise RunError(
                f"the sweep in '{self.path}' has other runs than requested",
                found=some(lost, 6),
                expected="a request that includes all its runs; values and seeds may be added",
                fix=f"`avelzoo run --resume {self.path}` continues with its own runs",
            )
        names = {trial.name for trial in there.values()}
        trials = []
        for trial in plan.trials:
            old = there.get(identity(trial))
            fresh = trial if trial.name not in names else replace(trial, name=f"{trial.name}-new")
            trials.append(replace(trial, name=old.name) if old else fresh)
        return replace(plan, trials=tuple(trials))
