"""Checks for launchers. The jobs call the standard library, so that their processes start fast."""

from __future__ import annotations

from contextlib import closing

from avelzoo.components import LauncherConfig
from avelzoo.jobs import Job, Outcome


def check_values_come_back(config: LauncherConfig) -> None:
    """Every job has one outcome, with its name and return value."""
    jobs = [_echo(f"job {i}", {"i": i, "list": [1.5, None, "text"]}) for i in range(3)]
    found = _run(config, jobs)
    for job in jobs:
        assert found[job.name].error is None, f"{job.name} failed: {found[job.name].error}"
        assert found[job.name].value == job.arguments, f"{job.name} returned {found[job.name].value}"
        assert found[job.name].seconds >= 0, "it took less than no time"


def check_no_jobs(config: LauncherConfig) -> None:
    """An empty list of jobs is not an error."""
    assert list(config.build().launch([])) == [], "there are outcomes without jobs"


def check_a_failure_stays_alone(config: LauncherConfig) -> None:
    """A job that raises has an outcome with the error; the other jobs finish."""
    jobs = [_echo("before"), Job(name="bad", call="json:loads", arguments={"s": "{"}), _echo("after")]
    found = _run(config, jobs)
    assert [name for name, outcome in found.items() if outcome.error is not None] == ["bad"]
    error = found["bad"].error or {}
    assert "JSONDecodeError" in error["problem"], f"the fault is not told: {error}"
    assert found["bad"].value is None, "a job that failed has a value"


def check_an_unknown_call_is_told(config: LauncherConfig) -> None:
    """A missing function is reported as a failure with its name."""
    found = _run(config, [Job(name="lost", call="no_such_module:f")])
    assert "no_such_module" in (found["lost"].error or {})["problem"]


def check_a_death_stays_alone(config: LauncherConfig) -> None:
    """If jobs are isolated, a process that ends silently is reported as a failure; the other jobs finish."""
    if not config.isolated:
        return
    found = _run(config, [_echo("before"), Job(name="dead", call="os:_exit", arguments={"status": 9}), _echo("after")])
    assert [name for name, outcome in found.items() if outcome.error is not None] == ["dead"]
    assert "dead" in (found["dead"].error or {})["problem"], f"the job is not named: {found['dead'].error}"


def check_can_be_stopped(config: LauncherConfig) -> None:
    """The iterator can be closed before all jobs are done, and the launcher used again."""
    launcher = config.build()
    with closing(launcher.launch([_echo(f"job {i}") for i in range(4)])) as outcomes:
        next(outcomes)
    assert {outcome.job for outcome in launcher.launch([_echo("again")])} == {"again"}


def _echo(name: str, arguments: dict[str, object] | None = None) -> Job:
    return Job(name=name, call="builtins:dict", arguments=arguments or {})


def _run(config: LauncherConfig, jobs: list[Job]) -> dict[str, Outcome]:
    outcomes = list(config.build().launch(jobs))
    names = [outcome.job for outcome in outcomes]
    assert sorted(names) == sorted(job.name for job in jobs), f"there are outcomes of {names}"
    return {outcome.job: outcome for outcome in outcomes}
