"""An experiment of two rows that takes a blink, run once, and the fixtures of the command line."""

from __future__ import annotations

import shutil

import pytest

from avelzoo import Experiment, ExperimentEdition, ExperimentRow, InlineConfig, Published
from avelzoo.experiments.request import BenchRequest
from avelzoo.experiments.running import BenchSettings, prepare, run_experiment
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost
from tests.cli.conftest import call, shell

__all__ = ["call", "shell"]

SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 12,
    "dataset.segments": 4,
    "dataset.negatives": 0,
    "encoder.width": 8,
    "train.epochs": 1,
    "train.batch_size": 8,
}


def small_experiment():
    """Two heads."""
    rows = tuple(
        ExperimentRow(
            name=name,
            title=f"{name} branch",
            recipe=f"{name}-branch",
            choices={"encoder": "mean-pool"},
            published=(Published("full", "VGG-19 + VGGish", score, "nowhere"),),
        )
        for name, score in (("single", 0.75), ("double", 0.80))
    )
    edition = ExperimentEdition(name="tiny", summary="one epoch", options=SMALL, seeds=1, seconds=10.0)
    return Experiment(
        name="small", title="two heads", rows=rows, editions=(edition,), supervisions=("full",), reference="single"
    )


class Small:
    """A plugin with the experiment."""

    @hookimpl
    def avelzoo_register(self, zoo):
        zoo.experiment("small", small_experiment)


@pytest.fixture(scope="session")
def host():
    made = PluginHost(entry_points=False)
    made.add(Small(), name="mine", distribution="mine", version="1")
    return made


@pytest.fixture(scope="session")
def bench(host):
    """A call of the experiment."""

    def run(path, *, request=None, **settings):
        prepared = prepare(host, "small", request or BenchRequest(), command=["avelzoo", "bench", "small"])
        how = BenchSettings(launcher=InlineConfig(), device="cpu", **settings)
        return run_experiment(host, prepared, path, how)

    return run


@pytest.fixture(scope="session")
def finished_once(bench, tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "small"
    return path, bench(path)


@pytest.fixture
def folder(finished_once, tmp_path):
    """A copy of the finished experiment."""
    return shutil.copytree(finished_once[0], tmp_path / "small")
