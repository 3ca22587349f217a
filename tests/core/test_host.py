from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from avelzoo.builtin.encoders.configs import MeanPoolConfig
from avelzoo.components import EncoderConfig
from avelzoo.errors import AmbiguousNameError, PluginError, UnknownNameError
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.papers import Paper
from tests.core.strangers import Stranger


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


def test_a_name_that_is_added_again_is_replaced(host):
    host.add(Stranger("first"), name="mine", version="1")
    host.add(Stranger("second"), name="mine", version="2")
    assert [(r.name, r.version, r.status) for r in host.records[1:]] == [("mine", "2", "ok")]
    assert host.registry.get("encoder", "mine/second").version == "2"
    with pytest.raises(UnknownNameError):
        host.registry.get("encoder", "mine/first")
    same = Stranger("second")
    host.add(same, name="mine")
    host.add(same, name="mine")
    assert len(host.registry.entries("encoder")) == len(PluginHost(entry_points=False).registry.entries("encoder")) + 1


@pytest.mark.parametrize("error", [PluginError("no good"), ValueError("no good"), SystemExit("no good")])
def test_a_failed_replacement_leaves_the_earlier_plugin_and_says_so(host, error):
    class Failing:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.encoder("new", MeanPoolConfig)
            raise error

        @hookimpl
        def avelzoo_run_started(self, run):
            raise AssertionError

    good = Stranger("good")
    host.add(good, name="mine")
    before = host.registry.entries()
    with pytest.raises(PluginError, match="no good; the version loaded before is kept"):
        host.add(Failing(), name="mine")
    assert host.registry.entries() == before
    assert [r.name for r in host.records] == ["avelzoo", "mine"]
    assert host.listeners("avelzoo_run_started") == []
    assert [name for name, _ in host.listeners("avelzoo_register")] == ["mine", "avelzoo"]


@pytest.mark.parametrize("name", ["avelzoo", "installed"])
def test_the_name_of_another_plugin_is_taken(host, name):
    host.add(Stranger("theirs"), name="installed", source="entry point installed.module")
    before = host.registry.entries()
    for source in ("in process", "entry point installed.module", "built in"):
        with pytest.raises(PluginError, match=f"the plugin name '{name}' is taken"):
            host.add(Stranger("intruder"), name=name, source=source)
    assert host.registry.entries() == before
    assert [r.name for r in host.records] == ["avelzoo", "installed"]


def test_one_plugin_has_one_name(host):
    same = Stranger()
    host.add(same, name="a")
    with pytest.raises(PluginError, match="already registered as 'a'"):
        host.add(same, name="b")
    assert host.registry.get("encoder", "theirs").plugin == "a"
    with pytest.raises(PluginError, match="a module or an object"):
        host.add(None, name="c")
    with pytest.raises(UnknownNameError, match="no plugin 'd' is loaded"):
        host.remove("d")


def test_nothing_of_a_failed_registration_stays(host):
    paper = Paper(key="new2026", authors="x", title="y", venue="z", year=2026)

    class Official:
        """Reads a checkpoint."""

        settings = ("full",)
        checkpoints = ()

    class Failing:
        kept = None

        @hookimpl
        def avelzoo_register(self, zoo):
            Failing.kept = zoo
            zoo.paper(paper)
            zoo.encoder("new-encoder", MeanPoolConfig)
            zoo.recipe("new-recipe", lambda supervision: None)
            zoo.published_code("new-official", Official)
            zoo.encoder("Bad Name", MeanPoolConfig)

        @hookimpl
        def avelzoo_run_started(self, run):
            raise AssertionError

    entries, papers = host.registry.entries(), host.registry.papers
    with pytest.raises(PluginError, match="kebab-case"):
        host.add(Failing(), name="failing")
    assert (host.registry.entries(), host.registry.papers) == (entries, papers)
    assert host.listeners("avelzoo_run_started") == []
    with pytest.raises(PluginError, match="after its registration has ended"):
        Failing.kept.encoder("late", MeanPoolConfig)
    with pytest.raises(PluginError, match="after its registration has ended"):
        Failing.kept.paper(paper)

    class Honest:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.paper(Paper(key="new2026", authors="other", title="y", venue="z", year=2026))

    host.add(Honest(), name="honest")
    assert host.registry.papers["new2026"].authors == "other"


def test_a_paper_goes_with_the_last_plugin_that_brought_it(host):
    class Citing:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.paper(Paper(key="new2026", authors="x", title="y", venue="z", year=2026))

    host.add(Citing(), name="a")
    host.add(Citing(), name="b")
    host.remove("a")
    assert "new2026" in host.registry.papers
    host.remove("b")
    assert "new2026" not in host.registry.papers


@pytest.mark.parametrize(
    ("register", "message"),
    [
        (lambda zoo: zoo.encoder(3, MeanPoolConfig), "3 is not in kebab-case"),
        (lambda zoo: zoo.paper("ge2023"), "not described by an avelzoo.Paper"),
        (lambda zoo: zoo.published_code("x", object), "not described by an OfficialSystem"),
        (lambda zoo: zoo.encoder("x", _odd_config()), "options of the encoder 'x' cannot be read: TypeError"),
    ],
)
def test_wrong_arguments_of_a_registration(host, register, message):
    class Wrong:
        @hookimpl
        def avelzoo_register(self, zoo):
            register(zoo)

    with pytest.raises(PluginError, match=message):
        host.add(Wrong(), name="wrong")


def _odd_config():
    @dataclass(frozen=True, kw_only=True)
    class Odd(EncoderConfig):
        table: dict = field(default_factory=dict)

    return Odd


def test_two_papers_of_one_key_are_refused(host):
    class Citing:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.paper(Paper(key="ge2023", authors="x", title="y", venue="z", year=2000))

    with pytest.raises(PluginError, match="two different papers"):
        host.add(Citing(), name="citing")


def test_a_hook_with_another_argument_is_named() -> None:
    class Renamed:
        @hookimpl
        def avelzoo_register(self, registrar: object) -> None:
            del registrar

    host = PluginHost(entry_points=False)
    with pytest.raises(PluginError, match="does not match its specification") as fault:
        host.add(Renamed(), name="renamed")
    assert "registrar" in str(fault.value.found)
    assert "renamed" not in {record.name for record in host.records}
