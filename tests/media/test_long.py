"""A film of two hours is read in constant memory, however its streams are interleaved."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")
CHILD = """
import resource, sys
import numpy as np
from avelzoo.extractors import AudioSampling, FrameSampling
from avelzoo.media.reading import read_media

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

frames = FrameSampling(per_segment=1, prepare=lambda frame: frame[:8, :8].copy())
with read_media(sys.argv[1], frames=frames, audio=AudioSampling(rate=16000)) as reader:
    for segment in reader:
        if segment.index == 60:
            early = peak()
print(segment.index + 1, peak() - early, reader.report.status)
"""


def film(path: Path, minutes: int, *, interleaved: bool) -> Path:
    """Noise at 8 kHz and a frame a second; the streams side by side, or all sound after all frames."""
    import av

    noise = np.random.default_rng(0).integers(-(2**14), 2**14, (1, 8000), np.int16)
    with av.open(str(path), "w", format="mov") as container:
        video = container.add_stream("mpeg4", rate=1, options={"g": "60"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="rgb24").reformat(
            format="yuv420p"
        )
        late = []
        for second in range(minutes * 60):
            picture.pts, picture.time_base = second, Fraction(1)
            container.mux(video.encode(picture))
            sound = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 8000, second * 8000, Fraction(1, 8000)
            packets = audio.encode(sound)
            if interleaved:
                container.mux(packets)
            else:
                late += packets
        container.mux(video.encode(None))
        for packet in late:
            container.mux_one(packet)
        container.mux(audio.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is asked of Unix")
@pytest.mark.parametrize(("minutes", "interleaved"), [(120, True), (20, False)])
def test_memory_does_not_grow_with_the_length(tmp_path, minutes, interleaved):
    path = film(tmp_path / "film.mov", minutes, interleaved=interleaved)
    assert path.stat().st_size > 15_000_000  # twice as much in float32: held whole, it would be seen
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    path.unlink()
    count, growth, status = done.stdout.split()
    assert (int(count), status) == (minutes * 60, "ok")
    assert float(growth) < 10, "MiB of peak memory after the first minute"
