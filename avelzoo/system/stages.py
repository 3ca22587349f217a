"""Busy time of the stages that a video passes through."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

DECODING, RESAMPLING, BACKBONE, MODEL, WRITING = STAGES = ("decoding", "resampling", "backbone", "model", "writing")
"""Reading and decoding packets; frames to RGB, frames and sound to the extractors' sizes and rates; the extractors'
networks; the model on features; files of results."""

T = TypeVar("T")


class StageTimes:
    """Seconds spent in each stage. One thread writes; stages of several threads may sum to more than the time passed.

    >>> times = StageTimes()
    >>> times.add("decoding", 2.0), times.add("decoding", 0.5), times.seconds["decoding"]
    (None, None, 2.5)
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        self.seconds[stage] += seconds

    def merge(self, other: Mapping[str, float]) -> None:
        """Add the seconds of other stages."""
        for stage, seconds in other.items():
            self.add(stage, seconds)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began)

    def iterate(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items; the time that it takes to get them is added to a stage."""
        source = iter(items)
        while True:
            with self.timed(stage):
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item
