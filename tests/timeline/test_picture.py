"""Pictures: well-formed and accessible SVG, the same as PNG, from a second to four hours, and what goes into them."""

from __future__ import annotations

import re
import sys
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from avelzoo.charts import raster
from avelzoo.errors import UsageError
from avelzoo.timeline.event import Event
from avelzoo.timeline.picture import timeline_drawing, timeline_png, timeline_svg
from avelzoo.timeline.preview import FRAMES, PEAKS, Preview, small
from avelzoo.timeline.records import Localization, SegmentScores
from avelzoo.timeline.rows import LABELS, RIGHT
from avelzoo.timeline.timeline import Timeline

SVG = "{http://www.w3.org/2000/svg}"
LONG = "Fixed-wing aircraft, airplane and other things that fly with a very long name"


def parsed(text):
    return ET.fromstring(text)  # noqa: S314 - written by this project


def result(t=10, events=(), *, xray=True, **more):
    relevance = np.full(t, 0.1, dtype=np.float32)
    for event in events:
        relevance[int(event.start) : int(event.end)] = 0.9
    scores = SegmentScores(
        categories=("bark", LONG),
        seconds_per_segment=1.0,
        relevance=relevance,
        category_scores=np.zeros((t, 2), dtype=np.float32),
        audio_share=relevance * 0.75 if xray else None,
        visual_share=relevance * 0.25 if xray else None,
    )
    more = {"status": "ok", "path": "folder/clip.mp4", "duration": float(t), "scores": scores} | more
    return Localization(events=tuple(events), **more)


def preview(t, rate=800):
    found = Preview()
    prepare = found.watching(lambda frame: frame)
    for i in range(t):
        prepare(np.full((90, 160, 3), i % 256, dtype=np.uint8))
        found.add(float(i), 1.0, np.sin(np.arange(rate)) * (i + 1) / t)
    return found


TWO = (Event(start=2, end=6, category="bark"), Event(start=7, end=9, category=LONG))


def test_it_names_itself_and_tells_its_content():
    root = parsed(timeline_svg(result(events=TWO)))
    assert root.get("role") == "img"
    told = {element.get("id"): element.text for element in root if element.tag in {SVG + "title", SVG + "desc"}}
    assert set(root.get("aria-labelledby").split()) == told.keys()
    assert "Audio-visual events in clip.mp4" in told.values()
    assert any("2 events: bark, 2 s to 6 s; Fixed-wing" in text for text in told.values())


def test_it_needs_nothing_from_elsewhere_and_follows_the_scheme():
    text = timeline_svg(result(events=TWO), frames=preview(10).frames, waveform=preview(10).waveform, threshold=0.5)
    assert set(re.findall(r'(?:href|src)="([^"]{0,22})', text)) == {"data:image/jpeg;base64"}
    assert "<script" not in text and "url(" not in text
    assert text.count("prefers-color-scheme:dark") == 1
    assert set(re.findall(r'class="f-([\w-]+)', text)) <= set(re.findall(r"\.f-([\w-]+)\{fill", text))


def test_events_are_bars_at_their_times():
    root = parsed(timeline_svg(result(events=TWO)))
    bars = [bar for bar in root.iter(SVG + "rect") if bar.get("class") == "f-event"]
    width = 960 - LABELS - RIGHT
    places = [(float(bar.get("x")), float(bar.get("width"))) for bar in bars]
    np.testing.assert_allclose(
        places, [(LABELS + 0.2 * width, 0.4 * width), (LABELS + 0.7 * width, 0.2 * width)], atol=0.1
    )
    assert [bar[0].text for bar in bars] == ["bark: 2 s to 6 s", f"{LONG}: 7 s to 9 s"]


def test_the_xray_has_both_areas_only_if_it_was_computed():
    assert "came from" in timeline_svg(result(events=TWO))
    assert "came from" not in timeline_svg(result(events=TWO, xray=False))


@pytest.mark.parametrize(
    ("case", "shown"),
    [
        (result(1, [Event(start=0, end=0.8, category="bark")], duration=0.8), "0.8 s"),
        (result(events=(), reason="no segment above the threshold 0.50"), "no segment above the threshold 0.50"),
        (Localization(path="bad.mp4", status="unreadable", reason="not a video"), "unreadable: not a video"),
        (result(60, [Event(start=i, end=i + 1, category=f"kind {i}") for i in range(40)]), "29 more categories"),
        (result(path="a & <b> \"c\" 'd'\x07 犬.mp4"), "a &amp; &lt;b&gt;"),
        (result(14400, [Event(start=i, end=i + 2, category="bark") for i in range(0, 14400, 4)]), "3:30:00"),
    ],
)
def test_odd_videos(case, shown):
    text = timeline_svg(case, frames=preview(4).frames, waveform=preview(4).waveform, threshold=0.5)
    parsed(text)
    assert shown in text
    assert len(text) < 400_000
    image = Image.open(BytesIO(timeline_png(case, threshold=0.5)))
    assert image.size[0] == 1920


def test_the_png_shows_the_same_shapes():
    case = result(events=TWO)
    image = np.asarray(Image.open(BytesIO(timeline_png(case))).convert("RGB")).astype(int)
    drawing = timeline_drawing(case)
    assert image.shape[:2] == (round(drawing.height) * 2, 1920)
    bar = next(shape for shape in drawing.shapes if getattr(shape, "fill", "") == "event")
    inside = image[int(2 * (bar.y + 3)), int(2 * (bar.x + bar.width - 10))]
    assert abs(inside - [0x0A, 0x7A, 0x5A]).max() < 6
    assert (image[1, 1] == 255).all()


def test_without_pillow_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(UsageError, match="Pillow") as caught:
        raster.png(timeline_drawing(result()))
    assert "pip install" in caught.value.fix


def test_notebooks_show_timelines():
    parsed(Timeline(TWO, duration=10)._repr_svg_())
    assert "bark" in result(events=TWO)._repr_svg_()
    assert "no event" in Timeline(duration=10)._repr_svg_()


def test_previews_keep_a_constant_number_of_frames_and_peaks():
    for t in (1, 49, 50, 333, 2000):
        found = preview(t)
        times = [time for time, _ in found.frames]
        assert 1 <= len(times) <= 2 * FRAMES
        assert times[0] == 0
        assert len(set(np.diff(times))) <= 1
        assert times[-1] >= t - 2 * max(t / FRAMES, 1)
        assert len(found.waveform.peaks) <= 2 * PEAKS + 1
        assert found.waveform.end == t


@pytest.mark.parametrize("t", [1, 30, 777])
def test_peaks_hold_the_extremes_where_they_are(t):
    found, rng = Preview(), np.random.default_rng(t)
    sound = 0.1 * rng.standard_normal(t * 100)
    place = int(0.6 * len(sound))
    sound[place] = 5.0
    for i in range(t):
        found.add(float(i), 1.0, sound[i * 100 : (i + 1) * 100])
    peaks = found.waveform.peaks
    assert peaks.max() == pytest.approx(5.0) and peaks.min() == pytest.approx(sound.min())
    assert peaks[:, 1].argmax() / len(peaks) == pytest.approx(0.6, abs=0.02)


def test_small_frames_are_block_means():
    frame = np.random.default_rng(0).integers(0, 256, (240, 640, 3), dtype=np.uint8)
    found = small(frame)
    assert found.shape == (60, 160, 3)
    assert abs(float(found[7, 9, 1]) - frame[28:32, 36:40, 1].mean()) <= 0.5
    assert small(frame[:2, :3]).shape == (2, 3, 3)
