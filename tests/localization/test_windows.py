"""Windows over time, their merged scores, and the events of a rule."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from avelzoo.errors import OptionError
from avelzoo.localization import windows
from avelzoo.localization.deciding import Rule, decide, events_of, threshold_rule, why_empty
from avelzoo.localization.windows import Layout, Merger
from avelzoo.metrics import PredictionArrays
from avelzoo.timeline.records import SegmentScores

NAMES = ("bark", "bell", "car")


@pytest.mark.parametrize("t", range(1, 40))
@pytest.mark.parametrize(("window", "hop"), [(10, 5), (10, 10), (4, 1), (3, 2), (1, 1)])
@pytest.mark.parametrize("block", [1, 3, 8, 50])
def test_walking_in_blocks_gives_the_windows_of_the_whole_video(t, window, hop, block):
    layout = Layout(window, hop)
    audio, visual = np.arange(t)[:, None], np.arange(t).reshape(t, 1, 1, 1)
    blocks = ((audio[i : i + block], visual[i : i + block]) for i in range(0, t, block))
    walked = [
        (first, sound[:, 0].tolist(), sight[:, 0, 0, 0].tolist()) for first, (sound, sight) in layout.walk(blocks)
    ]
    whole = [(s, list(range(s, min(s + window, t))), list(range(s, min(s + window, t)))) for s in layout.starts(t)]
    assert walked == whole


@pytest.mark.parametrize("t", range(1, 40))
@pytest.mark.parametrize(("window", "hop"), [(10, 5), (10, 10), (4, 1), (3, 2)])
def test_every_segment_is_decided_by_a_window_that_contains_it(t, window, hop):
    layout = Layout(window, hop)
    starts = np.array(layout.starts(t))
    offset = np.arange(t) - starts[layout.owners(t)]
    assert offset.min() >= 0
    assert offset.max() < min(window, t)
    assert sorted(set(np.unique(layout.owners(t)).tolist())) == list(range(len(starts)))
    centres = starts + (min(window, t) - 1) / 2
    np.testing.assert_array_equal(layout.owners(t), np.abs(np.arange(t)[:, None] - centres).argmin(axis=1))


def test_the_windows_of_a_long_film_need_no_table_of_segments_by_windows():
    t = 4 * 3600
    tracemalloc.start()
    try:
        assert len(Layout(10, 5).owners(t)) == t
        assert tracemalloc.get_traced_memory()[1] < 1000 * t  # a table has more than 20,000 bytes a segment
    finally:
        tracemalloc.stop()


def test_no_windows_of_a_video_without_segments():
    assert list(Layout(4, 2).walk([])) == []


def test_overlap_as_a_share():
    assert Layout.of(10, 0.5) == Layout(10, 5)
    assert Layout.of(10, 0) == Layout(10, 10)
    assert Layout.of(10, 0.99) == Layout(10, 1)
    for window, overlap in ((0, 0.5), (10, 1.0), (10, -0.1), (10, float("nan"))):
        with pytest.raises(OptionError):
            Layout.of(window, overlap)


def predictions(rng, t, unimodal=True):
    scores = rng.random((1, 3), dtype=np.float32)
    relevance = rng.random((1, t), dtype=np.float32)
    category = scores.argmax(axis=1)
    return PredictionArrays(
        segments=np.where(relevance > 0.5, category[:, None], 3),
        category=category,
        category_scores=scores,
        relevance=relevance,
        audio_scores=rng.random((1, t, 3), dtype=np.float32) if unimodal else None,
        visual_scores=rng.random((1, t, 3), dtype=np.float32) if unimodal else None,
    )


def test_merged_scores_are_means_over_windows():
    rng = np.random.default_rng(0)
    layout = Layout(4, 2)
    merger = Merger(layout, NAMES, 0.5, start=3.0)
    t, kept = 9, []
    for first in layout.starts(t):
        kept.append((first, predictions(rng, 4)))
        merger.add([first], kept[-1][1])
    scores = merger.scores()
    for i in range(t):
        here = [(first, found) for first, found in kept if first <= i < first + 4]
        assert scores.relevance[i] == pytest.approx(np.mean([f.relevance[0, i - s] for s, f in here]))
        assert scores.category_scores[i] == pytest.approx(np.mean([f.category_scores[0] for _, f in here], axis=0))
        assert scores.audio_scores[i] == pytest.approx(np.mean([f.audio_scores[0, i - s] for s, f in here], axis=0))
        first, nearest = min(here, key=lambda pair: (abs(i - pair[0] - 1.5), pair[0]))
        assert scores.segments[i] == nearest.segments[0, i - first]
    assert (scores.window, scores.hop, scores.start, scores.seconds_per_segment) == (4, 2, 3.0, 0.5)


def test_one_window_keeps_what_the_model_said():
    rng = np.random.default_rng(1)
    found = predictions(rng, 6, unimodal=False)
    merger = Merger(Layout(10, 5), NAMES, 1.0)
    merger.add([0], found)
    scores = merger.scores()
    assert np.array_equal(scores.relevance, found.relevance[0])
    assert np.array_equal(scores.segments, found.segments[0])
    assert scores.audio_scores is None
    assert (scores.window, scores.hop) == (0, 0)
    assert np.array_equal(decide(scores, Rule("the head's")), found.segments[0])
    assert np.array_equal(decide(scores, threshold_rule(0.5, "")), found.segments[0])


def scores_of(relevance, category_scores=None, **more):
    relevance = np.asarray(relevance, dtype=np.float32)
    shares = np.tile(np.array([0.1, 0.7, 0.2], dtype=np.float32), (len(relevance), 1))
    shares = shares if category_scores is None else np.asarray(category_scores, dtype=np.float32)
    return SegmentScores(categories=NAMES, seconds_per_segment=1.0, relevance=relevance, category_scores=shares, **more)


def test_a_threshold_and_its_events():
    scores = scores_of([0.1, 0.6, 0.8, 0.2, 0.9, 0.7])
    ids = decide(scores, threshold_rule(0.5, "above 0.5"))
    assert ids.tolist() == [3, 1, 1, 3, 1, 1]
    events = events_of(ids, scores, end=5.25)
    assert [(e.start, e.end, e.category) for e in events] == [(1, 3, "bell"), (4, 5.25, "bell")]
    assert events[0].score == pytest.approx(0.7)
    assert events_of(ids, scores, end=4.0) == events[:1]


def test_categories_may_differ_between_windows():
    """Two windows of four without overlap: each is decided by its own category."""
    shares = [[0.9, 0.1, 0.0]] * 4 + [[0.0, 0.1, 0.9]] * 4
    scores = scores_of([0.9] * 8, shares, window=4, hop=4, start=10.0)
    events = events_of(decide(scores, threshold_rule(0.5, "")), scores)
    assert [(e.start, e.end, e.category) for e in events] == [(10, 14, "bark"), (14, 18, "car")]


def test_the_reason_for_no_event():
    scores = scores_of([0.1, 0.2, 0.31, 0.2], start=2.0)
    rule = threshold_rule(0.43, "")
    assert why_empty(scores, rule) == "no segment above the threshold 0.43; the highest relevance was 0.31 at 4-5 s"
    assert "background by the rule 'arg-max'" in why_empty(scores, Rule("arg-max"))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_impossible_thresholds(threshold):
    with pytest.raises(OptionError, match="threshold"):
        threshold_rule(threshold, "")


def test_a_long_film_needs_no_more_memory():
    """Four hours of segments pass by; only a window and a block are held."""
    layout, block, size = Layout(10, 5), 8, 4096
    film = 4 * 3600 // block

    def blocks(count):
        for _ in range(count):
            yield np.zeros((block, size), np.float32), np.zeros((block, 1, 1, size), np.float32)

    peaks = []
    for count in (4, film):
        tracemalloc.start()
        windows = sum(1 for _ in layout.walk(blocks(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert windows == len(layout.starts(film * block))
    assert peaks[1] < 1.2 * peaks[0] < 4e6


@pytest.mark.parametrize("t", [1, 3, 4, 9, 100])
def test_batches_hold_every_window_once(t, monkeypatch):
    layout = Layout(4, 1)
    video = np.arange(t * 2.0).reshape(t, 2), np.arange(t * 3.0).reshape(t, 1, 1, 3)
    single = list(layout.walk([video]))
    for size in (windows.BATCH_BYTES, 1):
        monkeypatch.setattr(windows, "BATCH_BYTES", size)
        found = list(windows.batches(layout.walk([video])))
        assert [first for firsts, _ in found for first in firsts] == [first for first, _ in single]
        for k in (0, 1):
            assert np.array_equal(np.concatenate([both[k] for _, both in found]), np.stack([b[k] for _, b in single]))
        assert max(len(firsts) for firsts, _ in found) == (1 if size == 1 else min(len(single), windows.BATCH))
