"""One stream of a file with its own handle on it: frames in order, damaged packets skipped and counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from avelzoo.media.backend import MAX_PIXELS, av, decoding_errors, open_input

_PATIENCE = 20
"""Failed reads in a row after which a file is given up."""


class StreamSource:
    """Frames of one stream.

    Each stream has a handle of its own, so that memory does not depend on how a file interleaves its streams.

    Attributes:
        path: the file.
        format: FFmpeg's name of the container.
        stream: PyAV's stream; None if the file has none of this kind.
        tick: seconds per unit of time stamps.
        damaged: packets that could not be read or decoded.
        concealed: frames that the decoder repaired.
        stopped: the file could not be read to its end.
        busy: seconds spent on opening the file, reading and decoding packets.
    """

    def __init__(self, path: Path, kind: Literal["video", "audio"]) -> None:
        self.path = path
        self._errors = decoding_errors()
        self._kind: Literal["video", "audio"] = kind
        self.damaged = 0
        self.concealed = 0
        self.stopped = False
        self.busy = 0.0
        self._open()

    def _open(self) -> None:
        began = time.perf_counter()
        self.container = open_input(self.path)
        self.format = str(self.container.format.name)
        self.stream = choose(self.container, self._kind)
        self.tick = float(self.stream.time_base) if self.stream and self.stream.time_base else 0.0
        for other in self.container.streams:
            if other is not self.stream:
                other.discard = av().stream.Discard.all
        if self.stream is not None:
            self.stream.thread_type = "AUTO"
            self.stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        self.busy += time.perf_counter() - began

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def seek(self, seconds: float) -> None:
        """Go to the key frame at or before a time stamp, or to the start of the file if it cannot be searched."""
        if not self.tick:
            return
        target = int(seconds / self.tick)
        try:
            self.container.seek(target, stream=self.stream)
            stamps = (packet.pts for packet in self.container.demux(self.stream) if packet.pts is not None)
            if next(stamps, target + 1) <= target:
                self.container.seek(target, stream=self.stream)
                return
        except self._errors:
            pass
        self.close()
        self._open()

    def seconds(self, stamp: int | None) -> float | None:
        """A time stamp in seconds."""
        return None if stamp is None or not self.tick else stamp * self.tick

    def frames(self) -> Iterator[Any]:
        """Decoded frames. No frame is kept here."""
        context = self.stream.codec_context
        began = time.perf_counter()
        for packet in self._packets():
            try:
                decoded = context.decode(packet)
            except self._errors:
                self.damaged += 1
                continue
            finally:
                now = time.perf_counter()
                self.busy, began = self.busy + now - began, now
            for frame in decoded:
                self.concealed += bool(frame.is_corrupt)
                yield frame
            began = time.perf_counter()

    def _packets(self) -> Iterator[Any]:
        """Packets up to the end of the file, then None, which empties the decoder."""
        failures = 0
        while failures < _PATIENCE:
            try:
                for packet in self.container.demux(self.stream):
                    failures = 0
                    if packet.size:
                        yield packet
                break
            except IndexError:  # PyAV's, at the end: a stream appeared in the middle of the file
                break
            except self._errors:
                failures += 1
                self.damaged += 1
        self.stopped = failures >= _PATIENCE
        yield None


def choose(container: Any, kind: Literal["video", "audio"]) -> Any:
    """The first stream of a kind that is marked as default, else the first; None if there is none.

    Attached pictures, such as covers, are not videos. Streams without a decoder are passed over.
    """
    marks = av().stream.Disposition
    streams = [
        stream
        for stream in getattr(container.streams, kind)
        if stream.codec_context is not None and not stream.disposition & (marks.attached_pic | marks.timed_thumbnails)
    ]
    return next((stream for stream in streams if stream.disposition & marks.default), streams[0] if streams else None)
