from __future__ import annotations

from dataclasses import replace

import pytest

from avelzoo.builtin.ge2023.recipes import ead_b
from avelzoo.builtin.heads.configs import EventAwareConfig
from avelzoo.builtin.memory.configs import JsdBankConfig, NoMemoryConfig
from avelzoo.builtin.objectives.configs import GeneralConfig
from avelzoo.composition import resolving as composition
from avelzoo.composition.building import build
from avelzoo.composition.checking import check
from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import resolve
from avelzoo.errors import CompositionError, OptionError, UnknownNameError, UsageError
from avelzoo.plugin.host import PluginHost
from avelzoo.records import FeatureSpec

SPEC = FeatureSpec(segments=4, audio_dim=3, grid=(1, 2), visual_dim=5, categories=("a", "b"))


@pytest.fixture(scope="module")
def registry():
    return PluginHost(entry_points=False).registry


def test_recipe_values_with_their_source(registry):
    found = resolve(registry, "ead-b")
    assert found.recipe.memory == JsdBankConfig(size=16)
    assert found.sources["memory.size"] == "recipe ead-b"
    assert found.sources["optimizer.learning_rate"].startswith(("recipe", "dataset"))
    assert found.entries["encoder"].qualified == "avelzoo/st-fusion"


def test_the_data_sets_budget_comes_before_the_users(registry):
    found = resolve(registry, "ead-b", overrides=[Override("train.epochs", "7", "--epochs")])
    assert found.recipe.train.epochs == 7
    assert found.sources["train.epochs"] == "--epochs"
    assert found.sources["train.batch_size"] == "dataset worlds"
    on_ave = resolve(registry, "ead-b", choices={"dataset": "ave"})
    assert (on_ave.recipe.train.epochs, on_ave.recipe.train.batch_size) == (300, 128)
    assert on_ave.sources["train.epochs"] == "recipe ead-b"


def test_naming_the_component_that_is_there_keeps_the_recipes_values(registry):
    weak = resolve(registry, "ead-b", supervision="weak", choices={"head": "event-aware"})
    assert weak.recipe.head.margin == 0.9


def test_switching_a_slot_takes_defaults_but_keeps_what_the_kind_shares(registry):
    found = resolve(registry, "ead-b-official", supervision="weak", choices={"dataset": "ave", "encoder": "mean-pool"})
    assert found.recipe.dataset.weak_protocol == "soft-duration"
    assert found.sources["dataset.weak_protocol"] == "recipe ead-b-official"
    assert found.sources["encoder.width"] == "default of mean-pool"


def test_file_and_flags_layer(registry, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[memory]\nname = "random-bank"\nsize = 4\n[head]\nmargin = 0.5\n')
    found = resolve(registry, "ead-b", file=file, overrides=[Override.parse("head.margin=0.6")])
    assert found.entries["memory"].name == "random-bank"
    assert (found.recipe.memory.size, found.sources["memory.size"]) == (4, f"file {file}")
    assert (found.recipe.head.margin, found.sources["head.margin"]) == (0.6, "--set")
    assert resolve(registry, "ead-b", file=file, choices={"memory": "jsd-bank"}).entries["memory"].name == "jsd-bank"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("memory.siez=4", "unknown option 'memory.siez'.*did you mean 'size'"),
        ("memmory.size=4", "unknown slot 'memmory'.*did you mean 'memory'"),
        ("memory.size=many", "does not accept 'many'"),
        ("memory.size=0", "does not accept 0"),
        ("memory.margin=0.5", "unknown option 'memory.margin'; did you mean 'head.margin'"),
        ("train.name=adamw", "unknown option 'train.name'"),
        ("memory.name=random-bank", "choose the component with --memory"),
    ],
)
def test_faulty_overrides(registry, override, message):
    with pytest.raises(OptionError, match=message) as fault:
        resolve(registry, "ead-b", overrides=[Override.parse(override)])
    assert fault.value.where == "--set"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("epochs", "unknown slot 'epochs'.*did you mean 'train.epochs'"),
        ("seed", "did you mean 'train.seed'"),
        ("train", "unknown option 'train'"),
        ("train.epochs.more", "unknown option 'train.epochs.more'"),
        (3, "name of an option is not a string"),
    ],
)
def test_faulty_options_of_python(registry, path, message):
    with pytest.raises(UsageError, match=message):
        resolve(registry, "ead-b", overrides=[Override(path, 3, "python")])


def test_a_component_for_something_that_is_no_slot(registry):
    with pytest.raises(UsageError, match="no component fills 'encodr'; did you mean 'encoder'"):
        resolve(registry, "ead-b", choices={"encodr": "mean-pool"})


@pytest.mark.parametrize("text", ["memory.size", "size=3", "a.b.c=3"])
def test_unreadable_overrides(text):
    with pytest.raises(UsageError, match="cannot read the setting"):
        Override.parse(text)


def test_one_value_given_twice(registry):
    twice = [Override("memory.size", "4", "--memory.size"), Override("memory.size", "5", "--set")]
    with pytest.raises(UsageError, match="given twice"):
        resolve(registry, "ead-b", overrides=twice)
    same = [Override("memory.size", "4", "--memory.size"), Override("memory.size", "4", "--set")]
    assert resolve(registry, "ead-b", overrides=same).recipe.memory.size == 4


def test_unknown_recipe(registry):
    with pytest.raises(UnknownNameError, match="did you mean 'ead-b'"):
        resolve(registry, "ead-bb")


def test_run_records_round_trip(registry):
    found = resolve(registry, "ead-b", supervision="weak", overrides=[Override.parse("memory.size=5")])
    again = composition.from_dict(registry, found.to_dict())
    assert again.recipe == found.recipe
    assert again.sources == found.sources


def test_a_head_without_its_memory_is_refused_with_what_would_fit(registry):
    recipe = replace(ead_b("full"), memory=NoMemoryConfig())
    with pytest.raises(CompositionError, match="the head 'event-aware' reads memory") as fault:
        check(recipe, registry)
    assert "--memory jsd-bank" in fault.value.fix
    assert "memory 'none'" in fault.value.found


def test_an_objective_of_the_other_supervision_is_refused(registry):
    class FullOnly(GeneralConfig):
        supervisions = ("full",)

    with pytest.raises(CompositionError, match="does not work under weak supervision") as fault:
        check(replace(ead_b("weak"), objective=FullOnly()), registry)
    assert "general" in fault.value.fix


def test_every_recipe_fits_and_states_published_scores_as_fractions(registry):
    for entry in registry.entries("recipe"):
        for supervision in ("full", "weak"):
            recipe = entry.target(supervision)
            check(recipe, registry)
            assert recipe.name == entry.name
            assert recipe.supervision == supervision
            assert recipe.paper in registry.papers
            assert all(0.1 < score.segment_accuracy < 1 for score in recipe.published)
            assert build(recipe, SPEC) is not None


def test_margins_of_the_paper(registry):
    for supervision, margin in (("full", 0.7), ("weak", 0.9)):
        head = registry.get("recipe", "ead-b").target(supervision).head
        assert isinstance(head, EventAwareConfig)
        assert head.margin == margin
