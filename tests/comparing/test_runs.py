"""Run folders as systems: grouping, names, checks, and the command."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from avelzoo import compare_runs
from avelzoo.comparing.folders import gather, run_folders
from avelzoo.comparing.naming import names
from avelzoo.errors import AvelzooError, DataError, RunError
from avelzoo.metrics.signature import Signature
from avelzoo.reporting.runs import read_runs
from tests.cli.conftest import Call, call  # noqa: F401 - a fixture
from tests.comparing.folders import made_truth, make_run

TRUTH = made_truth(60)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven runs of four systems."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        make_run(folder / f"plain-{seed}", truth=TRUTH, seed=seed)
        make_run(folder / f"small-{seed}", truth=TRUTH, wrong=0.5, seed=seed, options={"memory.size": 8})
    make_run(folder / "weak", truth=TRUTH, wrong=0.3, supervision="weak", leaks=True)
    make_run(folder / "double", truth=TRUTH, wrong=0.1, choices={"head": "double"})
    return folder


def test_runs_that_differ_in_their_seed_are_one_system(runs: Path) -> None:
    found = gather(run_folders([runs]))
    assert {system.name: system.seeds for system in found.systems} == {
        "ead-b": (0, 1),
        "ead-b memory.size=8": (0, 1),
        "ead-b weak": (0,),
        "ead-b head=double": (0,),
    }
    assert [system.leaks_duration for system in found.systems if system.name == "ead-b weak"] == [True]


def test_patterns_name_each_run_once(runs: Path) -> None:
    assert run_folders([f"{runs}/plain-*", runs / "plain-0", f"{runs}/../{runs.name}/plain-1"]) == [
        runs / "plain-0",
        runs / "plain-1",
    ]


def test_a_sweep_folder_stands_for_its_runs(runs: Path, tmp_path: Path) -> None:
    plan = {"trials": [{"name": "plain-0"}, {"name": "plain-1"}]}
    (tmp_path / "sweep.json").write_text(json.dumps(plan))
    (tmp_path / "runs").mkdir()
    for name in ("plain-0", "plain-1"):
        shutil.copytree(runs / name, tmp_path / "runs" / name)
    assert len(run_folders([tmp_path])) == 2
    (tmp_path / "runs" / "plain-1" / "result.json").unlink()
    with pytest.raises(RunError) as raised:
        run_folders([tmp_path])
    assert raised.value.found == "1 of 2 runs without a result: plain-1"
    assert f"--resume {tmp_path}" in raised.value.fix


def test_a_bench_folder_stands_for_its_runs(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(RunError, match="experiment has no runs"):
        run_folders([tmp_path])
    shutil.copytree(runs / "plain-0", tmp_path / "sweep/runs/plain-0")
    sweep = {"trials": [{"name": "plain-0"}, {"name": "plain-1"}]}
    (tmp_path / "sweep/sweep.json").write_text(json.dumps(sweep))
    with pytest.raises(RunError, match="not finished") as raised:
        run_folders([tmp_path])
    assert f"avelzoo bench {tmp_path} --resume" in raised.value.fix
    report = read_runs([tmp_path])  # reports need no complete experiment
    assert [run.seed for run in report.runs] == [0]
    shutil.copytree(runs / "plain-1", tmp_path / "sweep/runs/plain-1")
    assert len(run_folders([tmp_path])) == 2


def test_names_have_what_was_changed() -> None:
    def composition(recipe: str, size: int, source: str, supervision: str = "full") -> dict[str, object]:
        memory = {"name": "avelzoo/bank", "options": {"size": size}, "sources": {"size": source}}
        return {"recipe": recipe, "supervision": supervision, "slots": {"memory": memory}}

    plain, small = composition("avelzoo/a", 16, "recipe a"), composition("avelzoo/a", 8, "--set")
    assert names([plain]) == ["a"]
    assert names([plain, small]) == ["a", "a memory.size=8"]
    assert names([plain, composition("other/a", 16, "recipe a")]) == ["avelzoo/a", "other/a"]
    by_default = composition("avelzoo/a", 4, "recipe a")
    assert names([plain, by_default]) == ["a memory.size=16", "a memory.size=4"]
    assert names([plain, composition("avelzoo/a", 8, "recipe a", "weak")]) == ["a", "a weak"]


def test_comparison_of_runs_has_signatures(runs: Path) -> None:
    found = compare_runs([runs], resamples=200, groups="run-length")
    assert [row.name for row in found][-1] == "ead-b memory.size=8"
    signature = Signature.parse(found.signatures["ead-b"])
    assert (signature.dataset, signature.split, signature.videos) == ("worlds", "test", 60)
    assert (signature.seeds, signature.interval) == (2, "seed+video-bootstrap-200")
    assert signature.data_hash == found.data
    assert signature.labels == "truth"
    assert Signature.parse(found.signatures["ead-b weak"]).supervision == "weak:onehot+neg"
    assert sum(group.videos for group in found.groups) == 60


def test_the_baseline_may_be_a_run_folder(runs: Path) -> None:
    found = compare_runs([runs], baseline=str(runs / "small-1"), resamples=100)
    assert found.baseline == "ead-b memory.size=8"


def damage_result(run: Path) -> None:
    (run / "result.json").unlink()


def damage_predictions(run: Path) -> None:
    (run / "predictions.h5").write_bytes(b"nothing")


def damage_slots(run: Path) -> None:
    record = json.loads((run / "composition.json").read_text())
    (run / "composition.json").write_text(json.dumps(record | {"slots": {"head": 1}}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_result, "the run is not finished"),
        (damage_predictions, "the predictions of the run cannot be read"),
        (damage_slots, "the run is damaged"),
        (lambda run: (run / "predictions.h5").unlink(), "the run has no predictions"),
        (lambda run: (run / "result.json").write_text("{}"), "the run is damaged"),
        (lambda run: (run / "result.json").write_text("{"), "result.json is damaged: it is not complete JSON text"),
        (lambda run: (run / "result.json").write_text("[]"), "result.json is damaged"),
        (lambda run: (run / "result.json").write_bytes(b"\xff"), "result.json is damaged"),
    ],
)
def test_unfinished_and_damaged_runs_are_named(
    runs: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    shutil.copytree(runs / "double", tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(RunError, match=message) as raised:
        compare_runs([runs / "plain-0", tmp_path / "run"], resamples=10)
    assert str(tmp_path / "run") in raised.value.where
    assert raised.value.fix


def test_runs_that_do_not_belong_together_are_refused(runs: Path, tmp_path: Path) -> None:
    plain = runs / "plain-0"
    make_run(tmp_path / "again", truth=TRUTH)
    with pytest.raises(RunError, match="same composition and the same seed"):
        gather([plain, tmp_path / "again"])
    make_run(tmp_path / "data", truth=TRUTH, seed=7, data="1" * 64)
    with pytest.raises(DataError, match="trained on different data") as raised:
        gather([plain, tmp_path / "data"])
    assert raised.value.found == "worlds"
    make_run(tmp_path / "videos", truth=TRUTH, recipe="single-branch", ids=[f"other-{i}" for i in range(60)])
    with pytest.raises(DataError, match="different videos") as raised:
        gather([plain, tmp_path / "videos"])
    assert "only in the first: test-00000" in raised.value.found
    make_run(tmp_path / "labels", truth=made_truth(60, seed=1), recipe="single-branch")
    with pytest.raises(DataError, match="labels of some videos differ") as raised:
        gather([plain, tmp_path / "labels"])
    assert "test-0000" in raised.value.found


def test_systems_trained_on_different_data_are_compared_with_a_note(runs: Path, tmp_path: Path) -> None:
    make_run(tmp_path / "other", truth=TRUTH, recipe="single-branch", data="1" * 64)
    found = compare_runs([runs / "plain-0", tmp_path / "other"], resamples=50)
    assert found.sentences()[-1].startswith("The systems were trained on different data (worlds)")


def test_the_command_prints_tables_and_a_verdict(call: Call, runs: Path) -> None:  # noqa: F811
    told = call("compare", runs, "--resamples", "100", "--groups", "category")
    assert told.code == 0, told.err
    assert "ead-b memory.size=8" in told.out
    assert "segment accuracy by group" in told.out
    assert "signature of ead-b: worlds-test60|full" in told.out
    data = call("compare", runs, "--resamples", "100", "--margin", "2", "--json").json
    assert data["margin"] == 0.02
    assert data["sentences"]
    lines = list(csv.DictReader(StringIO(call("compare", runs, "--resamples", "100", "--csv").out)))
    assert {line["system"] for line in lines} == {row["name"] for row in data["rows"]}
    assert {line["signature"] for line in lines} == set(data["signatures"].values())
    assert "| ead-b |" in call("compare", runs / "plain-0", runs / "double", "--markdown").out
    assert r"\begin{tabular}" in call("compare", runs / "plain-0", "--latex").out


def test_the_command_refuses_in_one_message(call: Call, runs: Path, tmp_path: Path) -> None:  # noqa: F811
    told = call("compare", runs, "--csv", "--latex")
    assert (told.code, "mutually exclusive" in told.err) == (2, True)
    told = call("compare", tmp_path / "none")
    assert (told.code, "there is no folder" in told.err) == (4, True)
    (tmp_path / "modality.json").write_text('{"led": {"cat": "audio-led"}}')
    told = call("compare", runs, "--groups", tmp_path / "modality.json")
    assert (told.code, "about other categories" in told.err) == (3, True)


def test_groups_by_modality(runs: Path, tmp_path: Path) -> None:
    led = {"bell": "audio-led", "dog": "balanced", "horn": "audio-led"}
    (tmp_path / "modality.json").write_text(json.dumps({"led": led}))
    found = compare_runs([runs], resamples=50, groups=tmp_path / "modality.json")
    assert [group.name for group in found.groups] == ["audio-led", "balanced"]
    (tmp_path / "modality.json").write_text("[]")
    with pytest.raises(AvelzooError, match="wrong form"):
        compare_runs([runs], groups=tmp_path / "modality.json")
