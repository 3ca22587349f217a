"""Damaged files, cut files, and things that are no videos: what can be read is read, and said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avelzoo.errors import DataError
from avelzoo.media import backend, source
from avelzoo.media.probing import probe
from tests.media import clips
from tests.media.muxed import mux, steady

pytest.importorskip("av")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return clips.clip(tmp_path_factory.mktemp("media") / "good.mp4", 6)


@pytest.fixture(scope="module")
def good_mkv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    return mux(folder / "good.mkv", frames=steady(10), sound=[(0, clips.tone(10, frequencies=[440]))])


def spoiled(source: Path, target: Path, positions: np.ndarray, seed: int = 0) -> Path:
    data = bytearray(source.read_bytes())
    for position in positions:
        data[position] ^= int(np.random.default_rng([seed, position]).integers(1, 256))
    target.write_bytes(data)
    return target


def test_damaged_bytes_are_skipped_counted_and_said(good, tmp_path):
    size = good.stat().st_size
    path = spoiled(good, tmp_path / "bad.mp4", np.arange(size // 3, size // 2, 40))
    segments, reader = clips.read(path)
    assert len(segments) == 6
    report = reader.report
    assert report.status == "partly-read"
    assert "damaged" in report.reason and report.reason.split("; ")[0] in report.notices
    found, wanted = clips.numbers(segments), clips.expected(6, 25)
    assert found[:20] == wanted[:20]  # before the damage
    last = [segment.audio for segment in segments][-1]
    assert clips.onset(last, 16000) == pytest.approx(clips.QUIET, abs=0.01)  # after it: still in time


def test_a_cut_mkv(good_mkv, tmp_path):
    data = good_mkv.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    segments, reader = clips.read(path)
    assert 3 <= len(segments) <= 7
    assert reader.report.status == "partly-read"
    assert "the file announces 10.0 s" in reader.report.reason
    assert clips.numbers(segments)[:32] == clips.expected(2, 25)


def test_a_cut_mp4_with_its_index_in_front(tmp_path):
    options = {"movflags": "faststart"}
    whole = mux(tmp_path / "w.mp4", frames=steady(10), sound=[(0, clips.tone(10, frequencies=[440]))], options=options)
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    segments, reader = clips.read(path)
    assert clips.numbers(segments)[:16] == clips.expected(1, 25)
    assert reader.report.status == "partly-read"
    assert "the file announces 10.0 s" in reader.report.reason


def test_a_cut_mp4_without_its_index(good, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    with pytest.raises(DataError, match="not a video or audio file") as caught:
        clips.read(path)
    assert "index" in caught.value.fix and caught.value.where == str(path)


@pytest.mark.parametrize("content", [b"hello world\n" * 500, bytes(5000), b"\x00", b"#EXTM3U\n#EXTINF:1,\nother.ts\n"])
@pytest.mark.parametrize("name", ["clip.mp4", "notes.txt", "list.m3u8"])
def test_text_and_zeros_are_no_video(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a video or audio file"):
        clips.read(path)
    with pytest.raises(DataError, match="not a video or audio file"):
        probe(path)


def test_a_playlist_opens_no_other_file(good, tmp_path):
    shutil.copy(good, tmp_path / "other.mp4")
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")
    with pytest.raises(DataError, match="not a video or audio file"):
        clips.read(path)


def test_frames_that_fill_the_memory_are_refused(good, monkeypatch):
    monkeypatch.setattr(source, "MAX_PIXELS", clips.WIDTH * clips.HEIGHT - 1)
    segments, reader = clips.read(good)
    assert segments[0].frames is None
    assert reader.report.reason.startswith("video stream cannot be decoded")


def test_subtitles_alone(tmp_path):
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n")
    with pytest.raises(DataError, match="neither a video nor an audio stream"):
        clips.read(path)
    with pytest.raises(DataError, match="neither a video nor an audio stream"):
        probe(path)


def test_no_file_of_its_own(tmp_path):
    with pytest.raises(DataError, match="video file missing"):
        clips.read(tmp_path / "nothing.mp4")
    with pytest.raises(DataError, match="a folder is not a video"):
        clips.read(tmp_path)
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(DataError, match="video file is empty"):
        clips.read(tmp_path / "empty.mp4")
    with pytest.raises(DataError, match="cannot be read"):
        clips.read(tmp_path / ("n" * 300 + ".mp4"))
    with pytest.raises(DataError, match="cannot be read"):
        clips.read(Path("a\0b.mp4"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(DataError, match="not a regular file"):
        clips.read(tmp_path / "pipe.mp4")


def test_without_permission(good, tmp_path, monkeypatch):
    path = shutil.copy(good, tmp_path / "private.mp4")
    path.chmod(0)
    if os.access(path, os.R_OK):  # an administrator may read everything

        def refuse(*_args, **_options):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="cannot be read") as caught:
        clips.read(path)
    assert caught.value.found == "permission denied"


@pytest.mark.parametrize(
    "name", ["with space.mp4", 'it\'s "quoted".mp4', "Ünïcode 猫 🐸.mp4", "a:b.mp4", "%03d.mp4", "-o.mp4", "no-suffix"]
)
def test_names(good, tmp_path, name, monkeypatch):
    shutil.copy(good, tmp_path / name)
    segments, _ = clips.read(tmp_path / name, per_segment=1)
    assert len(segments) == 6
    monkeypatch.chdir(tmp_path)
    assert probe(name).duration == pytest.approx(6, abs=0.1)


def test_a_missing_package_is_named(monkeypatch, good):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(backend.UsageError, match="PyAV") as caught:
        clips.read(good)
    assert caught.value.fix == "pip install 'avelzoo[media]'"


def test_an_old_package_is_refused(monkeypatch):
    monkeypatch.setattr(backend.av(), "__version__", "14.4.0")
    with pytest.raises(backend.UsageError, match="too old"):
        backend.av()


def test_ffmpeg_says_nothing(good, tmp_path):
    size = good.stat().st_size
    bad = spoiled(good, tmp_path / "bad.mp4", np.arange(size // 3, size // 2, 40))
    code = (
        "import sys; from pathlib import Path; from tests.media import clips;"
        "print(clips.read(Path(sys.argv[1]))[1].report.status)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(bad)], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("partly-read", "")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_random_damage_ends_well(good, good_mkv, tmp_path, suffix):
    """Every outcome is a report or a clear error, in bounded time."""
    source = good if suffix == "mp4" else good_mkv
    outcomes = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        positions = np.unique(rng.integers(0, source.stat().st_size, int(10 ** rng.uniform(0, 3))))
        try:
            segments, reader = clips.read(spoiled(source, tmp_path / f"f.{suffix}", positions, seed), per_segment=2)
        except DataError as error:
            outcomes.append(type(error).__name__)
        else:
            assert len(segments) < 1000
            assert reader.report.status != "ok" or not reader.report.reason
            outcomes.append(reader.report.status)
    assert "partly-read" in outcomes
