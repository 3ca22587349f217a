"""The budget, and the sentences about a paper's order; no training."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo import Experiment, ExperimentEdition, ExperimentRow, Published
from avelzoo.comparing import System, compare
from avelzoo.experiments.budget import Budget, Durations
from avelzoo.experiments.claims import claims
from avelzoo.experiments.results import CellResult, Score, TableResult
from avelzoo.metrics import Truth
from avelzoo.sweeps.plan import Trial


def trials(count, rows=("a", "b")):
    return [
        Trial(name=f"{row}-s{seed}", cell={"row": row}, seed=seed, composition={})
        for seed in range(count)
        for row in rows
    ]


class Clock:
    """A clock that the test moves on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def run_all(budget, clock, todo, seconds):
    """Names of the runs that start, and the time when the last one ends."""
    started = []
    for batch in budget.batches(todo):
        for trial in batch:
            started.append(trial.name)
            clock.now += seconds[trial.cell["row"]]
            budget.durations.add(trial, seconds[trial.cell["row"]])
    return started, clock.now


@pytest.mark.parametrize("expected", [10.0, 1.0, 60.0, None])
def test_no_run_starts_that_would_not_end_in_time(expected):
    """However wrong the first estimate, measured times take its place."""
    clock = Clock()
    budget = Budget(200.0, Durations(expected), workers=1, clock=clock)
    todo = trials(20)
    started, end = run_all(budget, clock, todo, {"a": 10.0, "b": 20.0})
    assert started == [trial.name for trial in todo[: len(started)]]
    assert budget.left_out == [trial.name for trial in todo[len(started) :]]
    if expected != 1.0:  # a tenth of the true time: the first batch may be too large
        assert end <= 200.0
        assert end > 150.0


def test_nothing_starts_without_time_and_everything_with_enough():
    for seconds, count in ((0.0, 0), (5.0, 0), (1e6, 40)):
        clock = Clock()
        budget = Budget(seconds, Durations(10.0), workers=2, clock=clock)
        started, _ = run_all(budget, clock, trials(20), {"a": 10.0, "b": 10.0})
        assert len(started) == count


def test_expected_time_of_runs_side_by_side():
    durations = Durations(None)
    assert durations.total(trials(2), 1) is None
    durations.add(trials(1)[0], 10.0)
    assert durations.total(trials(2), 1) == 40.0  # the other row is expected to take as long
    assert durations.total(trials(2), 2) == 20.0
    durations.add(trials(1)[1], 30.0)
    assert durations.total(trials(2), 2) == 50.0  # 10 + 10 + 30 beside 30


VIDEOS, SEGMENTS = 200, 10


def truth():
    labels = np.zeros((VIDEOS, SEGMENTS), dtype=np.int64)
    labels[:, :3] = 1
    return Truth(segments=labels, events=np.zeros(VIDEOS, dtype=np.int64), categories=("dog",))


def system(name, wrong):
    """Three trainings with errors in this share of the segments."""
    rng = np.random.default_rng(3)
    flips = rng.random((3, VIDEOS, SEGMENTS)) < wrong
    return System(name=name, segments=np.where(flips, 1 - truth().segments, truth().segments), seeds=(0, 1, 2))


def said(published, wrong, **changes):
    rows = tuple(
        ExperimentRow(
            name=name, title=f"row {name}", recipe="ead-b", x=i, published=(Published("full", "any", score, ""),)
        )
        for i, (name, score) in enumerate(published.items())
    )
    editions = (ExperimentEdition(name="e", summary=""),)
    experiment = Experiment(name="x", title="", rows=rows, editions=editions, reference="full", **changes)
    table = TableResult(
        supervision="full",
        features="",
        cells=tuple(
            CellResult(
                name=row.name, row=row.name, title=row.title, supervision="full", features="", composition={},
                published=(Score(value=published[row.name], features="any", source=""),),
            )
            for row in rows
        ),
    )  # fmt: skip
    systems = [system(name, share) for name, share in wrong.items()]
    comparison = compare(systems, truth(), [f"v{i}" for i in range(VIDEOS)], resamples=500)
    return list(claims(table, comparison, experiment))


PUBLISHED = {"full": 0.8, "less": 0.7, "least": 0.6}


@pytest.mark.parametrize(
    ("wrong", "counts", "verdict"),
    [
        ({"full": 0.05, "less": 0.2, "least": 0.4}, (3, 0, 0), "support the paper's order of all rows"),
        ({"full": 0.4, "less": 0.2, "least": 0.05}, (0, 3, 0), "do not support the paper's order"),
        ({"full": 0.05, "less": 0.051, "least": 0.4}, (2, 0, 1), "as far as they can tell rows apart"),
        ({"full": 0.2, "less": 0.2, "least": 0.2}, (0, 0, 3), "neither support nor contradict"),
        ({"full": 0.2, "less": 0.05, "least": 0.4}, (2, 1, 0), "in part"),
    ],
)
def test_sentences_follow_the_paired_tests(wrong, counts, verdict):
    of_reference, order = said(PUBLISHED, wrong)
    assert "confirm the order of {}, reverse {} and leave {} open".format(*counts) in order
    assert verdict in order
    assert of_reference.startswith("By paired tests, the row 'row full' is above ")


def test_sentences_of_a_curve():
    best = {"full": 0.2, "less": 0.05, "least": 0.4}
    (line,) = said(PUBLISHED, best, figure="line", axis="size")
    assert line.startswith("The highest mean accuracy is at row less (9")
    assert line.endswith("The tests separate it from every other value.")
    (line,) = said(PUBLISHED, dict.fromkeys(PUBLISHED, 0.1), figure="line", axis="size")
    assert line.endswith("these runs show no best size.")
