"""Files whose streams start late, pause, change pace, lie on their side or are missing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from avelzoo.errors import DataError, OptionError
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.reading import read_media
from tests.media import clips
from tests.media.muxed import mux, steady

pytest.importorskip("av")
RATE = 44100


def block(seconds, channels=1):
    return clips.tone(seconds, RATE, [440] * channels)


CONTAINERS = {
    "fragmented.mp4": {"options": {"movflags": "frag_keyframe+empty_moov"}},
    "c.mkv": {},
    "c.ts": {},
    "c.flv": {},
    "c.avi": {"codec": "mpeg4", "audio_codec": "pcm_s16le", "tick": Fraction(1, 25)},
    "c.webm": {"codec": "libvpx", "audio_codec": "libopus", "rate": 48000},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(tmp_path, name):
    options = CONTAINERS[name]
    sound = clips.tone(4, options.get("rate", RATE), [440])
    path = mux(tmp_path / name, frames=steady(4), sound=[(0, sound)], **options)
    segments, reader = clips.read(path)
    assert clips.numbers(segments) == clips.expected(4, 25)
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 4, abs=0.003)
    assert (reader.report.status, reader.report.notices) == ("ok", ())
    part, _ = clips.read(path, start=2.0, duration=1.0)
    assert clips.numbers(part) == clips.expected(4, 25)[32:48]
    assert clips.onset(part[0].audio, 16000) == pytest.approx(clips.QUIET, abs=0.003)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_delayed_audio_stays_delayed(tmp_path, suffix):
    path = mux(tmp_path / f"late.{suffix}", frames=steady(4), sound=[(1.436, block(2.564))])
    segments, reader = clips.read(path)
    sound = clips.samples(segments)
    assert not sound[: int(1.43 * 16000)].any()
    assert clips.onset(sound, 16000) == pytest.approx(1.436 + clips.QUIET, abs=0.003)
    assert clips.numbers(segments) == clips.expected(4, 25)
    assert reader.report.status == "ok"
    assert "audio starts at 1.4 s, silence before it" in reader.report.notices


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_an_audio_gap_is_silence_and_said(tmp_path, suffix):
    path = mux(tmp_path / f"gap.{suffix}", frames=steady(6), sound=[(0, block(2)), (3, block(3))])
    segments, reader = clips.read(path)
    sound = clips.samples(segments)
    assert np.abs(sound[2 * 16000 + 2000 : 3 * 16000 - 2000]).max() < 1e-3
    for second in (0, 1, 3, 4, 5):
        assert clips.onset(segments[second].audio, 16000) == pytest.approx(clips.QUIET, abs=0.004)
    assert reader.report.status == "partly-read"
    assert reader.report.reason == "audio gap 2.0-3.0 s, filled with silence"


def test_overlapping_audio_is_dropped_and_said(tmp_path):
    short = block(1)[:, 4000:5024]
    late = [(0.02 * number, short) for number in range(200)]  # 23 ms in each 20 ms
    segments, reader = clips.read(mux(tmp_path / "dense.mkv", sound=late, audio_codec="pcm_s16le"))
    assert len(segments) == 4
    assert reader.report.duration == pytest.approx(4, abs=0.04)
    assert any("overlaps itself: 0.6 s" in notice for notice in reader.report.notices)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rate(tmp_path, suffix):
    times = [*np.arange(0, 3, 0.06), *np.arange(3, 6, 0.02)]
    segments, reader = clips.read(mux(tmp_path / f"vfr.{suffix}", frames=times))
    stamps = [round(time * 1000) for time in times]
    wanted = [max(n for n, stamp in enumerate(stamps) if stamp <= i * 1000 / 16) for i in range(96)]
    assert clips.numbers(segments) == wanted
    assert reader.report.reason == "no audio stream"


def test_a_video_gap_shows_the_last_frame_and_is_said(tmp_path):
    path = mux(tmp_path / "hole.mkv", frames=[*steady(2), *(5 + time for time in steady(1))])
    segments, reader = clips.read(path, per_segment=4)
    assert clips.numbers(segments)[8:20] == [49] * 12
    assert "video gap 2.0-5.0 s, filled with the last frame" in reader.report.notices


def test_slides_are_no_gap(tmp_path):
    segments, reader = clips.read(mux(tmp_path / "slides.mkv", frames=[0, 3, 5, 8, 11]), per_segment=1)
    assert clips.numbers(segments)[:11] == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3]
    assert not any("gap" in notice for notice in reader.report.notices)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_applied(tmp_path, rotation):
    path = mux(tmp_path / "turned.mp4", frames=steady(1), rotation=rotation)
    sampling = FrameSampling(per_segment=2, prepare=lambda frame: frame.copy())
    with read_media(path, frames=sampling, audio=None) as reader:
        frame = next(reader).frames[1]
    sides = (clips.HEIGHT, clips.WIDTH, 3) if rotation == 180 else (clips.WIDTH, clips.HEIGHT, 3)
    assert frame.shape == sides
    assert clips.number_of(np.rot90(frame, -rotation // 90)) == 12


def test_streams_share_the_origin_of_the_video(tmp_path):
    frames, sound = [3 + time for time in steady(3)], [(2.0, block(4))]
    segments, _ = clips.read(mux(tmp_path / "early.mkv", frames=frames, sound=sound, audio_codec="pcm_s16le"))
    assert len(segments) == 3
    assert clips.numbers(segments) == clips.expected(3, 25)
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 3, abs=0.002)


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6), ("7.1", 8)])
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32le", "aac"])
def test_channels_are_averaged(tmp_path, layout, channels, codec):
    levels = np.linspace(0.1, 0.8, channels)[:, None]
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * 48000) / 48000)
    sound = (levels * tone).astype(np.float32)
    path = mux(tmp_path / "c.mkv", sound=[(0, sound)], rate=48000, layout=layout, audio_codec=codec)
    with read_media(path, frames=None, audio=AudioSampling(rate=48000)) as reader:
        got = clips.samples(list(reader))[24000:72000]
    level = np.sqrt(2 * np.mean(got**2))
    lfe_is_filtered = codec == "aac" and channels > 2
    assert level == pytest.approx(levels.mean(), rel=0.25 if lfe_is_filtered else 0.01)
    if codec != "aac":
        assert np.abs(got - sound.mean(0)[24000:72000]).max() < 1e-4


def test_without_audio(tmp_path):
    segments, reader = clips.read(clips.clip(tmp_path / "mute.mp4", 2, channels=0))
    assert [segment.audio for segment in segments] == [None, None]
    report = reader.report
    assert (report.status, report.reason, report.has_audio, report.has_video) == (
        "no-audio",
        "no audio stream",
        False,
        True,
    )


def test_without_video(tmp_path):
    segments, reader = clips.read(mux(tmp_path / "sound.mkv", sound=[(0, block(2.5))]))
    assert [segment.frames for segment in segments] == [None] * 3
    assert (reader.report.status, reader.report.has_video) == ("no-video", False)
    assert not segments[2].audio[9000:].any()  # AAC pads its last frame


def test_digital_silence(tmp_path):
    path = mux(tmp_path / "silent.mp4", frames=steady(2), sound=[(0, np.zeros((1, 2 * RATE), np.float32))])
    segments, reader = clips.read(path)
    assert not clips.samples(segments).any()
    assert (reader.report.status, reader.report.reason) == ("silent", "sound is digital silence")


def test_a_cover_is_no_video(tmp_path):
    path = mux(tmp_path / "cover.mp4", frames=[0], sound=[(0, block(3))], codec="mjpeg", cover=True)
    segments, reader = clips.read(path)
    assert len(segments) == 3 and segments[0].frames is None
    assert (reader.report.status, reader.report.reason) == ("no-video", "no video stream")


def test_one_frame(tmp_path):
    segments, reader = clips.read(mux(tmp_path / "one.mp4", frames=[0]))
    assert clips.numbers(segments) == [0] * 16
    assert any("last segment padded from 0.0" in notice for notice in reader.report.notices)


@pytest.mark.parametrize(("seconds", "segments"), [(3.5, 4), (6.0, 6), (12.3, 13), (4.05, 4)])
def test_any_length(tmp_path, seconds, segments):
    found, reader = clips.read(clips.clip(tmp_path / "c.mp4", seconds, 20, channels=1), per_segment=4)
    last = round(seconds * 20) - 1
    assert clips.numbers(found) == [min(last, 5 * i) for i in range(4 * segments)]
    padded = [notice for notice in reader.report.notices if "padded" in notice]
    assert bool(padded) == (seconds % 1 > 0.1)
    assert reader.report.duration == pytest.approx(min(seconds, segments), abs=0.03)


def test_streams_that_end_apart(tmp_path):
    segments, reader = clips.read(mux(tmp_path / "a.mkv", frames=steady(4), sound=[(0, block(2))]))
    assert len(segments) == 4 and not segments[3].audio.any()
    assert "audio ends at 2.0 s, silence after it" in reader.report.notices
    segments, reader = clips.read(mux(tmp_path / "v.mkv", frames=steady(2), sound=[(0, block(4))]))
    assert clips.numbers(segments)[32:] == [49] * 32
    assert "video ends at 2.0 s, last frame shown after it" in reader.report.notices


@pytest.fixture(scope="module", params=["mkv", "mov"])
def ten_seconds(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("media") / f"w.{request.param}"
    mux(path, frames=steady(10), sound=[(0, block(10))], audio_codec="pcm_s16le")
    return path, clips.read(path)[0]


@pytest.mark.parametrize(("start", "duration"), [(4.0, 3.0), (6.5, 2.0), (0.0, 2.0), (8.0, None)])
def test_a_window_equals_the_same_part_of_the_whole(ten_seconds, start, duration):
    path, whole = ten_seconds
    window = {"start": start} if duration is None else {"start": start, "duration": duration}
    part, reader = clips.read(path, **window)
    seconds = duration or 10 - start
    assert len(part) == seconds and part[0].start == start
    low = round(start * 16)
    assert clips.numbers(part) == clips.numbers(whole)[low : low + round(16 * seconds)]
    sound = clips.samples(whole)[round(start * 16000) :][: round(seconds * 16000)]
    if path.suffix == ".mov":
        assert np.abs(clips.samples(part) - sound)[:-100].max() < 1e-4
    else:  # Matroska rounds time stamps to milliseconds
        assert clips.onset(clips.samples(part)[:-100], 16000) == pytest.approx(clips.onset(sound, 16000), abs=0.001)
    assert reader.report.duration == pytest.approx(seconds)


def test_joined_recordings_stay_in_time(tmp_path):
    """Time stamps start again, and the rate of the sound changes."""
    parts = [
        mux(tmp_path / f"{rate}.ts", frames=steady(3), sound=[(0, clips.tone(3, rate, [440]))], rate=rate)
        for rate in (44100, 48000)
    ]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    segments, reader = clips.read(path)
    assert clips.numbers(segments) == 2 * clips.expected(3, 25)
    assert [clips.onset(segment.audio, 16000) for segment in segments] == pytest.approx([clips.QUIET] * 6, abs=0.003)
    assert "jumps in the video time stamps: 1" in reader.report.reason


def test_a_window_stops_at_its_end(tmp_path):
    path = mux(tmp_path / "w.mkv", frames=steady(6), sound=[(0, block(6))], audio_codec="pcm_s16le")
    segments, reader = clips.read(path, start=1.0, duration=2.5)
    assert len(segments) == 3
    assert clips.numbers(segments)[-8:] == [87] * 8
    assert not segments[2].audio[8100:].any()
    assert reader.report.notices == ("last segment padded from 3.50 s to 4.00 s",)


def test_a_window_after_the_end(tmp_path):
    path = clips.clip(tmp_path / "c.mp4", 2)
    with pytest.raises(DataError, match="nothing to read after the start"):
        clips.read(path, start=5.0)
    for name, value in (("start", -1.0), ("duration", 0.0), ("seconds", float("nan"))):
        with pytest.raises(OptionError, match=name):
            clips.read(path, **{name: value})
