"""The report of a file: its status, the reason, and what was filled, skipped or padded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avelzoo.media.pictures import PictureTimeline
from avelzoo.media.records import PADDED, MediaReport
from avelzoo.media.sound import SoundTimeline
from avelzoo.media.source import StreamSource

if TYPE_CHECKING:
    from avelzoo.timeline.records import Status

_SILENT = 2.0**-16
"""Peak below which sound is digital silence: half a step of 16 bits."""
_APART = 0.25
"""Seconds by which the streams may start and end apart without a word."""
_SHORT = 1.0
"""Seconds that may lack at the end, beside 2 % of the length: headers count sound and pictures differently."""
_ROUNDED = 0.05
"""Seconds at the end that need no word: a frame, or the padding of a sound encoder."""
_HEADED = {"mov", "matroska", "avi", "flv", "flac", "wav", "asf"}
"""Containers that announce their length in a header; in others FFmpeg estimates it."""


def report(
    *,
    video: StreamSource,
    audio: StreamSource,
    pictures: PictureTimeline | None,
    sound: SoundTimeline | None,
    has_video: bool,
    has_audio: bool,
    begin: float,
    padded_to: float,
    announced: float,
    finished: bool,
) -> MediaReport:
    """How a file was read so far, or to its end if ``finished``."""
    reasons, notices = _damage(video, audio, pictures, sound), []
    if sound is not None:
        if sound.gaps.count:
            reasons.append(f"{sound.gaps.describe('audio')}, filled with silence")
        if sound.starts is not None and sound.starts > begin + _APART:
            notices.append(f"audio starts at {sound.starts:.1f} s, silence before it")
        if sound.dropped > _APART:
            notices.append(f"audio overlaps itself: {sound.dropped:.1f} s left out")
    if pictures is not None:
        if pictures.gaps.count:
            notices.append(f"{pictures.gaps.describe('video')}, filled with the last frame")
        if pictures.starts is not None and pictures.starts > begin + _APART:
            notices.append(f"video starts at {pictures.starts:.1f} s, first frame shown before it")
        if pictures.resized:
            notices.append(f"{pictures.resized:,} frames of another size left out")
    ends = [part.end for part in (pictures, sound) if part is not None]
    end = max(begin, *ends)
    if finished:
        headed = not _HEADED.isdisjoint(video.format.split(","))
        if headed and end < announced - max(_SHORT, announced / 50):
            reasons.append(f"the file announces {announced:.1f} s, {end:.1f} s could be read")
        notices += _ending(pictures, sound, end, padded_to)
    status, first = _status(
        has_video=has_video,
        has_audio=has_audio,
        streams=(audio.stream, video.stream),
        silent=sound is not None and sound.peak < _SILENT,
        partly=bool(reasons),
    )
    return MediaReport(
        status=status,
        reason="; ".join(first + reasons),
        duration=(min(end, padded_to) if finished else end) - begin,
        notices=tuple(reasons + notices),
        has_audio=has_audio,
        has_video=has_video,
    )


def _damage(
    video: StreamSource, audio: StreamSource, pictures: PictureTimeline | None, sound: SoundTimeline | None
) -> list[str]:
    found = []
    for name, source, part in (("video", video, pictures), ("audio", audio, sound)):
        if source.damaged:
            found.append(f"damaged {name} packets skipped: {source.damaged:,}")
        if source.concealed:
            found.append(f"damaged {name} frames repaired: {source.concealed:,}")
        if source.stopped:
            found.append(f"{name} unreadable after {part.end if part else 0.0:.1f} s")
        if part is not None and part.clock.resets:
            found.append(f"jumps in the {name} time stamps: {part.clock.resets:,}, continued without a gap")
    return found


def _ending(pictures: PictureTimeline | None, sound: SoundTimeline | None, end: float, padded_to: float) -> list[str]:
    notices = []
    if pictures is not None and sound is not None:
        if sound.end < end - _APART:
            notices.append(f"audio ends at {sound.end:.1f} s, silence after it")
        if pictures.end < end - _APART:
            notices.append(f"video ends at {pictures.end:.1f} s, last frame shown after it")
    if padded_to - end > _ROUNDED:
        notices.append(f"{PADDED} from {end:.2f} s to {padded_to:.2f} s")
    elif end - padded_to > _ROUNDED:
        notices.append(f"{end - padded_to:.2f} s at the end left out, less than a tenth of a segment")
    return notices


def _status(
    *, has_video: bool, has_audio: bool, streams: tuple[Any, Any], silent: bool, partly: bool
) -> tuple[Status, list[str]]:
    for kind, there, stream in zip(("audio", "video"), (has_audio, has_video), streams, strict=True):
        if not there:
            missing = f"no {kind} stream" if stream is None else f"{kind} stream cannot be decoded"
            return ("no-audio" if kind == "audio" else "no-video"), [missing]
    if silent:
        return "silent", ["sound is digital silence"]
    return ("partly-read" if partly else "ok"), []
