"""Runs from another working directory, and runs whose data or folder were moved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import pytest

from avelzoo import UsageError, load_run
from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.cli import main
from avelzoo.sweeps.folder import SweepDir

SMALL = ("ead-b", "--encoder", "mean-pool", "--encoder.width", "4", "--memory.size", "1", "--limit-batches", "1")
ONE = (*SMALL, "--epochs", "1", "--quiet")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "ave"
    assert main(["data", "simulate", str(folder), "--videos", "70", "--grid", "1x1", "--json"]) == 0
    return folder


@pytest.fixture
def home(tmp_path, data, monkeypatch):
    """A folder with the data under ``here``; the working directory."""
    shutil.copytree(data, tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def root_of(run: Path) -> str:
    return json.loads((run / "composition.json").read_text())["slots"]["dataset"]["options"]["root"]


def spoil(folder: Path) -> None:
    with h5py.File(folder / "audio_feature.h5", "r+") as file:
        (values,) = file.values()
        values[...] = values[...] + 1


def test_paths_are_absolute_from_the_start(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert AveConfig(root=Path("here")).root == tmp_path / "here"
    assert AveConfig(root="here").to_dict()["root"] == str(tmp_path / "here")
    assert AveConfig(root=Path("~/here")).root == Path.home() / "here"


def test_a_run_is_used_from_anywhere_and_follows_its_data(call, home, monkeypatch):
    assert call("run", *ONE, "--data", "here", "--out", "run").code == 0
    assert root_of(home / "run") == str(home / "here")
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")
    again = call("evaluate", home / "run", "--json")
    assert again.code == 0, again.err
    assert again.json["dataset"]["same_as_trained"] is True
    assert again.json["precision"] == {"evaluated": "32", "trained": "32"}

    (home / "here").rename(home / "moved")
    (home / "run").rename(home / "renamed")
    lost = call("evaluate", home / "renamed")
    assert lost.code == 3
    assert "--data" in lost.err
    found = call("evaluate", home / "renamed", "--data", home / "moved", "--json")
    assert found.json["dataset"]["same_as_trained"] is True
    assert found.json["scores"] == again.json["scores"]

    spoil(home / "moved")
    other = call("evaluate", home / "renamed", "--data", home / "moved", "--json")
    assert other.json["dataset"]["same_as_trained"] is False
    assert "different from training" in other.err
    refused = call("run", "--resume", home / "renamed", "--data", home / "moved")
    assert refused.code == 4
    assert "the data differ from those the run was started with" in refused.err
    assert "audio_feature.h5" in refused.err


def test_resuming_where_the_data_were_moved(call, home):
    assert call("run", *ONE, "--data", "here", "--out", "run").code == 0
    before = json.loads((home / "run" / "result.json").read_text())
    for name in ("result.json", "predictions.h5"):  # as a kill before the end leaves it
        (home / "run" / name).unlink()
    shutil.copytree(home / "here", home / "spoilt")
    spoil(home / "spoilt")
    (home / "here").rename(home / "moved")

    refused = call("run", "--resume", "run", "--data", "spoilt")
    assert refused.code == 4
    assert "the data differ from those the run was started with" in refused.err
    assert root_of(home / "run") == str(home / "here")

    done = call("run", "--resume", "run", "--data", "moved", "--json", "--quiet")
    assert done.code == 0, done.err
    assert done.json["scores"] == before["scores"]
    assert root_of(home / "run") == str(home / "moved")
    assert load_run("run").composition.sources["dataset.root"] == "--data"
    assert call("evaluate", "run").code == 0


def test_data_in_no_folder_are_not_moved(call, home):
    small = ("--dataset.train_videos", "8", "--dataset.val_videos", "4", "--dataset.test_videos", "4")
    assert call("run", *ONE, *small, "--out", "run").code == 0
    told = call("run", "--resume", "run", "--data", "here")
    assert told.code == UsageError.exit_code
    assert "'worlds' reads no folder" in told.err


def test_a_sweep_follows_its_data(call, home):
    assert call("run", *ONE, "--data", "here", "--seeds", "2", "--out", "sweep").code == 0
    trials = SweepDir(Path("sweep")).load().trials
    shutil.rmtree(SweepDir(Path("sweep")).run(trials[1]))
    shutil.copytree(home / "here", home / "spoilt")
    spoil(home / "spoilt")
    (home / "here").rename(home / "moved")

    refused = call("run", "--resume", "sweep", "--data", "spoilt")
    assert refused.code == 4
    assert "the data differ from those the sweep's runs were started with" in refused.err

    done = call("run", "--resume", "sweep", "--data", "moved", "--quiet")
    assert done.code == 0, done.err
    after = SweepDir(Path("sweep")).load().trials
    assert [trial.name for trial in after] == [trial.name for trial in trials]
    assert {trial.data_root for trial in after} == {str(home / "moved")}
    assert all((SweepDir(Path("sweep")).run(trial) / "result.json").exists() for trial in after)
