"""Decoding ahead: the same items, a bounded number of them, and errors and ends that leave no thread behind."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avelzoo.errors import DataError
from avelzoo.extraction.ahead import Ahead, one_ahead
from avelzoo.extraction.throughput import Throughput
from avelzoo.extraction.video import BATCH, FeatureReader, extract_video
from avelzoo.system.stages import STAGES
from tests.extraction.fakes import FakeReader, FakeSegment
from tests.extraction.test_video import Level, Loudness, read


def decoding() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "avelzoo-decoding"]


def test_the_items_of_the_source_in_order() -> None:
    for count in (0, 1, 2, 3, 50):
        assert list(Ahead(lambda count=count: iter(range(count)), 2)) == list(range(count))


def test_an_error_comes_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield from (1, 2)
        raise DataError("damaged", where="here")

    items = iter(Ahead(source, 1))
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(DataError, match="damaged") as caught:
        next(items)
    assert caught.value.where == "here"


def test_a_source_that_cannot_be_made_is_an_error_of_the_iteration() -> None:
    def broken() -> Iterator[int]:
        raise DataError("missing")

    ahead = Ahead(broken, 1)
    with pytest.raises(DataError, match="missing"):
        next(iter(ahead))


def test_closing_stops_an_endless_source_and_closes_it() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    ahead = Ahead(endless, 3)
    assert next(iter(ahead)) == 0
    ahead.close()
    assert closed.is_set() and not decoding()


def test_frames_alive_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a block, as many decoded ahead, and one on each side of the queue."""
    alive: weakref.WeakSet[FakeSegment] = weakref.WeakSet()
    most = 0
    made = FakeReader.__iter__

    def counted(self: FakeReader) -> Iterator[FakeSegment]:
        nonlocal most
        for segment in made(self):
            alive.add(segment)
            most = max(most, len(alive))
            yield segment

    monkeypatch.setattr(FakeSegment, "__hash__", object.__hash__)
    monkeypatch.setattr(FakeReader, "__iter__", counted)
    read(monkeypatch, FakeReader(200.0))
    found = extract_video(Path("x.mp4"), Level(), Loudness())
    assert found.audio.shape == (200, 2)
    assert BATCH < most <= 2 * BATCH + 4


def test_a_reader_that_is_left_early_stops_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, FakeReader(7200.0))
    blocks = iter(FeatureReader(Path("x.mp4"), Level(), Loudness()))
    next(blocks)
    assert decoding()
    del blocks
    gc.collect()
    assert not decoding()


def test_an_interruption_in_the_networks_stops_the_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(Level):
        def features(self, segments: np.ndarray) -> np.ndarray:
            raise KeyboardInterrupt

    read(monkeypatch, FakeReader(7200.0))
    readers = [FeatureReader(Path("x.mp4"), Interrupted(), Loudness()) for _ in range(3)]
    with pytest.raises(KeyboardInterrupt):
        next(iter(next(one_ahead(readers, FeatureReader.start, FeatureReader.close))))
    gc.collect()
    assert not decoding()


def test_each_is_started_while_the_one_before_is_used() -> None:
    log: list[str] = []
    started = one_ahead("abc", lambda x: log.append(f"start {x}"), lambda x: log.append(f"close {x}"))
    log.extend(f"use {item}" for item in started)
    steps = "start a, start b, use a, close a, start c, use b, close b, use c, close c"
    assert log == steps.split(", ")
    log.clear()
    started = one_ahead("abc", lambda x: log.append(f"start {x}"), lambda x: log.append(f"close {x}"))
    next(started)
    started.close()
    assert log == ["start a", "start b", "close a", "close b"]


@pytest.mark.parametrize(
    ("stages", "bound"),
    [
        ({"decoding": 3.0, "resampling": 2.0, "backbone": 4.0}, "decode-bound"),
        ({"decoding": 3.0, "backbone": 4.0}, "backbone-bound"),
        ({"decoding": 3.0, "backbone": 1.0, "model": 4.0}, "model-bound"),
        ({"decoding": 1.0, "backbone": 1.0, "writing": 4.0}, "writing-bound"),
    ],
)
def test_the_bound_of_a_call(stages: dict[str, float], bound: str) -> None:
    speed = Throughput(videos=4, video_seconds=7200.0, seconds=2.0, stages=dict.fromkeys(STAGES, 0.0) | stages)
    assert speed.bound == bound and speed.describe().endswith(bound)
    assert speed.describe().startswith("4 videos, 2.00 h, 3600.0 times real time, 2.00 videos/s; busy: ")
    assert sum(speed.shares.values()) == pytest.approx(1.0)
    assert (speed.to_dict()["hours"], speed.to_dict()["videos_per_second"]) == (2.0, 2.0)
