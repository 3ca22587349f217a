"""Checks for result formats."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np

from avelzoo.formats import FormatConfig
from avelzoo.timeline.records import Event, Localization, SegmentScores, Status

STRANGE = ("a, b", 'say "bark"', "tab\there", "a < b & c", "one --> two", "Hund, bellend: größer 犬", "two\nlines")
"""Category names that break formats without escapes."""


def check_suffix(config: FormatConfig) -> None:
    """The suffix begins with a dot and is a plain file name."""
    assert config.suffix.startswith("."), f"the suffix '{config.suffix}' does not begin with a dot"
    assert not set(config.suffix) & set('/\\:*?"<>| '), f"the suffix '{config.suffix}' is no part of a file name"


def check_every_status_has_a_text(config: FormatConfig) -> None:
    """A result of any status becomes text that can be encoded in UTF-8."""
    for status in get_args(Status):
        result = result_of(status=status, reason="" if status == "ok" else "the file ends at 3.2 s")
        if status == "unreadable":
            result = replace(result, events=(), scores=None, duration=0.0)
        text = config.text(result)
        assert isinstance(text, str), f"status {status} gives {type(text).__name__}, not text"
        text.encode("utf-8")
        assert "\0" not in text, f"status {status} gives a text with a null character"


def check_no_event_is_no_fault(config: FormatConfig) -> None:
    """The text of a video without an event is valid and differs from that of a video with one."""
    assert config.text(result_of(events=())) is not None
    with_scores = result_of()
    without = replace(with_scores, events=(), scores=None)
    assert config.text(without) != config.text(with_scores), "an event leaves no trace in the text"


def check_text_ends_with_a_line_break(config: FormatConfig) -> None:
    """The last line ends with a line break, so that files can be joined and compared."""
    text = config.text(result_of())
    assert text.endswith("\n"), "the last line has no line break"
    assert "\r" not in text, "lines end with a carriage return"


def check_categories_are_named(config: FormatConfig) -> None:
    """The text contains the category of every event."""
    text = config.text(result_of())
    for category in ("bark", "bell"):
        assert category in text, f"the category '{category}' is missing"


def check_strange_names_keep_the_lines(config: FormatConfig) -> None:
    """Commas, quotes, tabs, line breaks, markup and arrows in names do not change the number of lines."""
    expected = config.text(result_of()).count("\n")
    for name in STRANGE:
        found = config.text(result_of(names=(name, "bell"))).count("\n")
        assert found == expected, f"the name {name!r} gives {found} lines, not {expected}"
    found = config.text(result_of(path='odd "name", <1>\tand\nmore & é.mp4')).count("\n")
    assert found == expected, f"an odd file name gives {found} lines, not {expected}"


def check_hours_are_written(config: FormatConfig) -> None:
    """Events after the first hour and events shorter than a second can be written."""
    late = Event(start=7199.25, end=7199.5, category="bark")
    result = replace(result_of(), duration=7200.0)
    assert config.text(replace(result, events=(late,), scores=None))


def check_the_result_stays_as_it_is(config: FormatConfig) -> None:
    """Writing a result twice gives the same text and does not modify the result."""
    result = result_of()
    before = copy.deepcopy(result.scores)
    assert config.text(result) == config.text(result), "two texts of one result differ"
    assert before is not None and result.scores is not None
    assert np.array_equal(before.category_scores, result.scores.category_scores), "the scores were changed"
    assert result == replace(result_of(), scores=result.scores), "the result was changed"


def check_needs_no_torch(config: FormatConfig) -> None:
    """Writing a text leaves torch unloaded."""
    code = (
        "import sys\nfrom avelzoo.timeline.records import Localization\n"
        f"from {type(config).__module__} import {type(config).__name__} as config\n"
        "config().text(Localization(path='a.mp4', status='unreadable', reason='empty'))\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)  # noqa: S603
    assert done.returncode == 0, "writing a result imports torch, or fails"


def result_of(
    *,
    path: str = "clip one.mp4",
    status: Status = "ok",
    reason: str = "",
    names: tuple[str, str] = ("bark", "bell"),
    events: tuple[Event, ...] | None = None,
) -> Localization:
    """A result of six segments with an event of each of two categories."""
    if events is None:
        events = (
            Event(start=1.0, end=3.0, category=names[0], score=0.75),
            Event(start=4.0, end=5.5, category=names[1], score=0.625),
        )
    relevance = np.array([0.25, 0.75, 0.75, 0.25, 0.625, 0.625], dtype=np.float32)
    shares = np.array([[0.75, 0.25]] * 4 + [[0.125, 0.875]] * 2, dtype=np.float32)
    return Localization(
        path=path,
        status=status,
        reason=reason,
        duration=5.5,
        events=events,
        scores=SegmentScores(categories=names, seconds_per_segment=1.0, relevance=relevance, category_scores=shares),
        decision="threshold 0.5",
    )
