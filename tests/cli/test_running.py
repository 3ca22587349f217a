"""Commands that compute, on data small enough for a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.parity.fixtures import FOLDER, description, fill

SMALL = ("run", "ead-b", "--encoder", "mean-pool", "--encoder.width", "8", "--memory.size", "2", "--batch-size", "8")
SIZES = ("--dataset.train_videos", "16", "--dataset.val_videos", "8", "--dataset.test_videos", "8")


@pytest.fixture
def finished(call, tmp_path):
    """A finished run and what its command printed."""
    told = call(*SMALL, *SIZES, "--epochs", "1", "--out", tmp_path / "done", "--json")
    assert told.code == 0, told.err
    return tmp_path / "done", told


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_json_is_the_result_and_people_read_stderr(finished):
    folder, told = finished
    result = told.json
    assert result == json.loads((folder / "result.json").read_text())
    for split in ("val", "test"):
        scores = result["scores"][split]
        assert 0 <= scores["segment_accuracy"] <= 1
        assert 0 <= scores["category_accuracy"] <= 1
        assert {"background", "category_oracle_all_event", "own_category_all_event"} <= set(scores["floors"])
    assert {"best_epoch", "optimism_gap", "seed", "run_dir"} <= set(result)
    assert "floor: background everywhere" in told.err
    assert str(folder) in told.err


def test_the_table_shows_scores_with_floors_and_references(finished, call):
    folder, told = finished
    table = call("evaluate", folder).out
    scores = told.json["scores"]["test"]
    lines = {label.strip(): value for label, _, value in (line.strip().rpartition(" ") for line in table.splitlines())}
    assert lines["segment accuracy"] == f"{100 * scores['segment_accuracy']:.1f}"
    assert lines["floor: background everywhere"] == f"{100 * scores['floors']['background']:.1f}"
    assert lines["event F1 at IoU 0.5"] == f"{100 * scores['event_f1_iou50']:.1f}"
    for name, value in scores["references"].items():
        assert lines[f"reference: {name}"] == f"{100 * value:.1f}"


def test_evaluate_finds_the_same_scores_and_changes_nothing(finished, call):
    folder, told = finished
    before = content(folder)
    for split in ("test", "val"):
        again = call("evaluate", folder, "--split", split, "--json")
        assert again.code == 0, again.err
        assert again.json["scores"][split] == told.json["scores"][split]
    assert content(folder) == before


def test_a_finished_run_resumes_to_its_result(finished, call):
    folder, told = finished
    before = content(folder)
    again = call("run", "--resume", folder, "--json", "--quiet")
    assert (again.code, again.err) == (0, "")
    assert again.json == told.json
    assert content(folder) == before


def test_existing_runs_are_left_untouched(finished, call):
    folder, _ = finished
    before = content(folder)
    for words, code in ((("--seed", "3"), 4), (("--seed", "3", "--resume"), 4), (("--train.epochs", "0"), 2)):
        told = call(*SMALL, *SIZES, "--out", folder, *words)
        assert told.code == code
        assert told.err.startswith("error: ")
    assert content(folder) == before


def test_quiet_prints_nothing(call, tmp_path):
    told = call(*SMALL, *SIZES, "--epochs", "1", "--limit-batches", "1", "--quiet")
    assert (told.code, told.out, told.err) == (0, "", "")
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "result.json").exists()


def test_interruption_says_how_to_go_on(call, tmp_path, monkeypatch):
    def stop(composition, out: Path, **rest: object) -> None:
        out.mkdir()
        (out / "composition.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr("avelzoo.engine.run", stop)
    told = call(*SMALL, "--out", tmp_path / "cut")
    assert told.code == 130
    assert f"avelzoo run --resume {tmp_path / 'cut'}" in told.err


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("evaluate", "gone"), 4),
        (("evaluate", "."), 4),
        (("run", "--resume", "gone"), 4),
        (("run", "ead-b", "--device", "tpu"), 2),
        (("run", "ead-b", "--data", "gone"), 3),
        (("run", "ead-b", "--dataset", "ave"), 3),
        (("run", "ead-b", "--out", "file"), 4),
        (("run", "ead-b", "--out", "file/below"), 5),
        (("import-checkpoint", "ge2024", "file"), 2),
        (("import-checkpoint", "ge2023", "file", "--setting", "half"), 2),
        (("import-checkpoint", "ge2023", "gone.pt"), 4),
        (("import-checkpoint", "ge2023", "file"), 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_bad_input_ends_in_one_message_and_its_code(call, tmp_path, argv, code):
    (tmp_path / "file").write_text("no checkpoint")
    told = call(*argv, "--json")
    assert told.code == code == told.json["exit_code"], told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def checkpoint(tmp_path) -> Callable[[str], Path]:
    """A ge2023 checkpoint in the public code's layout, its bank cut to two slots on a grid of one cell."""
    if not FOLDER.is_dir():
        pytest.skip("needs the folder 'shared' beside the project")

    def write(setting: str) -> Path:
        told = description(f"ge2023-{setting}")
        shapes = {key: tuple(shape) for key, shape, _ in told["state_dict"]}
        for key, shape in shapes.items():
            if key.startswith("aligned_bank.cls_") and len(shape) > 1:
                shapes[key] = (shape[0], 2, *((1, 1, shape[-1]) if len(shape) == 5 else shape[2:]))
        state = {
            f"module.{key}": torch.from_numpy(fill(key, shape, told["fill_kind"][key])) for key, shape in shapes.items()
        }
        torch.save(state, tmp_path / f"{setting}.pt")
        return tmp_path / f"{setting}.pt"

    return write


@pytest.mark.parametrize("setting", ["full", "weak"])
def test_public_checkpoints_become_run_folders(call, checkpoint, tmp_path, setting):
    told = call("import-checkpoint", "ge2023", checkpoint(setting), "--setting", setting, "--out", "theirs", "--json")
    assert told.code == 0, told.err
    assert told.json["recipe"] == "avelzoo/ead-b-official"
    slots = json.loads((tmp_path / "theirs" / "composition.json").read_text())["slots"]
    assert slots["memory"]["options"]["size"] == 2
    assert slots["memory"]["sources"]["size"] == f"checkpoint {setting}.pt"

    again = call("import-checkpoint", "ge2023", checkpoint(setting), "--setting", setting, "--out", "theirs")
    assert again.code == 4
    assert "already holds a run" in again.err


def test_imported_checkpoints_are_evaluated_on_a_folder(call, checkpoint):
    assert call("import-checkpoint", "ge2023", checkpoint("full"), "--out", "theirs").code == 0
    made = call("data", "simulate", "folder", "--videos", "70", "--grid", "1x1", "--json")
    assert made.code == 0, made.err
    scored = call("evaluate", "theirs", "--data", "folder", "--json")
    assert scored.code == 0, scored.err
    assert scored.json["dataset"]["name"] == "avelzoo/ave"
    assert 0 <= scored.json["scores"]["test"]["segment_accuracy"] <= 1

    alone = call("evaluate", "theirs")
    assert alone.code == 3
    assert "--data" in alone.err


def test_a_process_of_its_own_prints_json_alone(shell):
    told = shell(*SMALL, *SIZES, "--epochs", "1", "--limit-batches", "1", "--json", "--quiet")
    assert told.code == 0, told.err
    assert told.json["best_epoch"] == 1
    assert told.err == ""
