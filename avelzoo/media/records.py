"""Records of reading: segments, what a file holds, and how it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from avelzoo.timeline.records import Status

PADDED = "last segment padded"
"""Begins the notice about a padded last segment."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A segment of a video.

    Attributes:
        index: number of the segment, from 0.
        start: start in seconds on the file's timeline.
        frames: (k ...) the k prepared frames; None without a video stream or without a `FrameSampling`.
        audio: (samples) float32, mono; None without an audio stream or without an `AudioSampling`.
    """

    index: int
    start: float
    frames: np.ndarray | None
    audio: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class MediaReport:
    """How a file was read.

    Attributes:
        status: ``ok``, ``partly-read``, ``silent``, ``no-audio`` or ``no-video``.
        reason: why the status is not ``ok``, in one sentence.
        duration: seconds that were read.
        notices: what was filled, skipped or padded, one sentence each.
        has_audio: the file has an audio stream that can be decoded.
        has_video: the file has a video stream that can be decoded.
    """

    status: Status
    reason: str
    duration: float
    notices: tuple[str, ...]
    has_audio: bool
    has_video: bool


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """A video stream, as its header describes it.

    Attributes:
        codec: FFmpeg's name of the codec.
        width: pixels per row, before rotation.
        height: rows, before rotation.
        frame_rate: mean frames per second; 0 if unknown.
    """

    codec: str
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """An audio stream, as its header describes it.

    Attributes:
        codec: FFmpeg's name of the codec.
        rate: samples per second.
        channels: number of channels.
    """

    codec: str
    rate: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class MediaInfo:
    """What a file announces.

    Attributes:
        format: FFmpeg's name of the container.
        duration: announced length in seconds; 0 if unknown.
        video: the video stream that is read; None if there is none.
        audio: the audio stream that is read; None if there is none.
    """

    format: str
    duration: float
    video: VideoStream | None
    audio: AudioStream | None
