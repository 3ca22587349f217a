"""How fast videos were worked through, and which stage decided it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from avelzoo.system.stages import BACKBONE, DECODING, MODEL, RESAMPLING, STAGES, WRITING

_BOUNDS = {DECODING: "decode-bound", BACKBONE: "backbone-bound", MODEL: "model-bound", WRITING: "writing-bound"}


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Videos of one call and the time that they took.

    Decoding and resampling run ahead of the other stages in a thread, so busy times may sum to more than the time
    that passed.

    Attributes:
        videos: number of videos that were read in this call.
        video_seconds: their length in seconds.
        seconds: time that passed.
        stages: busy seconds by stage.
    """

    videos: int
    video_seconds: float
    seconds: float
    stages: Mapping[str, float]

    @property
    def times_real_time(self) -> float:
        """Seconds of video per second."""
        return self.video_seconds / self.seconds if self.seconds else 0.0

    @property
    def videos_per_second(self) -> float:
        """Videos per second."""
        return self.videos / self.seconds if self.seconds else 0.0

    @property
    def shares(self) -> dict[str, float]:
        """Share of each stage in the busy time of all stages; they sum to 1."""
        whole = sum(self.stages.values())
        return {stage: self.stages[stage] / whole if whole else 0.0 for stage in STAGES}

    @property
    def bound(self) -> str:
        """The stage that decides the speed, such as ``decode-bound``; empty if nothing was read.

        The thread that decodes and resamples runs beside the other stages: the side that is busy for longer decides,
        and of its stages the longest.
        """
        if not self.videos:
            return ""
        behind = {stage: self.stages[stage] for stage in (BACKBONE, MODEL, WRITING)}
        if self.stages[DECODING] + self.stages[RESAMPLING] >= sum(behind.values()):
            return _BOUNDS[DECODING]
        return _BOUNDS[max(behind, key=lambda stage: behind[stage])]

    def describe(self) -> str:
        """All of it in one line; empty if nothing was read.

        >>> stages = dict.fromkeys(STAGES, 0.0) | {"decoding": 1.0, "backbone": 3.0}
        >>> Throughput(videos=2, video_seconds=20.0, seconds=4.0, stages=stages).describe()
        '2 videos, 20 s, 5.0 times real time, 0.50 videos/s; busy: decoding 25 %, backbone 75 %; backbone-bound'
        """
        if not self.videos:
            return ""
        hours = self.video_seconds / 3600
        length = f"{hours:.2f} h" if hours >= 0.1 else f"{self.video_seconds:.0f} s"
        busy = ", ".join(f"{stage} {100 * share:.0f} %" for stage, share in self.shares.items() if share >= 0.005)
        speed = f"{self.times_real_time:.1f} times real time, {self.videos_per_second:.2f} videos/s"
        return f"{self.videos} video{'' if self.videos == 1 else 's'}, {length}, {speed}; busy: {busy}; {self.bound}"

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "videos": self.videos,
            "hours": self.video_seconds / 3600,
            "seconds": self.seconds,
            "times_real_time": self.times_real_time,
            "videos_per_second": self.videos_per_second,
            "shares": self.shares,
            "bound": self.bound,
        }
