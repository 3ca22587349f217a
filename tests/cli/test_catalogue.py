"""`list`, `show`, `plugins`: what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avelzoo import DoubleConfig, GeneralConfig, ObjectiveConfig, SupervisionError
from avelzoo.cli.catalogue import PLURALS, recipes_of
from avelzoo.config import options
from avelzoo.errors import PluginError
from avelzoo.plugin.default import default_host
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost


@pytest.fixture
def crowded(monkeypatch):
    """A host with a second plugin that offers names the first one has."""

    class Second:
        @hookimpl
        def avelzoo_register(self, zoo):
            registry = default_host().registry
            zoo.encoder("mean-pool", registry.get("encoder", "mean-pool").target)
            zoo.head("jsd-bank", registry.get("head", "single").target)

    host = PluginHost(entry_points=False)
    host.add(Second(), name="second", distribution="second-avel", version="3.1")
    monkeypatch.setattr("avelzoo.plugin.default.default_host", lambda: host)
    return host


def test_list_has_a_row_for_everything_registered(call):
    rows = call("list", "--json").json
    assert {(r["kind"], r["qualified"]) for r in rows} == {
        (e.kind, e.qualified) for e in default_host().registry.entries()
    }
    assert all(r["summary"] for r in rows)


@pytest.mark.parametrize("kind", PLURALS)
def test_list_takes_singular_and_plural(call, kind):
    assert call("list", kind, "--json").json == call("list", PLURALS[kind], "--json").json != []


def test_list_shows_published_scores_of_recipes(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")  # a row is a line
    told = call("list", "recipes")
    published = default_host().registry.get("recipe", "ead-b").target("full").published
    line = next(line for line in told.out.splitlines() if line.split()[:1] == ["ead-b"])
    assert all(f"{100 * score.segment_accuracy:.1f}" in line for score in published)


def test_no_paper_has_two_keys():
    papers = default_host().registry.papers
    for told in ("title", "doi"):
        values = [getattr(paper, told).lower() for paper in papers.values() if getattr(paper, told)]
        assert len(values) == len(set(values))
    assert all(key == paper.key for key, paper in papers.items())


LIMITED = ["avel2018-official", "cmbs", "cmbs-official", "cmran", "cpsp"]


@pytest.mark.parametrize("name", LIMITED)
def test_show_says_what_a_weak_system_cannot_do(call, name):
    (limit,) = call("show", "recipe", name, "--json").json["limits"]
    assert "weak" in limit.lower()
    assert limit in " ".join(call("show", "recipe", name).out.split())


def test_show_lists_what_is_assumed(call):
    assert any("Weak loss" in told for told in call("show", "recipe", "avt", "--json").json["assumptions"])
    assert call("show", "encoder", "avt", "--json").json["assumptions"] == list(
        default_host().registry.get("encoder", "avt").target.assumptions
    )


def test_what_is_given_under_one_supervision_alone_is_said(call):
    assert "video_probabilities (weak)" in call("show", "head", "parallel", "--json").json["gives"]
    assert "span_logits (full)" in call("show", "head", "span", "--json").json["gives"]


class FullOnly(ObjectiveConfig):
    """An objective for one supervision."""

    supervisions = ("full",)

    def terms(self, supervision):
        return GeneralConfig().terms(supervision)


@pytest.fixture
def odd_recipes(monkeypatch):
    """A host with recipes for one supervision, for one by their parts, and with faults of two kinds."""
    host = PluginHost(entry_points=False)
    base = host.registry.get("recipe", "double-branch").target

    def only_full(supervision):
        if supervision != "full":
            raise SupervisionError("only full")
        return base("full")

    def full_by_its_parts(supervision):
        return replace(base(supervision), objective=FullOnly())

    def misspelt(supervision):
        return replace(base(supervision), head=DoubleConfig(threshold=3.0))

    def crashing(supervision):
        return base(supervision).nonsense

    class Odd:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.recipe("only-full", only_full)
            zoo.recipe("full-by-its-parts", full_by_its_parts)
            zoo.recipe("misspelt", misspelt)
            zoo.recipe("crashing", crashing)

    host.add(Odd(), name="odd")
    monkeypatch.setattr("avelzoo.plugin.default.default_host", lambda: host)
    return host.registry


@pytest.mark.parametrize("name", ["only-full", "full-by-its-parts"])
def test_a_recipe_may_be_for_one_supervision(odd_recipes, name):
    assert list(recipes_of(odd_recipes.get("recipe", name))) == ["full"]


@pytest.mark.parametrize(("name", "fault"), [("misspelt", "OptionError"), ("crashing", "AttributeError")])
def test_a_recipes_own_fault_is_no_missing_supervision(odd_recipes, call, name, fault):
    with pytest.raises(PluginError, match=f"the recipe 'odd/{name}' cannot be built") as error:
        recipes_of(odd_recipes.get("recipe", name))
    assert error.value.found.startswith(fault)
    rows = {row["name"]: row for row in call("list", "recipes", "--json").json}
    assert rows[name]["summary"].startswith(f"broken: the recipe 'odd/{name}' cannot be built")
    assert rows["only-full"]["supervisions"] == ["full"]


def test_unknown_kind_is_suggested(call):
    told = call("list", "encodrs")
    assert told.code == 2
    assert "did you mean 'encoders'?" in told.err


def test_ambiguous_names_are_listed_by_their_qualified_names(call, crowded):
    told = call("list", "encoders")
    assert "second/mean-pool" in told.out
    assert "avelzoo/mean-pool" in told.out


@pytest.mark.parametrize("argv", [("show", "mean-pool"), ("show", "encoder", "mean-pool"), ("show", "jsd-bank")])
def test_ambiguous_names_are_errors_that_spell_out_the_choice(call, crowded, argv):
    told = call(*argv)
    assert told.code == 2
    assert f"second/{argv[-1]}" in told.err
    assert f"avelzoo/{argv[-1]}" in told.err


def test_a_name_in_two_kinds_is_an_error_with_the_call_for_each(call):
    refused = call("show", "none")
    assert refused.code == 2
    assert "'none' names 2 entries" in refused.err
    assert "`avelzoo show memory none` or `avelzoo show transform none`" in refused.err
    assert call("show", "memory", "none", "--json").json["kind"] == "memory"


def test_qualified_names_and_kinds_settle_it(call, crowded):
    assert call("show", "second/mean-pool", "--json").json["distribution"] == "second-avel"
    assert call("show", "memories", "jsd-bank", "--json").json["kind"] == "memory"


def test_show_tells_every_option(call):
    told = call("show", "st-fusion", "--json").json
    target = default_host().registry.get("encoder", "st-fusion").target
    assert [o["name"] for o in told["options"]] == [o.name for o in options(target)]
    assert all(o["help"] and o["type"] for o in told["options"])
    assert "doi:" in told["citation"]
    text = call("show", "encoder", "st-fusion").out
    assert all(o["name"] in text for o in told["options"])


def test_show_recipe_swaps_slots_and_values(call):
    told = call("show", "recipe", "ead-b", "--encoder", "mean-pool", "--set", "memory.size=3", "--json").json
    slots = told["composition"]["slots"]
    assert slots["encoder"]["name"] == "avelzoo/mean-pool"
    assert slots["memory"]["options"]["size"] == 3
    assert slots["memory"]["sources"]["size"] == "--set"
    assert told["published"]


def test_show_recipe_under_weak_supervision(call):
    told = call("show", "ead-b", "--supervision", "weak", "--json").json
    assert told["composition"]["slots"]["objective"]["name"] == "avelzoo/general"


def test_show_unknown_name_is_suggested(call):
    told = call("show", "st-fusoin")
    assert told.code == 2
    assert "did you mean 'st-fusion'?" in told.err


def test_plugins_counts_what_each_one_offers(call, crowded):
    rows = {r["name"]: r for r in call("plugins", "--json").json}
    assert rows["second"] | {"source": ""} == {
        "name": "second",
        "distribution": "second-avel",
        "version": "3.1",
        "source": "",
        "status": "ok",
        "error": "",
        "offers": {"encoder": 1, "head": 1},
    }
    assert "1 encoder, 1 head" in call("plugins").out


def test_systems_say_whether_checkpoints_are_published(call):
    rows = {r["name"]: r for r in call("list", "published-code", "--json").json}
    assert rows["ge2023"]["checkpoints"] == []
    assert "ge2023" in call("import-checkpoint", "--help").out


@pytest.mark.parametrize("error", [ValueError("not today"), SystemExit("not today"), None])
def test_a_recipe_that_fails_hides_no_other(call, monkeypatch, error):
    class Failing:
        @hookimpl
        def avelzoo_register(self, zoo):
            def make(supervision):
                if error is not None:
                    raise error

            zoo.recipe("failing-recipe", make)

    host = PluginHost(entry_points=False)
    whole = {e.name for e in host.registry.entries("recipe")}
    host.add(Failing(), name="failing")
    monkeypatch.setattr("avelzoo.plugin.default.default_host", lambda: host)
    rows = {row["name"]: row for row in call("list", "recipes", "--json").json}
    assert set(rows) == whole | {"failing-recipe"}
    assert rows["failing-recipe"]["summary"].startswith("broken: the recipe 'failing/failing-recipe' cannot be built")
    reason = "AttributeError: " if error is None else f"{type(error).__name__}: not today"
    assert reason in rows["failing-recipe"]["summary"]
