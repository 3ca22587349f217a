"""Algebra of timelines, against sets of tenths of a second."""

from __future__ import annotations

import numpy as np
import pytest

from avelzoo.errors import UsageError
from avelzoo.timeline.records import Event, Localization
from avelzoo.timeline.timeline import Interval, Timeline


def event(start, end, category="bark", score=1.0):
    return Event(start=start, end=end, category=category, score=score)


LINE = Timeline([event(4, 5, "bell"), event(1, 3), event(2.5, 4), event(7, 8)], duration=10)


def test_events_are_in_order_and_found_by_place_and_category():
    assert [(e.start, e.category) for e in LINE] == [(1, "bark"), (2.5, "bark"), (4, "bell"), (7, "bark")]
    assert LINE[0] == event(1, 3)
    assert LINE[-1].end == 8
    assert len(LINE["bark"]) == 3
    assert LINE["meow"] == Timeline(duration=10)
    assert LINE[1:3] == Timeline([event(2.5, 4), event(4, 5, "bell")], duration=10)
    assert LINE.categories == ("bark", "bell")
    assert event(1, 3) in LINE
    assert not Timeline(duration=3)


def test_extent_cover_and_gaps():
    assert LINE.extent == Interval(1, 8)
    assert LINE.covered() == (Interval(1, 5), Interval(7, 8))
    assert LINE.total == 5
    assert LINE.gaps() == (Interval(0, 1), Interval(5, 7), Interval(8, 10))
    assert Timeline(duration=3).gaps() == (Interval(0, 3),)
    assert Timeline(duration=3).extent is None
    assert Timeline([event(0, 3)]).gaps() == ()


def test_support_joins_within_a_category_up_to_the_collar():
    assert [(e.start, e.end, e.category) for e in LINE.support()] == [(1, 4, "bark"), (4, 5, "bell"), (7, 8, "bark")]
    assert [(e.start, e.end) for e in LINE.support(collar=3)["bark"]] == [(1, 8)]
    assert len(LINE.support(collar=2.9)["bark"]) == 2
    inside = Timeline([event(0, 9), event(1, 2), event(9.5, 10)])
    assert [(e.start, e.end) for e in inside.support(collar=0.5)] == [(0, 10)]


def test_the_score_of_joined_events_is_weighted_by_length():
    joined = Timeline([event(0, 1, score=0.2), event(1, 4, score=0.6)]).support()
    assert joined[0].score == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("intersection", [(2, 3), (2.5, 4), (4, 4.5)]), ("strict", [(2.5, 4)]), ("loose", [(1, 3), (2.5, 4), (4, 5)])],
)
def test_crop(mode, expected):
    found = LINE.crop(2, 4.5, mode=mode)
    assert [(e.start, e.end) for e in found] == expected
    assert found.duration == 10


def test_at():
    assert [e.start for e in LINE.at(2.75)] == [1, 2.5]
    assert LINE.at(5) == ()


def test_union_and_intersection():
    other = Timeline([event(2, 7.5, score=0.5), event(0, 10, "meow")], duration=12)
    assert len(LINE | other) == 6
    assert (LINE | other).duration == 12
    both = LINE & other
    assert [(e.start, e.end, e.score) for e in both] == [(2, 4, 0.5), (7, 7.5, 0.5)]
    assert both == other & LINE


def test_records_round_trip():
    assert Timeline.from_records(LINE.to_records(), duration=10) == LINE
    assert hash(Timeline.from_records(LINE.to_records(), duration=10)) == hash(LINE)
    assert Timeline(LINE, duration=11) != LINE
    assert LINE != "bark"


def test_repr_and_str():
    assert eval(repr(LINE)) == LINE  # noqa: S307
    assert "1.00 - 3.00 s  bark" in str(LINE)
    assert str(Timeline(duration=2)) == "no event in 2 s"


@pytest.mark.parametrize("bad", [event(2, 2), event(-1, 2), event(3, 2), event(9, 11)])
def test_impossible_events_are_refused(bad):
    with pytest.raises(UsageError, match="empty or outside"):
        Timeline([bad], duration=10)


def test_impossible_requests_are_refused():
    for ask in (lambda: LINE.support(collar=-1), lambda: LINE.crop(3, 3), lambda: LINE.crop(0, 1, mode="odd")):
        with pytest.raises(UsageError):
            ask()


def test_algebra_equals_that_of_sets():
    """Random timelines on a grid of tenths: every operation equals the same operation on sets of cells."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        lines = []
        for _ in range(2):
            spans = [(a, a + int(rng.integers(1, 10))) for a in rng.integers(0, 51, size=rng.integers(0, 7)).tolist()]
            lines.append(Timeline([event(a / 10, b / 10, str(rng.choice(["x", "y"]))) for a, b in spans], duration=6))
        one, two = lines
        assert cells(one | two) == cells(one) | cells(two)
        assert cells(one & two) == cells(one) & cells(two)
        assert cells(one.support()) == cells(one)
        assert cells(one.crop(1, 3)) == {(k, c) for k, c in cells(one) if 10 <= k < 30}
        covered = {k for k, _ in cells(one)}
        assert {k for gap in one.gaps() for k in span(gap)} == set(range(60)) - covered
        assert one.total == pytest.approx(len(covered) / 10)
        assert all(a.end < b.start for c in "xy" for a, b in zip(one.support()[c], one.support()[c][1:], strict=False))


def span(part):
    return range(round(part.start * 10), round(part.end * 10))


def cells(line):
    return {(k, e.category) for e in line for k in span(e)}


def test_a_result_has_a_timeline():
    result = Localization(path="a.mp4", status="ok", duration=4.0, events=(event(1, 2),))
    assert result.timeline == Timeline([event(1, 2)], duration=4)
    assert Localization(path="b.mp4", status="unreadable").timeline == Timeline()
