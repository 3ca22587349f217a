"""Clips that are written: what comes back, how much memory it takes, what is left after a failure."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from avelzoo.errors import DataError, OptionError, StorageError
from avelzoo.media import encoding
from avelzoo.media.probing import probe
from avelzoo.media.writing import cut_clip, write_clip
from tests.media import clips
from tests.media.muxed import mux

pytest.importorskip("av")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return clips.clip(tmp_path_factory.mktemp("media") / "good.mp4", 6)


@pytest.mark.parametrize("channels", [0, 1, 2])
def test_what_is_written_is_read(tmp_path, channels):
    segments, _ = clips.read(clips.clip(tmp_path / "c.mp4", 3, 25, 48000, channels))
    assert clips.numbers(segments) == clips.expected(3, 25)
    info = probe(tmp_path / "c.mp4")
    assert (info.audio.channels if info.audio else 0) == channels


def test_iterables_are_taken_as_they_are_encoded(tmp_path):
    taken = []

    def frames():
        for number in range(100):
            taken.append(("frame", number))
            yield clips.drawn(number)

    def blocks():
        for number, block in enumerate(np.split(clips.tone(4, 8000, [440]), 40, axis=1)):
            taken.append(("block", number))
            yield block[0]

    write_clip(tmp_path / "c.mp4", frames(), blocks(), 25, 8000)
    blocks_before = [
        sum(kind == "block" for kind, _ in taken[:i]) for i, (kind, _) in enumerate(taken) if kind == "frame"
    ]
    assert np.abs(np.diff(blocks_before)).max() <= 1 and max(blocks_before) == 40
    segments, _ = clips.read(tmp_path / "c.mp4")
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 4, abs=0.005)


def test_odd_sizes_lose_a_row_and_a_column(tmp_path):
    write_clip(tmp_path / "odd.mp4", [np.zeros((33, 47, 3), np.uint8)] * 3, None, 10)
    assert (probe(tmp_path / "odd.mp4").video.height, probe(tmp_path / "odd.mp4").video.width) == (32, 46)


def test_without_x264(tmp_path, monkeypatch):
    package = encoding.av()
    monkeypatch.setattr(package, "codecs_available", package.codecs_available - {"libx264"})
    segments, _ = clips.read(clips.clip(tmp_path / "c.mp4", 2))
    assert probe(tmp_path / "c.mp4").video.codec == "mpeg4"
    assert clips.numbers(segments) == clips.expected(2, 25)


def test_nothing_half_written(tmp_path):
    path = tmp_path / "c.mp4"
    path.write_bytes(b"old")

    def breaks():
        yield clips.drawn(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(path, breaks(), None, 25)
    with pytest.raises(DataError, match="no frames"):
        write_clip(path, [], None, 25)
    with pytest.raises(DataError, match="cannot be encoded"):
        write_clip(path, [np.zeros((32, 32, 4), np.uint8)], None, 25)
    with pytest.raises(OptionError, match="positive"):
        write_clip(path, [clips.drawn(0)], None, 0)
    assert path.read_bytes() == b"old" and [file.name for file in tmp_path.iterdir()] == ["c.mp4"]


def test_no_folder(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"):
        write_clip(tmp_path / "none" / "c.mp4", [clips.drawn(0)], None, 25)


FULL = """
import resource, signal, sys
import numpy as np
from avelzoo.media.writing import write_clip
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
noise = np.random.default_rng(0)
frames = (noise.integers(0, 255, (96, 160, 3), dtype=np.uint8) for _ in range(100))
try:
    write_clip(sys.argv[1], frames, None, 25)
except Exception as error:
    print(type(error).__name__, error.problem)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files are limited as on Unix")
def test_no_space(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "c.mp4")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "StorageError there is no space left to write a file"
    assert list(tmp_path.iterdir()) == []


def test_an_interval_is_cut_out(good, tmp_path):
    cut_clip(good, 2.0, 4.5, tmp_path / "cut.mp4")
    segments, reader = clips.read(tmp_path / "cut.mp4")
    assert reader.report.duration == pytest.approx(2.5, abs=0.05)
    assert clips.numbers(segments)[:40] == [50 + number for number in clips.expected(5, 25)[:40]]
    assert [clips.onset(segment.audio, 16000) for segment in segments[:2]] == pytest.approx(
        [clips.QUIET] * 2, abs=0.005
    )


def test_cutting_without_sound_or_picture(tmp_path):
    cut_clip(clips.clip(tmp_path / "mute.mp4", 2, channels=0), 0.5, 1.5, tmp_path / "a.mp4")
    assert probe(tmp_path / "a.mp4").audio is None
    cut_clip(mux(tmp_path / "s.mkv", sound=[(0, clips.tone(2, frequencies=[440]))]), 0.5, 1.5, tmp_path / "b.mp4")
    segments, _ = clips.read(tmp_path / "b.mp4")
    assert np.abs(segments[0].audio).max() > 0.3 and segments[0].frames is not None


def test_intervals_that_cannot_be_cut(good, tmp_path):
    with pytest.raises(OptionError, match="empty interval"):
        cut_clip(good, 3, 3, tmp_path / "c.mp4")
    with pytest.raises(DataError, match="nothing to read after the start"):
        cut_clip(good, 30, 31, tmp_path / "c.mp4")
    assert list(tmp_path.iterdir()) == []
