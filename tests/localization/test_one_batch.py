"""An output folder of `avelzoo predict` holds one batch, of one run."""

from __future__ import annotations

from avelzoo.api import run
from tests.cli.conftest import call as call  # noqa: PLC0414 - a fixture
from tests.localization.test_commands import (
    predicted as predicted,  # noqa: PLC0414 - a fixture
    rows_of,
)


def test_a_folder_holds_one_batch_and_its_summary_all_videos(call, clips, trained, tmp_path):
    out, (a, b) = tmp_path / "out", (clips / "clip00.mp4", clips / "clip01.mp4")
    assert call("predict", a, tmp_path / "none.mp4", "--run", trained, "--out", out).code == 1
    assert call("predict", b, "--run", trained, "--out", out, "--threshold", "0.6").code == 0
    told = call("predict", a, "--run", trained, "--out", out, "--window", "3")
    assert (told.code, "scores of other settings" in told.err, "window = 3" in told.err) == (2, True, True)
    rows = {row["name"]: row["decision"] for row in rows_of(out / "summary.csv")}
    assert [name.rpartition("/")[2] for name in rows] == ["clip00.mp4", "none.mp4", "clip01.mp4"]
    assert rows["clip01.mp4"] == "relevance above 0.6 (as requested)"


def test_notices_of_a_batch_are_said_once(call, clips, trained, tmp_path):
    told = call("predict", clips / "clip00.mp4", clips / "clip01.mp4", "--run", trained, "--xray", "--out", tmp_path)
    assert told.out.count("an absent modality is replaced") == 1
    assert "modality" not in (tmp_path / "summary.csv").read_text("utf-8")
    assert "modality" in (tmp_path / "parameters.json").read_text("utf-8")


def test_a_decoder_of_another_run_or_other_data_is_refused(call, predicted, tmp_path, monkeypatch):
    other = tmp_path / "run"
    few = {"train.epochs": 1, "dataset.train_videos": 20, "dataset.val_videos": 8, "dataset.test_videos": 8}
    run("single-branch", encoder="mean-pool", options=few | {"encoder.width": 8}, out=other)
    told = call("decode", predicted, "--run", other, "--decoder", "threshold")
    assert (told.code, "another run made the scores" in told.err) == (2, True)
    monkeypatch.setattr("avelzoo.localization.redeciding._several", lambda _: True)
    told = call("decode", predicted, "--decoder", "single-span")
    assert (told.code, "finds one event run per video" in told.err) == (2, True)
    monkeypatch.setattr("avelzoo.localization.redeciding._several", lambda _: None)
    told = call("decode", predicted, "--decoder", "single-span", "--out", tmp_path / "span")
    assert (told.code, "training data are not at hand" in told.err) == (0, True)
