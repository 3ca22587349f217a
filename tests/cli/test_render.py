"""Tables keep short columns whole on narrow terminals."""

from __future__ import annotations

import pytest
from rich.console import Console

from avelzoo.cli import render
from avelzoo.metrics import Scores, score
from tests.metrics.cases import predictions, truth


def printed(table, width):
    console = Console(width=width, record=True, file=None)
    with console.capture() as told:
        console.print(table)
    return told.get()


def test_only_the_folded_column_is_broken():
    rows = [("/a/long/path/of/a/video/in/a/folder/clip.mp4", "no-video", "24.0 - 30.0")]
    columns = ("file", "status", "seconds")
    text = printed(render.table(columns, rows, folded="file"), 48)
    assert "no-video" in text and "24.0 - 30.0" in text
    assert "clip.mp4" not in text.splitlines()[3], "the path takes several lines"


def test_the_absent_event_rate_is_shown_where_videos_have_no_event():
    guess = predictions([[0, 0], [0, 1], [0, 0]], [0, 0, 0], n=1)
    full, absent = truth([[0, 0]] * 3, [0] * 3, n=1), truth([[0, 0], [1, 1], [1, 1]], [0, 1, 1], n=1)
    scores = {"val": score(guess, full, bootstrap=0), "test": score(guess, absent, bootstrap=0)}
    lines = {
        line.split("  ")[0].strip(): line.split() for line in printed(render.score_table(scores), 100).splitlines()
    }
    assert lines["absent-event rate (videos without an event)"][-3:] == ["-", "100.0", "(2)"]
    assert lines["event/background AUROC"][-2] == "-"
    assert float(lines["event/background AUROC"][-1]) == pytest.approx(100 * scores["test"].ranking.auroc, abs=0.06)
    plain = scores["val"].to_dict()
    del plain["absent_event"], plain["ranking"]
    old = printed(render.score_table({"val": Scores.from_dict(plain)}), 100)
    assert "absent-event" not in old
