"""A run with the tracker leaves event files that TensorBoard reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from avelzoo_tensorboard import plugin

from avelzoo.engine import RunWarning
from avelzoo.engine.run_events import RunEvents
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.listeners import RunView, flat, plugin_listeners


@pytest.fixture
def events(tmp_path):
    host = PluginHost(entry_points=False)
    host.add(plugin, name="tensorboard")
    return RunEvents(plugin_listeners(host), RunView(path=tmp_path, composition=None))


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_epochs_and_result_are_written(events, tmp_path):
    with events:
        events.run_started(0)
        for epoch in (1, 2):
            line = {"epoch": epoch, "loss": 1 / epoch, "val": {"segment_accuracy": 0.5 * epoch}}
            events.epoch_finished(epoch - 1, line, True)
        events.result = SimpleNamespace(best_epoch=2, scores={"test": SimpleNamespace(segment_accuracy=0.75)})
    found = scalars(tmp_path / "tensorboard")
    assert found["loss"] == [(1, 1.0), (2, 0.5)]
    assert found["val/segment_accuracy"] == [(1, 0.5), (2, 1.0)]
    assert found["test/segment_accuracy"] == [(2, 0.75)]


def test_a_failing_tracker_is_a_warning(events, monkeypatch):
    events.run_started(0)
    monkeypatch.setattr(plugin, "_writers", {})
    with pytest.warns(
        RunWarning,
        match="plugin 'tensorboard' failed in epoch_finished and receives no further events of this run: KeyError",
    ):
        events.epoch_finished(0, {"loss": 1.0}, False)


def test_flat_names():
    assert flat({"a": 1, "b": {"c": 2.5, "d": {"e": 3}}, "name": "x", "on": True}) == {
        "a": 1.0,
        "b.c": 2.5,
        "b.d.e": 3.0,
    }
