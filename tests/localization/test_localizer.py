"""From files to events with a trained run."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avelzoo import load_run, run
from avelzoo.errors import DataError, OptionError, RunError, UsageError
from avelzoo.extraction.inputs import VideoFile
from avelzoo.extraction.video import extract_video
from avelzoo.localization import batch, summary
from avelzoo.localization.localizer import Localizer
from avelzoo.localization.outputs import Outputs, formats_of
from avelzoo.plugin.default import default_host
from tests.cli.conftest import call as call  # noqa: PLC0414 - a fixture
from tests.localization.conftest import CATEGORIES, write_video


@pytest.fixture(scope="module")
def localizer(trained):
    with Localizer.load(trained, device="cpu") as found:
        yield found


def test_events_of_a_clip_are_found(localizer, clips):
    result = localizer.predict(clips / "clip00.mp4")
    assert [(e.start, e.end, e.category) for e in result.timeline] == [(0, 2, CATEGORIES[0])]
    assert (result.status, result.duration, result.reason) == ("ok", 5.0, "")
    assert result.decision == "relevance above 0.50 (fixed threshold)"
    assert result.scores.relevance.shape == (5,)
    assert sorted(result.scores.categories) == sorted(CATEGORIES)


def test_a_clip_gets_the_scores_of_the_evaluation(trained, localizer, clips):
    """The features of a file are those that the training read."""
    loaded = load_run(trained)
    split = loaded.composition.recipe.dataset.open("full").split("test")
    batch_, _ = split.fetch(np.arange(len(split)))
    expected = loaded.predict(batch_.audio.numpy(), batch_.visual.numpy(), device="cpu")
    for i, name in enumerate(split.video_ids):
        file = next(path for path in clips.glob("*.mp4") if path.stem == Path(name).stem)
        found = localizer.predict(file)
        assert np.allclose(found.scores.relevance, expected.relevance[i], atol=1e-5)
        assert np.array_equal(found.scores.segments, expected.segments[i])


def test_features_instead_of_a_file(localizer, clips):
    file = clips / "clip01.mp4"
    features = extract_video(file, localizer.front.visual, localizer.front.audio)
    assert localizer.predict(features).events == localizer.predict(file).events


def test_a_long_video_in_windows(localizer, tmp_path):
    write_video(tmp_path / "long.mp4", 23, {2, 3, 4, 14, 15, 16}, 1)
    result = localizer.predict(tmp_path / "long.mp4")
    assert (result.scores.window, result.scores.hop, result.scores.t) == (5, 2, 23)
    assert [(e.start, e.end) for e in result.timeline.support(collar=1)] == [(2, 5), (14, 17)]
    part = localizer.predict(tmp_path / "long.mp4", start=10, duration=10)
    assert [(e.start, e.end) for e in part.timeline.support(collar=1)] == [(14, 17)]
    assert part.duration == 20
    assert part.scores.t == 10


def test_a_threshold_overrides_the_rule(trained, localizer, clips):
    with Localizer.load(trained, threshold=1.0, device="cpu") as strict:
        result = strict.predict(clips / "clip00.mp4")
    assert result.events == ()
    assert result.decision == "relevance above 1 (as requested)"
    best = result.scores.relevance.max()
    assert result.reason.startswith(f"no segment above the threshold 1.00; the highest relevance was {best:.2f} at ")
    assert np.array_equal(result.scores.segments, localizer.predict(clips / "clip00.mp4").scores.segments)
    with Localizer.load(trained, threshold="val", device="cpu") as tuned:
        assert "chosen on val" in tuned.predict(clips / "clip00.mp4").decision


@pytest.mark.parametrize("threshold", ["high", 1.5, "nan"])
def test_impossible_thresholds(trained, threshold):
    with pytest.raises(UsageError, match="threshold"):
        Localizer.load(trained, threshold=threshold, device="cpu")


def test_impossible_windows(trained):
    for how in ({"window": 0}, {"overlap": 1.0}):
        with pytest.raises(OptionError):
            Localizer.load(trained, device="cpu", **how)


def test_missing_streams_are_scored_and_said(localizer, tmp_path):
    write_video(tmp_path / "mute.mp4", 3, {1}, sound=False)
    result = localizer.predict(tmp_path / "mute.mp4")
    assert result.status == "no-audio"
    assert any("scored by the picture" in notice for notice in result.notices)
    assert result.scores.t == 3


def test_unreadable_files(localizer, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DataError):
        localizer.predict(tmp_path / "text.mp4")
    with pytest.raises((DataError, OSError)):
        localizer.predict(tmp_path / "missing.mp4")


def test_a_run_without_a_record_of_its_features(tmp_path):
    few = {"train.epochs": 1, "dataset.train_videos": 20, "dataset.val_videos": 8, "dataset.test_videos": 8}
    result = run("single-branch", encoder="mean-pool", options=few | {"encoder.width": 8}, out=tmp_path / "run")
    with pytest.raises(UsageError, match="does not say how its features were made") as error:
        Localizer.load(result.run_dir, device="cpu")
    assert "--visual" in error.value.fix
    with pytest.raises(RunError, match="do not fit the run"):
        Localizer.load(result.run_dir, device="cpu", visual="colour-motion", audio="log-mel")


def test_extractors_of_another_recipe_are_refused_unless_forced(trained, clips):
    loaded = load_run(trained)
    record = dict(loaded.extraction)
    record["audio"] = record["audio"] | {"recipe_id": "log-mel-000000000000"}
    other = replace(loaded, extraction=record)
    with pytest.raises(RunError, match="another recipe") as error:
        Localizer.load(other, device="cpu")
    assert "log-mel-000000000000" in error.value.expected
    with Localizer.load(other, device="cpu", force=True) as forced:
        assert any("forced" in notice for notice in forced.predict(clips / "clip00.mp4").notices)


# Batches


def outputs(folder, formats="json,csv"):
    return Outputs(folder, formats_of(default_host().registry, formats))


def test_a_batch_goes_on_after_bad_files(localizer, clips, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.mp4").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    videos = batch.videos_of([clips / "clip00.mp4", tmp_path / "in", tmp_path / "missing.mp4", tmp_path / "empty"])
    found = {o.result.path: o for o in batch.predict_batch(localizer, videos, outputs(tmp_path / "out"))}
    statuses = {Path(path).name: o.result.status for path, o in found.items()}
    assert statuses == {"clip00.mp4": "ok", "bad.mp4": "unreadable", "missing.mp4": "unreadable", "empty": "unreadable"}
    assert all(o.result.reason for o in found.values() if o.failed)
    assert batch.exit_code(list(found.values())) == 1
    written = summary.write_summary(tmp_path / "out", list(found.values())).read_text("utf-8")
    assert written.count("\n") == 5
    failed = [o for o in found.values() if o.failed]
    assert (batch.exit_code(failed), batch.exit_code([found[str(clips / "clip00.mp4")]])) == (2, 0)


def test_names_never_collide(localizer, clips, tmp_path):
    for name in ("a/x.mp4", "b/x.mp4", "a/x.webm"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes((clips / "clip00.mp4").read_bytes())
    found = list(batch.predict_batch(localizer, batch.videos_of([tmp_path / "in"]), outputs(tmp_path / "out")))
    files = [path.relative_to(tmp_path / "out").as_posix() for o in found for path in o.files]
    assert len(set(files)) == 6
    assert "a/x.webm.json" in files
    assert len(outputs(tmp_path / "out").stored()) == 3


def test_finished_videos_are_not_scored_again(trained, localizer, clips, tmp_path, monkeypatch):
    videos = batch.videos_of([clips / "clip00.mp4", clips / "clip01.mp4"])
    first = list(batch.predict_batch(localizer, videos, outputs(tmp_path / "out")))
    content = first[0].files[0].read_bytes()
    with Localizer.load(trained, threshold=0.9, device="cpu") as strict, monkeypatch.context() as patch:
        patch.setattr(Localizer, "score", lambda *_, **__: pytest.fail("scored again"))
        again = list(batch.predict_batch(localizer, videos, outputs(tmp_path / "out")))
        other = list(batch.predict_batch(strict, videos, outputs(tmp_path / "out", "vtt")))
    assert all(o.resumed for o in again + other)
    assert again[0].files[0].read_bytes() == content
    assert [o.result.events for o in again] == [o.result.events for o in first]
    assert other[0].files[0].suffix == ".vtt"
    with (
        Localizer.load(trained, window=3, device="cpu") as shorter,
        pytest.raises(UsageError, match="scores of other settings") as error,
    ):
        list(batch.predict_batch(shorter, videos, outputs(tmp_path / "out")))
    assert ("window = 5" in error.value.found, "window = 3" in error.value.expected) == (True, True)
    assert "another folder with --out" in error.value.fix


def test_a_video_that_changed_is_scored_again(localizer, clips, tmp_path):
    file = tmp_path / "x.mp4"
    file.write_bytes((clips / "clip00.mp4").read_bytes())
    list(batch.predict_batch(localizer, [VideoFile("x.mp4", file)], outputs(tmp_path / "out")))
    file.write_bytes((clips / "clip01.mp4").read_bytes())
    again = list(batch.predict_batch(localizer, [VideoFile("x.mp4", file)], outputs(tmp_path / "out")))
    assert not again[0].resumed
    assert again[0].result.events[0].category == CATEGORIES[1]


def test_a_video_that_became_unreadable_leaves_no_old_result(localizer, clips, tmp_path):
    file, out = tmp_path / "x.mp4", outputs(tmp_path / "out")
    file.write_bytes((clips / "clip00.mp4").read_bytes())
    list(batch.predict_batch(localizer, [VideoFile("x.mp4", file)], out))
    file.write_bytes(b"damaged")
    found = list(batch.predict_batch(localizer, [VideoFile("x.mp4", file)], out))
    assert found[0].failed
    assert out.stored() == []
    data = json.loads((out.folder / "x.mp4.json").read_text("utf-8"))
    assert (data["status"], data["events"]) == ("unreadable", [])
    assert data["reason"]


def test_two_processes_do_not_share_a_folder(localizer, clips, tmp_path):
    videos = batch.videos_of([clips / "clip00.mp4", clips / "clip01.mp4"])
    work = batch.predict_batch(localizer, videos, outputs(tmp_path / "out"))
    next(work)
    with pytest.raises(RunError, match="another process"):
        next(batch.predict_batch(localizer, videos, outputs(tmp_path / "out")))
    work.close()
    assert len(list(batch.predict_batch(localizer, videos, outputs(tmp_path / "out")))) == 2


def test_results_that_cannot_be_written_do_not_stop_the_batch(localizer, clips, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "clip00.mp4.json").mkdir()  # stands in the way of the file
    videos = batch.videos_of([clips / "clip00.mp4", clips / "clip01.mp4"])
    found = list(batch.predict_batch(localizer, videos, outputs(out)))
    assert "cannot be written" in found[0].error
    assert not found[1].failed
    assert batch.exit_code(found) == 1


def test_a_file_without_permission_does_not_stop_the_batch(call, clips, trained, monkeypatch):
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, *a, **k: "clip00" not in str(path) and may(path, *a, **k))
    told = call("predict", clips / "clip00.mp4", clips / "clip01.mp4", "--run", trained, "--json")
    assert len(told.json["results"]) == 2


def test_a_start_after_the_end_names_the_length_of_the_file(call, clips, trained):
    told = call("predict", clips / "clip00.mp4", "--run", trained, "--start", "100", "--json")
    assert told.code == 2
    assert "start 100 s, 5.0 s announced by the file" in told.json["results"][0]["reason"]


def test_windows_in_batches_get_the_scores_of_single_windows(localizer, tmp_path, monkeypatch):
    write_video(tmp_path / "long.mp4", 23, {2, 3, 4, 14, 15, 16}, 1)
    together = localizer.predict(tmp_path / "long.mp4")
    monkeypatch.setattr("avelzoo.localization.windows.BATCH", 1)
    single = localizer.predict(tmp_path / "long.mp4")
    assert [(e.start, e.end, e.category) for e in single.events] == [
        (e.start, e.end, e.category) for e in together.events
    ]
    for name in ("relevance", "category_scores"):
        np.testing.assert_allclose(getattr(together.scores, name), getattr(single.scores, name), atol=1e-6)
    assert np.array_equal(together.scores.segments, single.scores.segments)


def test_both_commands_say_how_fast_and_what_bounds(call, clips, trained, tmp_path):
    files = sorted(clips.glob("*.mp4"))[:3]
    told = call("predict", *files, "--run", trained, "--out", tmp_path / "out", "--json")
    speed = told.json["throughput"]
    assert (speed["videos"], speed["hours"]) == (3, pytest.approx(15 / 3600))
    assert sum(speed["shares"].values()) == pytest.approx(1.0)
    assert all(share > 0 for share in speed["shares"].values())
    assert speed["bound"] in told.err
    again = call("predict", *files, "--run", trained, "--out", tmp_path / "out", "--json")
    assert again.json["throughput"] is None
    told = call("extract", *files, "--out", tmp_path / "data", "--json")
    speed = told.json["throughput"]
    assert (speed["videos"], speed["shares"]["model"], speed["bound"] in told.err) == (3, 0.0, True)
    assert call("extract", *files, "--out", tmp_path / "data", "--json").json["throughput"] is None
