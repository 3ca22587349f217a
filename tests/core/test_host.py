from __future__ import annotations

import sys
import textwrap
import types

import pytest

from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.errors import AmbiguousNameError, PluginError, UnknownNameError
from avelzoo.hookspecs import hookimpl
from avelzoo.host import PluginHost, PluginWarning
from avelzoo.papers import Paper


class Stranger:
    """A plugin with one encoder under a given name."""

    def __init__(self, name="theirs", config=MeanPoolConfig):
        self.name, self.config = name, config

    @hookimpl
    def avelzoo_register(self, zoo):
        zoo.encoder(self.name, self.config)


@pytest.fixture
def host():
    return PluginHost(entry_points=False)


def test_built_ins_come_through_the_same_door(host):
    entry = host.registry.get("encoder", "st-fusion")
    assert (entry.plugin, entry.distribution) == ("avelzoo", "avelzoo")
    assert entry.qualified == "avelzoo/st-fusion"
    assert entry.summary.startswith("Spatial-temporal")
    assert [record.status for record in host.records] == ["ok"]


def test_a_stranger_is_found_with_provenance_and_forgotten(host):
    host.add(Stranger(), name="stranger", distribution="avelzoo-stranger", version="3.1")
    entry = host.registry.get("encoder", "theirs")
    assert (entry.plugin, entry.distribution, entry.version) == ("stranger", "avelzoo-stranger", "3.1")
    host.remove("stranger")
    with pytest.raises(UnknownNameError):
        host.registry.get("encoder", "theirs")


def test_unknown_names_suggest_the_nearest(host):
    with pytest.raises(UnknownNameError, match="did you mean 'st-fusion'") as fault:
        host.registry.get("encoder", "st-fusoin")
    assert "mean-pool" in fault.value.expected


def test_one_name_from_two_plugins_is_an_error_until_qualified(host):
    host.add(Stranger("mean-pool"), name="stranger")
    with pytest.raises(AmbiguousNameError) as fault:
        host.registry.get("encoder", "mean-pool")
    assert fault.value.found == "avelzoo/mean-pool, stranger/mean-pool"
    assert host.registry.get("encoder", "stranger/mean-pool").plugin == "stranger"
    with pytest.raises(UnknownNameError, match="did you mean 'stranger/mean-pool'"):
        host.registry.get("encoder", "strange/mean-pool")


class TwoOfAName:
    @hookimpl
    def avelzoo_register(self, zoo):
        zoo.encoder("good", MeanPoolConfig)
        zoo.encoder("same", MeanPoolConfig)
        zoo.encoder("same", MeanPoolConfig)


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (TwoOfAName(), "registers the encoder 'same' twice"),
        (Stranger("Not Kebab"), "not in kebab-case"),
        (Stranger("x", config=dict), "not described by a EncoderConfig"),
    ],
)
def test_rules_of_registration(host, plugin, message):
    before = len(host.registry.entries())
    with pytest.raises(PluginError, match=message):
        host.add(plugin, name="bad")
    assert len(host.registry.entries()) == before


def test_unknown_hooks_are_refused(host):
    class Misspelled:
        @hookimpl
        def avelzoo_registr(self, zoo):
            zoo.encoder("x", MeanPoolConfig)

    with pytest.raises(Exception, match="avelzoo_registr"):
        host.add(Misspelled(), name="misspelled")
    assert [record.name for record in host.records] == ["avelzoo"]


def test_two_papers_of_one_key_are_refused(host):
    class Citing:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.paper(Paper(key="ge2023", authors="x", title="y", venue="z", year=2000))

    with pytest.raises(PluginError, match="two different papers"):
        host.add(Citing(), name="citing")


class FakePoint:
    group = "avelzoo"

    def __init__(self, name, plugin):
        self.name, self.value, self.plugin = name, f"{name}.module", plugin

    def load(self):
        if isinstance(self.plugin, Exception):
            raise self.plugin
        return self.plugin


@pytest.fixture
def installed(monkeypatch):
    def install(**plugins):
        dist = types.SimpleNamespace(name="their-dist", version="1.0")
        monkeypatch.setattr(
            "avelzoo.host._entry_points", lambda: [(FakePoint(name, plugin), dist) for name, plugin in plugins.items()]
        )

    return install


def test_a_broken_plugin_is_a_warning_and_a_row(installed):
    installed(bad=ImportError("no module named numpyy"), good=Stranger())
    with pytest.warns(PluginWarning, match="'bad'.*left out: ImportError: no module named numpyy"):
        host = PluginHost(environ={})
    assert [(r.name, r.status) for r in host.records] == [("avelzoo", "ok"), ("bad", "broken"), ("good", "ok")]
    assert host.registry.get("encoder", "theirs").plugin == "good"


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


IDEA = """
    from dataclasses import dataclass
    from typing import Annotated
    from avelzoo import EncoderConfig, Help, hookimpl

    @dataclass(frozen=True, kw_only=True)
    class IdeaConfig(EncoderConfig):
        '''An idea.'''
        width: Annotated[int, Help("channels")] = 8
        def build(self, spec):
            raise AssertionError

    @hookimpl
    def avelzoo_register(zoo):
        zoo.encoder("my-idea", IdeaConfig)
"""


def test_a_single_file_is_a_plugin(host, tmp_path):
    file = tmp_path / "my_idea.py"
    file.write_text(textwrap.dedent(IDEA))
    host.add_file(file)
    entry = host.registry.get("encoder", "my-idea")
    assert entry.qualified == "my-idea/my-idea"
    assert entry.target(width=3).width == 3
    assert host.records[-1].source == f"file {file}"
    del sys.modules["avelzoo_plugin_my_idea"]


def test_a_file_that_does_not_run_is_named_with_its_line(host, tmp_path):
    file = tmp_path / "idea.py"
    file.write_text("import avelzoo\n\navelzoo.does_not_exist\n")
    with pytest.raises(PluginError, match="AttributeError") as fault:
        host.add_file(file)
    assert fault.value.where == f"{file}, line 3"
    with pytest.raises(PluginError, match="cannot read the plugin file"):
        host.add_file(tmp_path / "absent.py")
