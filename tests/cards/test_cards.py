"""Model cards: metadata that hubs read, numbers with floors and intervals, nothing overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from avelzoo.cards import make_card
from avelzoo.cards.citing import bibtex
from avelzoo.cards.metadata import FILE
from avelzoo.cards.yaml_text import yaml_text
from avelzoo.errors import RunError, UsageError
from avelzoo.metrics.signature import Signature
from avelzoo.plugin.default import default_host
from avelzoo.plugin.papers import Paper
from avelzoo.system.files import read_json, write_json
from tests.cli.conftest import Call, call  # noqa: F401 - a fixture
from tests.comparing.folders import made_truth, make_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    return make_run(folder / "run", truth=made_truth(40), options={"memory.size": 8})


def front_matter(readme: str) -> dict[str, Any]:
    _, head, _ = readme.split("---\n", 2)
    data: dict[str, Any] = yaml.safe_load(head)
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"a": [1, 2.5, None, True], "b": {"c": {"d": []}}, "e": {}},
        [{"x": "yes", "y": "1.0"}, ["- a", "b: c", "#d", "é\n\t\"'\\", ""], "null", "~", " padded "],
        {"true": "false", "10": "2026-01-01", "k v": [[["deep"]]], "percent": "50 %", "on": {"n": ["@a", "*b", "&c"]}},
    ],
)
def test_yaml_is_read_back_by_a_library(data: Any) -> None:
    assert yaml.safe_load(yaml_text(data)) == data


def test_the_metadata_has_the_form_of_a_model_index(finished: Path) -> None:
    data = front_matter(make_card(finished, default_host().registry, license_id="apache-2.0").readme)
    assert (data["library_name"], data["license"], data["datasets"]) == ("avelzoo", "apache-2.0", ["worlds"])
    assert {"audio-visual-event-localization", "ead-b"} <= set(data["tags"])
    (model,) = data["model-index"]
    (result,) = model["results"]
    assert model["name"] == "run"
    assert set(result) == {"task", "dataset", "metrics"}
    assert {"type", "name"} <= set(result["dataset"])
    assert {metric["type"] for metric in result["metrics"]} == set(data["metrics"])
    for metric in result["metrics"]:
        assert isinstance(metric["value"], float)
        assert 0 <= metric["value"] <= 100
    assert "license" not in front_matter(make_card(finished, default_host().registry).readme)


def test_the_card_states_scores_floors_limits_and_citation(finished: Path) -> None:
    readme = make_card(finished, default_host().registry).readme
    for line in (
        "floor: its own category in every segment",
        "interval over videos",
        "## Limits",
        "@inproceedings{ge2023",
    ):
        assert line in readme
    assert "`size = 8`" in readme
    assert "Training noise is not covered: one run." in readme
    assert "say nothing about real videos" in readme
    text = readme.split("Signature: `")[1].split("`")[0]
    assert Signature.parse(text).videos == 40


def test_evaluation_results_have_the_required_fields(finished: Path) -> None:
    card = make_card(finished, default_host().registry, dataset="owner/ave", task="full")
    (row,) = yaml.safe_load(card.evaluation)
    assert row["dataset"] == {"id": "owner/ave", "task_id": "full"}
    assert 0 < row["value"] <= 100
    assert "signature worlds-test40" in row["notes"]


def test_the_command_of_a_card_names_no_local_folder(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", truth=made_truth(20))
    record = read_json(path, "composition.json")
    local = ("--data", "elsewhere/ave", "--out=elsewhere/runs", "--set", "dataset.root=elsewhere", "--data=elsewhere")
    words = ["avelzoo", "run", "ead-b", *local, "--dataset.root", "elsewhere", "--set", "train.seed=1", "--epochs", "2"]
    write_json(path / "composition.json", record | {"command": words})
    readme = make_card(path, default_host().registry).readme
    assert "avelzoo run ead-b --set train.seed=1 --epochs 2\n" in readme
    assert "elsewhere" not in readme


def test_weak_labels_with_duration_are_marked(tmp_path: Path) -> None:
    path = make_run(tmp_path / "weak", truth=made_truth(20), supervision="weak", leaks=True)
    assert make_card(path, default_host().registry).readme.count("\u2020") >= 2


def test_a_card_is_replaced_and_another_readme_is_not(finished: Path, tmp_path: Path) -> None:
    card = make_card(finished, default_host().registry)
    assert card.save(tmp_path / "out") == (tmp_path / "out" / "README.md", tmp_path / "out" / FILE)
    card.save(tmp_path / "out")
    (tmp_path / "README.md").write_text("# mine")
    with pytest.raises(UsageError, match="another README"):
        card.save(tmp_path)
    assert (tmp_path / "README.md").read_text() == "# mine"
    assert not (tmp_path / FILE).exists()


def test_authors_of_bibtex_are_joined_by_and() -> None:
    assert "author = {A. One and B. Two}" in bibtex(Paper("x", "A. One, B. Two", "T", "V", 2020, doi="10/1"))
    assert "author = {A. One and others}" in bibtex(Paper("x", "A. One et al.", "T", "V", 2020))


def test_the_command_writes_the_files(call: Call, finished: Path, tmp_path: Path) -> None:  # noqa: F811
    told = call("card", finished, "--out", tmp_path / "card", "--name", "my-model", "--json")
    assert told.code == 0, told.err
    assert told.json == {
        "name": "my-model",
        "readme": str(tmp_path / "card" / "README.md"),
        "evaluation": str(tmp_path / "card" / FILE),
    }
    assert front_matter((tmp_path / "card" / "README.md").read_text())["model-index"][0]["name"] == "my-model"


def test_an_unfinished_run_has_no_card(finished: Path, tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", truth=made_truth(10))
    (path / "result.json").unlink()
    with pytest.raises(RunError, match="not finished"):
        make_card(path, default_host().registry)
