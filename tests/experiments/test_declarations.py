"""Declared experiments: every one resolves, and its published scores are those of the protocol."""

from __future__ import annotations

import re

import pytest

from avelzoo import Experiment, ExperimentEdition, ExperimentRow
from avelzoo.components import Supervision
from avelzoo.composition.overrides import Override
from avelzoo.errors import PluginError, UnknownNameError, UsageError
from avelzoo.experiments.request import BenchRequest, plain_values
from avelzoo.experiments.resolving import experiment_of, published_scores, resolve_experiment
from avelzoo.plugin.default import default_host
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.host import PluginHost

REGISTRY = default_host().registry
COLUMNS = (
    ("full", "VGG-19 + VGGish"),
    ("full", "VGG-19 + CNN14"),
    ("weak", "VGG-19 + VGGish"),
    ("weak", "VGG-19 + CNN14"),
)


def declared(name):
    return experiment_of(REGISTRY, name)


@pytest.mark.parametrize("name", REGISTRY.names("experiment"))
def test_every_experiment_resolves(name):
    """All rows compose and check, on embedded data and for a data folder."""
    experiment = declared(name)
    found = resolve_experiment(REGISTRY, experiment, BenchRequest())
    assert len(found.cells) == len(experiment.rows) * len(experiment.supervisions)
    rows = [row.name for row in experiment.rows[-2:]]
    folder = resolve_experiment(REGISTRY, experiment, BenchRequest(rows=rows, data="d", features=("vggish", "cnn14")))
    assert len(folder.cells) == 2 * len(rows) * len(experiment.supervisions)
    assert {cell.composition.recipe.dataset.audio for cell in folder.cells} == {"vggish", "cnn14"}
    assert all(cell.composition.recipe.train.epochs == 300 for cell in folder.cells if cell.row.recipe == "ead-b")


def protocol_table(shared, heading):
    """Rows of a table of the protocol: name -> the numbers in its columns."""
    text = (shared / "specs" / "protocol.md").read_text("utf-8").partition(heading)[2]
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def test_table2_has_the_published_numbers(shared):
    lines = [row for row in protocol_table(shared, "Ablations of Ge et al. 2023") if len(row) == 5]
    rows = declared("table2").rows
    assert len(lines) == len(rows) == 12
    for line, row in zip(lines, rows, strict=True):
        # The protocol's columns are 128 full, 2048 full, 128 weak, 2048 weak: the order of COLUMNS.
        wanted = dict(zip(COLUMNS, (float(cell) / 100 for cell in line[1:]), strict=True))
        got = {(score.supervision, score.features): score.segment_accuracy for score in row.published}
        assert got == pytest.approx(wanted), row.name


def test_table1_has_the_published_numbers(shared):
    lines = [row for row in protocol_table(shared, "Published figures to stand beside") if len(row) == 3][:11]
    experiment = declared("table1")
    published = published_scores(REGISTRY, experiment)
    assert len(lines) == len(experiment.rows)
    for line, row in zip(lines, experiment.rows, strict=True):
        wanted = {}
        for features, cell in zip(("VGG-19 + VGGish", "VGG-19 + CNN14"), line[1:], strict=True):
            numbers = re.sub(r"\(.*\)", "", cell).split("/")
            for supervision, number in zip(("full", "weak"), numbers, strict=False):
                if number.strip() != "-":
                    wanted[supervision, features] = float(number) / 100
        got = {(score.supervision, score.features): score.segment_accuracy for score in published[row.name]}
        assert got == pytest.approx(wanted), row.name


def test_the_same_row_of_two_tables_is_the_same_run():
    of_table = {
        name: {cell.name: cell for cell in resolve_experiment(REGISTRY, declared(name), BenchRequest()).cells}
        for name in ("table1", "table2", "heads")
    }
    for cell in ("full-model-full", "full-model-weak"):
        values = [plain_values(cells[cell].composition.to_dict()) for cells in of_table.values()]
        assert values[0] == values[1] == values[2]


def test_trials_come_seed_by_seed():
    found = resolve_experiment(REGISTRY, declared("heads"), BenchRequest(rows=("single-branch",), seeds=2))
    assert [trial.name for trial in found.trials()] == [
        f"single-branch-{supervision}-s{seed}" for seed in (0, 1) for supervision in ("full", "weak")
    ]
    assert [trial.composition["slots"]["train"]["options"]["seed"] for trial in found.trials()] == [0, 0, 1, 1]


def test_values_of_all_rows_and_refusals():
    margin = declared("margin")
    two = BenchRequest(overrides=(Override("train.epochs", "2", "--set"),))
    found = resolve_experiment(REGISTRY, margin, two)
    assert {cell.composition.recipe.train.epochs for cell in found.cells} == {2}
    assert found.summary == "synthetic worlds with known truth, train.epochs=2 instead of 300"
    assert found.seconds == 12  # 60 s for 10 epochs
    refused = {
        "is an axis of the experiment": BenchRequest(overrides=(Override("head.margin", "0.5", "--set"),)),
        "has no row 'm-0-4'; did you mean": BenchRequest(rows=("m-0-4",)),
        "has no supervision 'ful'": BenchRequest(supervisions=("ful",)),
        "has no features 'vggish'": BenchRequest(features=("vggish",)),
        "needs a seed": BenchRequest(seeds=0),
    }
    for message, request in refused.items():
        with pytest.raises(UsageError, match=message) as caught:
            resolve_experiment(REGISTRY, margin, request)
        assert caught.value.fix or caught.value.expected
    with pytest.raises(UnknownNameError) as unknown:
        margin.row("foo")
    assert unknown.value.expected.startswith("m-0-5, m-0-6")
    assert "avelzoo show margin" in unknown.value.fix


def test_rows_without_their_plugin_are_named():
    host = PluginHost(entry_points=False)
    with pytest.raises(UsageError, match="recipes of 'table1' are not registered") as caught:
        resolve_experiment(host.registry, experiment_of(host.registry, "table1"), BenchRequest())
    assert "dam" in caught.value.found
    assert caught.value.fix == "pip install avelzoo-baselines, or run the other rows: --rows full-model"


def one_row(supervision: tuple[Supervision, ...] = ("full",), **changes):
    given = {
        "name": "mine",
        "title": "one row",
        "rows": (ExperimentRow(name="only", title="only", recipe="ead-b"),),
        "editions": (ExperimentEdition(name="short", summary="one epoch", options={"train.epochs": 1}),),
        "supervisions": supervision,
    }
    return Experiment(**given | changes)


def test_a_plugin_declares_an_experiment(call, monkeypatch):
    class Mine:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.experiment("mine", one_row)

    host = PluginHost(entry_points=False)
    host.add(Mine(), name="mine", distribution="mine", version="1")
    monkeypatch.setattr("avelzoo.plugin.default.default_host", lambda: host)
    (row,) = [row for row in call("list", "experiments", "--json").json if row["plugin"] == "mine"]
    assert (row["summary"], row["rows"]) == ("one row", ["only"])
    assert call("show", "mine", "--json").json["rows"][0]["published"][0]["segment_accuracy"] == 0.804
    assert "rows of the edition short" in call("check", "mine").out
    row = ExperimentRow(name="a", title="a", recipe="nope")
    host.add(_registering("broken", lambda: one_row(rows=(row,))), name="b")
    failed = call("check", "broken")
    assert failed.code == 6
    assert "missing: nope" in " ".join(failed.out.split())
    with pytest.raises(PluginError, match="not a function that returns one"):
        host.add(_registering("other", 3), name="other")


def _registering(name, factory):
    class Other:
        @hookimpl
        def avelzoo_register(self, zoo):
            zoo.experiment(name, factory)

    return Other()


def test_declarations_that_contradict_themselves():
    row = ExperimentRow(name="only", title="only", recipe="ead-b")
    for message, changes in {
        "two rows named 'only'": {"rows": (row, row)},
        "no rows": {"rows": ()},
        "no row 'full', its reference": {"reference": "full"},
        "not every row has an x": {"figure": "line"},
    }.items():
        with pytest.raises(PluginError, match=message):
            one_row(**changes)
    with pytest.raises(UnknownNameError, match="no edition for a data folder"):
        one_row().edition(folder=True)


def test_show_prints_rows_and_facts(call):
    told = call("show", "table2").out
    assert "encoder.modality=visual" in told
    assert "80.4" in told
    assert "highest accuracy in every column" in told
