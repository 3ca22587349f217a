"""Installed plugins: which are loaded, and what is left of those that fail."""

from __future__ import annotations

import types

import pytest

from avelzoo.errors import PluginError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.discovery import entry_points
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost, PluginWarning
from tests.core.strangers import Stranger


class FakePoint:
    group = "avelzoo"

    def __init__(self, name, plugin):
        self.name, self.value, self.plugin = name, f"{name}.module", plugin

    def load(self):
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


@pytest.fixture
def installed(monkeypatch):
    def install(**plugins):
        dist = types.SimpleNamespace(name="their-dist", version="1.0")
        monkeypatch.setattr(
            "avelzoo.plugin.host.entry_points",
            lambda: [(FakePoint(name, plugin), dist) for name, plugin in plugins.items()],
        )

    return install


def test_a_broken_plugin_is_a_warning_and_a_row(installed):
    installed(bad=ImportError("no module named numpyy"), good=Stranger())
    with pytest.warns(PluginWarning, match="'bad'.*left out: ImportError: no module named numpyy"):
        host = PluginHost(environ={})
    assert [(r.name, r.status) for r in host.records] == [("avelzoo", "ok"), ("bad", "broken"), ("good", "ok")]
    assert host.registry.get("encoder", "theirs").plugin == "good"


class OwnInterrupt(KeyboardInterrupt):
    """A stranger's own kind of interruption."""


class UnspeakableError(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SystemExit("please set MY_KEY"), "SystemExit: please set MY_KEY"),
        (SystemExit(3), "SystemExit: 3"),
        (SystemExit(), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (OwnInterrupt("stop"), "OwnInterrupt: stop"),
        (UnspeakableError(), "UnspeakableError"),
        (PluginError("against the rules"), "against the rules"),
    ],
)
def test_no_kind_of_failure_takes_the_others_along(installed, error, reason):
    installed(bad=error, good=Stranger())
    with pytest.warns(PluginWarning, match="'bad'"):
        host = PluginHost(environ={})
    assert [(r.name, r.status, r.error) for r in host.records[1:]] == [("bad", "broken", reason), ("good", "ok", "")]


def test_the_users_key_press_is_not_a_broken_plugin(installed):
    installed(bad=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        PluginHost(environ={})


def test_an_installed_plugin_cannot_take_a_name(installed):
    installed(avelzoo=Stranger())
    with pytest.warns(PluginWarning, match="the plugin name 'avelzoo' is taken"):
        host = PluginHost(environ={})
    assert [(r.name, r.status) for r in host.records] == [("avelzoo", "ok"), ("avelzoo", "broken")]
    assert host.registry.get("encoder", "st-fusion")


def test_a_plugin_that_needs_the_host_to_register_is_broken(installed, monkeypatch):
    class Impatient:
        @hookimpl
        def avelzoo_register(self, zoo):
            default_host().registry.get("encoder", "st-fusion")

    monkeypatch.setattr("avelzoo.plugin.default._HOSTS", [])
    installed(impatient=Impatient(), good=Stranger())
    with pytest.warns(PluginWarning, match="while plugins are being loaded"):
        host = default_host()
    assert [(r.name, r.status) for r in host.records[1:]] == [("impatient", "broken"), ("good", "ok")]
    assert default_host() is host


def test_damaged_metadata_of_another_package_is_passed_over(tmp_path, monkeypatch):
    for name, text in (("broken", "[other]\nno equals sign\n"), ("whole", "[avelzoo]\nwhole = json\n")):
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(text)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert [(point.name, dist.name) for point, dist in entry_points()] == [("whole", "whole")]


@pytest.mark.parametrize(
    ("environ", "loaded"),
    [
        ({}, {"a", "b"}),
        ({"AVELZOO_DISABLE_PLUGINS": "a"}, {"b"}),
        ({"AVELZOO_LOAD_PLUGINS": "a"}, {"a"}),
        ({"AVELZOO_LOAD_PLUGINS": ""}, set()),
        ({"AVELZOO_LOAD_PLUGINS": "a,b", "AVELZOO_DISABLE_PLUGINS": "b"}, {"a"}),
    ],
)
def test_environment_chooses_plugins(installed, environ, loaded):
    installed(a=Stranger("from-a"), b=Stranger("from-b"))
    host = PluginHost(environ=environ)
    status = {r.name: r.status for r in host.records if r.name != "avelzoo"}
    assert {name for name, state in status.items() if state == "ok"} == loaded
    assert set(status.values()) <= {"ok", "disabled"}
