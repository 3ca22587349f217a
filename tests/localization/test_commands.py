"""`avelzoo predict` and `avelzoo decode`, as users call them."""

from __future__ import annotations

import csv
import json
import os
import shutil

import pytest

from avelzoo.errors import DataError
from avelzoo.media.probing import probe
from avelzoo.plugin.default import default_host
from tests.cli.conftest import call as call  # noqa: PLC0414 - a fixture
from tests.localization.conftest import write_video


@pytest.fixture(scope="module")
def predicted(clips, trained, tmp_path_factory):
    """The output folder of a batch of three videos."""
    from avelzoo.cli import main

    out = tmp_path_factory.mktemp("predicted") / "out"
    files = [str(clips / f"clip0{i}.mp4") for i in range(3)]
    assert main(["predict", *files, "--run", trained, "--out", str(out), "--format", "json,csv", "--quiet"]) == 0
    return out


def rows_of(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_the_table_says_what_decided(call, clips, trained):
    told = call("predict", clips / "clip00.mp4", "--run", trained)
    assert told.code == 0
    for text in (
        "clip00.mp4",
        "ok",
        "0.0 - 2.0",
        "red low",
        "relevance above 0.50 (fixed threshold)",
        "5 segments of 1 s",
    ):
        assert text in told.out


def test_json_on_stdout(call, clips, trained):
    told = call("predict", clips / "clip00.mp4", clips / "none.mp4", "--run", trained, "--json")
    assert told.code == 1
    data = told.json
    assert data["exit_code"] == 1
    assert [r["status"] for r in data["results"]] == ["ok", "unreadable"]
    assert data["results"][0]["events"][0]["category"] == "red low"
    assert data["results"][1]["reason"]
    assert data["recipes"]["audio"].startswith("log-mel-")


def test_all_bad_is_exit_code_2(call, tmp_path, trained):
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "dir").mkdir()
    told = call("predict", tmp_path / "a.mp4", tmp_path / "dir", "--run", trained)
    assert told.code == 2
    assert "a.mp4: " in told.out
    assert "dir: a folder without videos" in told.out
    assert "0 of 2" in told.out


def test_an_empty_result_says_why(call, clips, trained):
    told = call("predict", clips / "clip00.mp4", "--run", trained, "--threshold", "1")
    assert told.code == 0
    assert "no event" in told.out
    assert "no segment above the threshold 1.00; the highest relevance was" in told.out


def test_files_of_a_batch(predicted, trained):
    names = {path.relative_to(predicted).as_posix() for path in predicted.rglob("*") if path.is_file()}
    assert {"clip00.mp4.json", "clip00.mp4.csv", "summary.csv", "parameters.json", "scores/clip00.mp4.npz"} <= names
    settings = json.loads((predicted / "parameters.json").read_text("utf-8"))
    assert settings["settings"]["run"] == trained
    assert settings["facts"]["decision"] == "relevance above 0.50 (fixed threshold)"
    rows = rows_of(predicted / "summary.csv")
    assert [row["status"] for row in rows] == ["ok"] * 3


def test_decode_needs_no_inference(call, predicted, tmp_path, monkeypatch):
    monkeypatch.setattr("avelzoo.engine.predicting.Predictor.head", lambda *_, **__: pytest.fail("inference"))
    told = call("decode", predicted, "--threshold", "1", "--format", "all", "--out", tmp_path / "strict", "--json")
    assert told.code == 0
    assert all(r["events"] == [] and "threshold 1.00" in r["reason"] for r in told.json["results"])
    formats = default_host().registry.entries("format")
    assert len(list((tmp_path / "strict").glob("clip00.mp4.*"))) == len(formats)
    before = json.loads((predicted / "clip01.mp4.json").read_text("utf-8"))
    told = call("decode", predicted, "--out", tmp_path / "same", "--json")
    after = json.loads((tmp_path / "same" / "clip01.mp4.json").read_text("utf-8"))
    assert after == before


def test_decode_keeps_the_threshold_of_the_prediction(call, clips, trained, tmp_path):
    out = tmp_path / "out"
    call("predict", clips / "clip00.mp4", "--run", trained, "--out", out, "--threshold", "val")
    first = json.loads((out / "clip00.mp4.json").read_text("utf-8"))
    call("decode", out, "--format", "json,vtt")
    assert json.loads((out / "clip00.mp4.json").read_text("utf-8")) == first
    assert "chosen on val" in first["decision"]
    assert (out / "clip00.mp4.vtt").exists()


def test_decode_keeps_the_reasons_of_unreadable_videos(call, clips, trained, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"text")
    out = tmp_path / "out"
    assert call("predict", clips / "clip00.mp4", tmp_path / "bad.mp4", "--run", trained, "--out", out).code == 1
    before = rows_of(out / "summary.csv")
    for _ in range(2):
        told = call("decode", out, "--json")
        assert (told.code, told.json["exit_code"]) == (1, 1)
    assert sorted(map(str, rows_of(out / "summary.csv"))) == sorted(map(str, before))


def test_decode_with_another_decoder(call, predicted, tmp_path):
    told = call("decode", predicted, "--decoder", "threshold", "--out", tmp_path / "a", "--json")
    assert told.code == 0
    assert told.json["decision"].startswith("relevance above")
    assert "chosen on val" in told.json["decision"]
    told = call("decode", predicted, "--threshold", "val", "--out", tmp_path / "v", "--json")
    assert (told.code, "chosen on val" in told.json["decision"]) == (0, True)
    told = call("decode", predicted, "--decoder", "agreement", "--out", tmp_path / "b")
    assert "needs scores of each modality" in told.err
    assert call("decode", predicted, "--decoder", "nonsense").code == 2
    assert call("decode", predicted, "--decoder", "threshold", "--threshold", "0.5").code == 2


def test_decode_of_other_folders(call, tmp_path, predicted):
    told = call("decode", tmp_path)
    assert (told.code, "the folder holds no predictions" in told.err) == (3, True)
    assert "is missing" in call("decode", tmp_path / "nowhere").err
    (tmp_path / "labels.csv").write_text("video,category")
    assert "not a parameters file" in call("predict", "x.mp4", "--load-params", tmp_path / "labels.csv").err
    shutil.copytree(predicted, tmp_path / "copy")
    (tmp_path / "copy" / "scores" / "clip00.mp4.npz").write_bytes(b"damaged")
    told = call("decode", tmp_path / "copy")
    assert (told.code, "stored scores cannot be read" in told.err) == (3, True)
    shutil.rmtree(tmp_path / "copy" / "scores")
    assert "holds no scores" in call("decode", tmp_path / "copy").err


def test_load_params_repeats_a_batch_and_the_command_line_wins(call, clips, predicted, tmp_path):
    out = tmp_path / "again"
    told = call("predict", clips / "clip00.mp4", "--load-params", predicted, "--out", out, "--window", "3")
    assert told.code == 0
    assert {path.name for path in out.glob("clip00*")} == {"clip00.mp4.json", "clip00.mp4.csv"}
    settings = json.loads((out / "parameters.json").read_text("utf-8"))["settings"]
    assert settings["window"] == 3
    assert settings["formats"] == "json,csv"
    assert (out / "clip00.mp4.json").exists()
    file = tmp_path / "old.json"
    file.write_text('{"settings": {"windows": 3}}')
    told = call("predict", clips / "clip00.mp4", "--load-params", file)
    assert "unknown setting 'windows'; did you mean 'window'?" in told.err


def test_load_params_repeats_the_cut_clips(call, clips, predicted, tmp_path):
    out, cut = tmp_path / "first", tmp_path / "cut"
    words = ("predict", clips / "clip00.mp4")
    told = call(*words, "--load-params", predicted, "--out", out, "--threshold", "0", "--clips", cut, "--random", "1")
    assert told.code == 0
    made = sorted(path.name for path in cut.iterdir())
    assert made
    shutil.rmtree(cut)
    assert call(*words, "--load-params", out, "--out", tmp_path / "again").code == 0
    assert sorted(path.name for path in cut.iterdir()) == made


def test_requests_that_contradict(call, clips, trained):
    video = clips / "clip00.mp4"
    for words, match in (
        (("predict", video), "no system is named"),
        (("predict", video, "--run", trained, "--events", "bark"), "two systems are named"),
        (("predict", video, "--run", trained, "--format", "vtt"), "need an output folder"),
        (("predict", video, "--run", trained, "--out", "o", "--format", "vvt"), "did you mean 'vtt'"),
        (("predict", video, "--run", trained, "--random", "3"), "need a folder"),
        (("predict", video, "--run", trained, "--threshold", "much"), "not a threshold"),
        (("predict", video, "--run", trained, "--start", "-1"), "start out of range"),
        (("predict", video, "--run", trained, "--duration", "0"), "duration out of range"),
        (("predict", video, "--run", "nowhere"), "there is no folder"),
    ):
        told = call(*words)
        assert told.code in (2, 4), words
        assert match in told.err, words


def test_odd_names(call, clips, trained, tmp_path):
    for name in ("a b.mp4", 'it\'s "quoted".mp4', "größer 犬.mp4", "-dash.mp4", "line\nbreak.mp4"):
        (tmp_path / "in").mkdir(exist_ok=True)
        shutil.copy(clips / "clip00.mp4", tmp_path / "in" / name)
    told = call("predict", tmp_path / "in", "--run", trained, "--out", tmp_path / "out", "--format", "all", "--json")
    assert told.code == 0
    assert len(told.json["results"]) == 5
    assert all(r["events"] for r in told.json["results"])
    assert len(list((tmp_path / "out" / "scores").glob("*.npz"))) == 5


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(call, clips, trained, tmp_path):
    shutil.copy(clips / "clip00.mp4", tmp_path / "secret.mp4")
    (tmp_path / "secret.mp4").chmod(0)
    told = call("predict", tmp_path / "secret.mp4", "--run", trained)
    assert (told.code, "permission" in told.out.lower()) == (2, True)


def test_an_output_folder_that_cannot_be_made(call, clips, trained, tmp_path):
    (tmp_path / "file").write_text("")
    told = call("predict", clips / "clip00.mp4", "--run", trained, "--out", tmp_path / "file" / "out")
    assert told.code == 5
    assert "choose" in told.err and str(tmp_path / "file") in told.err.replace("\n", "")


def test_clips_of_events_and_random_segments(call, clips, trained, tmp_path):
    videos = [clips / f"clip0{i}.mp4" for i in range(3)]
    told = call("predict", *videos, "--run", trained, "--clips", tmp_path / "cut", "--random", "4", "--json")
    assert told.code == 0
    rows = rows_of(tmp_path / "cut" / "clips.csv")
    events = [row for row in rows if not row["bin"]]
    assert len(events) == sum(len(r["events"]) for r in told.json["results"])
    assert len(rows) - len(events) == 4
    assert len({row["bin"] for row in rows if row["bin"]}) >= 2
    for row in rows:
        info = probe(tmp_path / "cut" / row["clip"])
        assert info.duration == pytest.approx(float(row["end"]) - float(row["start"]), abs=0.3)


def test_a_clip_that_cannot_be_cut_is_said(call, clips, trained, tmp_path, monkeypatch):
    def refuse(*_):
        raise DataError("no frames")

    monkeypatch.setattr("avelzoo.localization.clips.cut_clip", refuse)
    told = call("predict", clips / "clip00.mp4", "--run", trained, "--clips", tmp_path / "cut")
    assert told.code == 0
    assert "no clip of" in told.err
    assert "0 of 1 in" in told.out


def test_a_mute_clip_is_scored_by_the_picture(call, trained, tmp_path):
    write_video(tmp_path / "mute.mp4", 4, {1, 2}, 1, sound=False)
    told = call("predict", tmp_path / "mute.mp4", "--run", trained)
    assert told.code == 0
    assert "no-audio" in told.out
    assert "scored by the picture" in told.out


def test_pictures_and_the_xray(call, clips, trained, tmp_path):
    video, out = clips / "clip00.mp4", tmp_path / "out"
    assert call("predict", video, "--run", trained, "--out", out, "--plot", "--xray").code == 0
    svg = (out / "clip00.mp4.svg").read_text("utf-8")
    assert "red low" in svg
    assert (out / "clip00.mp4.png").read_bytes().startswith(b"\x89PNG")
    scores = json.loads((out / "clip00.mp4.json").read_text("utf-8"))["scores"]
    assert len(scores["audio_share"]) == len(scores["visual_share"]) == 5
    told = call("decode", out, "--plot", "--out", tmp_path / "again", "--json")
    assert str(tmp_path / "again" / "clip00.mp4.svg") in told.json["results"][0]["files"]
    assert "need an output folder" in call("predict", video, "--run", trained, "--plot").err
    told = call("predict", video, "--events", "bark", "--xray", "--offline")
    assert (told.code, "without training" in told.err) == (2, True)
