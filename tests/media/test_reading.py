"""A clip that is all right: every sample time, the tones, the onset of every second."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.probing import probe
from avelzoo.media.reading import read_media
from tests.media import clips

pytest.importorskip("av")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return clips.clip(tmp_path_factory.mktemp("media") / "good.mp4")


def test_frames_at_all_sample_times(good):
    segments, reader = clips.read(good)
    assert clips.numbers(segments) == clips.expected(10, 25)
    assert [segment.start for segment in segments] == [float(second) for second in range(10)]
    assert reader.report.status == "ok" and reader.report.notices == ()
    assert reader.report.duration == pytest.approx(10)


def test_tones_and_onsets(good):
    segments, _ = clips.read(good)
    assert [segment.audio.shape for segment in segments] == [(16000,)] * 10
    assert list(clips.peaks(clips.samples(segments), 16000)) == pytest.approx([440, 880], abs=1)
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 10, abs=0.003)
    assert all(segment.audio.dtype == np.float32 for segment in segments)


@pytest.mark.parametrize("fps", [30000 / 1001, 24.0, 7.0, 60.0])
def test_frame_rates(tmp_path, fps):
    segments, _ = clips.read(clips.clip(tmp_path / "rate.mp4", 4, fps))
    assert clips.numbers(segments) == clips.expected(4, fps)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_sample_rates(tmp_path, rate):
    segments, _ = clips.read(clips.clip(tmp_path / "rate.mp4", 3, 10, rate, channels=1))
    sound = clips.samples(segments)
    assert sound.shape == (48000,)
    middle = sound[4000:12000]
    assert np.abs(np.fft.rfft(middle)).argmax() * 2 == 440
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 3, abs=0.005)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_streams_alone(good):
    with read_media(good, frames=None, audio=AudioSampling(rate=8000), seconds=0.5) as reader:
        segments = list(reader)
    assert len(segments) == 20 and segments[3].frames is None and segments[3].audio.shape == (4000,)
    with read_media(good, frames=FrameSampling(per_segment=2, prepare=clips.number_of), audio=None) as reader:
        assert clips.numbers(reader) == clips.expected(10, 25, 2)
    assert reader.report.status == "ok" and reader.report.has_audio


def test_frames_have_native_size(good):
    seen = []
    sampling = FrameSampling(per_segment=1, prepare=lambda frame: seen.append(frame.shape) or frame[:1, :1].copy())
    with read_media(good, frames=sampling, audio=None) as reader:
        assert next(reader).frames.shape == (1, 1, 1, 3)
    assert set(seen) == {(clips.HEIGHT, clips.WIDTH, 3)}


def test_probe(good):
    info = probe(good)
    assert info.duration == pytest.approx(10, abs=0.1)
    assert (info.video.codec, info.video.width, info.video.height, info.video.frame_rate) == ("h264", 160, 96, 25)
    assert (info.audio.codec, info.audio.rate, info.audio.channels) == ("aac", 44100, 2)
