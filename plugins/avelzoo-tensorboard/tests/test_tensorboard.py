"""A run with the tracker leaves event files that TensorBoard reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from avelzoo_tensorboard import plugin

from avelzoo.plugin.host import PluginHost, PluginWarning
from avelzoo.plugin.lifecycle import Lifecycle, RunView, flat


@pytest.fixture
def lifecycle():
    host = PluginHost(entry_points=False)
    host.add(plugin, name="tensorboard")
    return Lifecycle(host)


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_epochs_and_result_are_written(lifecycle, tmp_path):
    run = RunView(path=tmp_path, composition=None)
    lifecycle.started(run)
    for epoch in (1, 2):
        lifecycle.epoch(run, epoch, {"epoch": epoch, "loss": 1 / epoch, "val": {"segment_accuracy": 0.5 * epoch}})
    result = SimpleNamespace(best_epoch=2, scores={"test": {"segment_accuracy": 0.75}})
    lifecycle.finished(run, result, None)
    found = scalars(tmp_path / "tensorboard")
    assert found["loss"] == [(1, 1.0), (2, 0.5)]
    assert found["val/segment_accuracy"] == [(1, 0.5), (2, 1.0)]
    assert found["test/segment_accuracy"] == [(2, 0.75)]


def test_a_failing_tracker_is_a_warning(lifecycle, tmp_path):
    run = RunView(path=tmp_path / "never-started", composition=None)
    with pytest.warns(
        PluginWarning,
        match="plugin 'tensorboard' failed in avelzoo_epoch_finished and is left out of this run: KeyError",
    ):
        lifecycle.epoch(run, 1, {"loss": 1.0})


def test_flat_names():
    assert flat({"a": 1, "b": {"c": 2.5, "d": {"e": 3}}, "name": "x", "on": True}) == {
        "a": 1.0,
        "b.c": 2.5,
        "b.d.e": 3.0,
    }
