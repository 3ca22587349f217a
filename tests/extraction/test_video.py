"""Features of one video: every segment once and in order, whatever the blocks; missing streams; short tails."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from avelzoo.errors import DataError, OptionError, UnknownNameError
from avelzoo.extraction.journal import Journal
from avelzoo.extraction.naming import extractor_config, require_modality
from avelzoo.extraction.video import FeatureReader, extract_video
from avelzoo.extractors import AudioSampling, Extractor, FeatureRecipe, FrameSampling
from avelzoo.plugin.default import default_host
from tests.extraction.fakes import FakeReader


class Level(Extractor):
    """Mean level of a segment's frames, (1 1 1)."""

    modality = "visual"
    sampling = FrameSampling(per_segment=2, prepare=lambda frame: frame[:2, :2].copy())
    shape = (1, 1, 1)
    recipe: FeatureRecipe = MappingProxyType({"encoder": "level"})
    largest = 0

    def features(self, segments: np.ndarray) -> np.ndarray:
        self.largest = max(self.largest, len(segments))
        assert segments.shape[1:] == (2, 2, 2, 3)
        return segments.mean((1, 2, 3, 4), dtype=np.float32)[:, None, None, None]


class Loudness(Extractor):
    """Mean amplitude in thousandths, and the number of samples."""

    modality = "audio"
    sampling = AudioSampling(rate=100)
    shape = (2,)
    recipe: FeatureRecipe = MappingProxyType({"encoder": "loudness"})

    def features(self, segments: np.ndarray) -> np.ndarray:
        count = np.full(len(segments), segments.shape[1])
        return np.stack([1000 * segments.mean(1), count], axis=1).astype(np.float32)


def read(monkeypatch: pytest.MonkeyPatch, reader: FakeReader) -> None:
    monkeypatch.setattr("avelzoo.extraction.video.read_media", reader)


@pytest.mark.parametrize("duration", [0.2, 1.0, 7.0, 8.0, 9.0, 16.6, 24.0, 25.0])
def test_every_segment_once_and_in_order(monkeypatch: pytest.MonkeyPatch, duration: float) -> None:
    read(monkeypatch, FakeReader(duration))
    found = extract_video(Path("x.mp4"), visual := Level(), Loudness())
    segments = int(np.ceil(duration))
    assert found.visual.reshape(-1).tolist() == list(range(segments))
    assert np.allclose(found.audio[:, 0], range(segments), atol=1e-3) and (found.audio[:, 1] == 100).all()
    assert visual.largest <= 8


@pytest.mark.parametrize(("duration", "segments"), [(10.4, 10), (10.5, 11), (0.1, 1), (8.2, 8), (16.3, 16), (9, 9)])
def test_a_short_tail_is_left_out_on_request(monkeypatch: pytest.MonkeyPatch, duration: float, segments: int) -> None:
    read(monkeypatch, FakeReader(duration))
    reader = FeatureReader(Path("x.mp4"), Level(), Loudness(), tail=0.5)
    assert sum(len(block.audio) for block in reader) == segments
    assert len(reader.report.notices) == (segments < np.ceil(duration))


def test_a_left_out_tail_is_not_said_to_be_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    media = FakeReader(14.34)
    media.report.notices = ("last segment padded from 14.34 s to 15.00 s", "video starts at 0.5 s")
    read(monkeypatch, media)
    reader = FeatureReader(Path("x.mp4"), Level(), Loudness(), tail=0.5)
    assert sum(len(block.audio) for block in reader) == 14
    assert reader.report.notices == ("video starts at 0.5 s", "the last 0.34 s left out, less than 0.5 of a segment")


def test_other_lengths_and_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, FakeReader(10.0))
    found = extract_video(Path("x.mp4"), Level(), Loudness(), seconds=0.5, start=2.0, duration=3.0)
    assert found.visual.reshape(-1).tolist() == [2, 2, 3, 3, 4, 4]
    assert (found.audio[:, 1] == 50).all()


def test_missing_streams_are_black_and_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, FakeReader(3.0, sound=False))
    found = extract_video(Path("x.mp4"), Level(), Loudness())
    assert found.visual.reshape(-1).tolist() == [0, 1, 2] and (found.audio[:, 0] == 0).all()
    read(monkeypatch, FakeReader(3.0, pictures=False))
    found = extract_video(Path("x.mp4"), Level(), Loudness())
    assert (found.visual == 0).all() and np.allclose(found.audio[:, 0], [0, 1, 2], atol=1e-3)


def test_blocks_come_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, FakeReader(7200.0))
    reader = FeatureReader(Path("x.mp4"), Level(), Loudness())
    first = next(iter(reader))
    assert len(first.audio) == 8 and not hasattr(reader, "report")


def test_no_segment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, FakeReader(0.0))
    with pytest.raises(DataError, match="no segment"):
        extract_video(Path("x.mp4"), Level(), Loudness())


def test_extractors_by_name() -> None:
    registry = default_host().registry
    config = extractor_config(registry, "colour-motion", {"frames": "4", "grid": "2,3"})
    assert config.to_dict() == {"frames": 4, "grid": [2, 3]}
    with pytest.raises(UnknownNameError, match="colour-motion"):
        extractor_config(registry, "colour-motoin", {})
    with pytest.raises(OptionError, match="unknown option"):
        extractor_config(registry, "colour-motion", {"frame": "4"})
    with pytest.raises(OptionError, match="not an extractor of audio"):
        require_modality(config, "audio", "colour-motion")


def test_a_long_video_is_stored_in_constant_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A million numbers per segment: an hour would take 14 GB."""

    class Wide(Level):
        shape = (100, 100, 100)

        def features(self, segments: np.ndarray) -> np.ndarray:
            return np.zeros((len(segments), *self.shape), np.float32)

    class Sink(io.BytesIO):
        written = 0

        def write(self, data: object) -> int:
            Sink.written += memoryview(data).nbytes  # type: ignore[arg-type]
            return memoryview(data).nbytes  # type: ignore[arg-type]

    read(monkeypatch, FakeReader(200.0))
    (tmp_path / "x.mp4").write_bytes(b"x")
    journal = Journal(tmp_path / "out")
    journal.begin({})
    monkeypatch.setattr(Path, "open", lambda *_, **__: Sink())
    monkeypatch.setattr("avelzoo.extraction.journal.Journal._keep", lambda self, record: record)
    tracemalloc.start()
    record = journal.store("key", tmp_path / "x.mp4", FeatureReader(tmp_path / "x.mp4", Wide(), Loudness()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert record.segments == 200 and Sink.written == 200 * 4 * 1_000_002
    assert peak < 40 * 4 * 1_000_002
