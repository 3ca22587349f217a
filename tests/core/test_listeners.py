"""Trackers: each hears of the run, whatever the others do."""

from __future__ import annotations

import warnings

import pytest

from avelzoo.engine import RunWarning
from avelzoo.engine.run_events import RunEvents
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.listeners import RunView, plugin_listeners


class Tracker:
    """Notes what it hears; raises in one hook."""

    def __init__(self, error=None, hook="epoch"):
        self.error, self.hook, self.heard = error, hook, []

    @hookimpl
    def avelzoo_run_started(self, run):
        self._hear("started")

    @hookimpl
    def avelzoo_epoch_finished(self, run, epoch, metrics):
        self._hear("epoch")
        self.metrics = dict(metrics)

    @hookimpl
    def avelzoo_run_finished(self, run, result, error):
        self._hear("finished")

    def _hear(self, hook):
        self.heard.append(hook)
        if self.error is not None and hook == self.hook:
            raise self.error


def follow(host, tmp_path, epochs=2):
    with RunEvents(plugin_listeners(host), RunView(path=tmp_path, composition=None)) as events:
        events.run_started(0)
        for epoch in range(epochs):
            events.epoch_finished(epoch, {"loss": 1.0}, False)


def listen(**trackers):
    host = PluginHost(entry_points=False)
    for name, tracker in trackers.items():
        host.add(tracker, name=name)
    return host


WHOLE = ["started", "epoch", "epoch", "finished"]


@pytest.mark.parametrize(
    "error",
    [ValueError("disk full"), SystemExit("disk full"), GeneratorExit(), type("Own", (KeyboardInterrupt,), {})()],
)
@pytest.mark.parametrize(("hook", "heard"), [("started", 1), ("epoch", 2), ("finished", 4)])
def test_a_failing_tracker_is_named_once_and_the_others_hear_everything(tmp_path, error, hook, heard):
    first, failing, last = Tracker(), Tracker(error, hook), Tracker()
    with pytest.warns(RunWarning) as told:
        follow(listen(first=first, failing=failing, last=last), tmp_path)
    assert first.heard == last.heard == WHOLE
    assert failing.heard == WHOLE[:heard]
    assert len(told) == 1
    text = str(told[0].message)
    assert text.startswith("plugin 'failing' failed in ")
    assert f"receives no further events of this run: {type(error).__name__}" in text


def test_several_failing_trackers_are_each_named(tmp_path):
    last = Tracker()
    with pytest.warns(RunWarning) as told:
        follow(listen(a=Tracker(ValueError()), b=Tracker(ValueError()), last=last), tmp_path)
    assert sorted(str(w.message).split("'")[1] for w in told) == ["a", "b"]
    assert last.heard == WHOLE


def test_a_warning_that_is_made_an_error_comes_after_all_calls(tmp_path):
    trackers = {"a": Tracker(), "failing": Tracker(ValueError("no"), "started"), "z": Tracker()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RunWarning, match="'failing'"):
            follow(listen(**trackers), tmp_path)
    assert all("started" in tracker.heard for tracker in trackers.values())


def test_the_next_run_asks_everybody_again(tmp_path):
    host, failing = PluginHost(entry_points=False), Tracker(ValueError("no"), "started")
    host.add(failing, name="failing")
    for _ in range(2):
        with pytest.warns(RunWarning):
            follow(host, tmp_path)
    assert failing.heard == ["started", "started"]


def test_a_key_press_passes(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        follow(listen(tracker=Tracker(KeyboardInterrupt())), tmp_path)


def test_a_tracker_cannot_take_numbers_from_another(tmp_path):
    class Greedy:
        @hookimpl
        def avelzoo_epoch_finished(self, run, epoch, metrics):
            metrics.clear()

    first, last = Tracker(), Tracker()
    with pytest.warns(RunWarning, match="'greedy'"):
        follow(listen(first=first, greedy=Greedy(), last=last), tmp_path)
    assert first.metrics == last.metrics == {"loss": 1.0}
