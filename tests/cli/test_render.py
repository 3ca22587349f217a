"""Tables keep short columns whole on narrow terminals."""

from __future__ import annotations

from rich.console import Console

from avelzoo.cli import render


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
