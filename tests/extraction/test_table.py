"""The CSV: rows, runs, videos without an event, splits; every error names its line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from avelzoo.errors import DataError, OptionError
from avelzoo.extraction.splits import assign, parse_shares, sizes
from avelzoo.extraction.table import TableRow, read_table

HEADER = "video,category,start,end\n"


def table(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_and_runs(tmp_path: Path) -> None:
    text = (
        "\ufeffVideo, Category ,start,end,remark\r\n"
        'a b.mp4,"Violin, fiddle",4,6.5,loud\r\n'
        "\r\n"
        "c.mp4,,,,\r\n"
        'a b.mp4,"Violin, fiddle",0,2,\r\n'
        "a b.mp4,Dog,1,2,\r\n"
        '"q""x,ü.mp4",Dog,0.25,1e1,\r\n'
        "d.mp4,Dog,,,\r\n"
    )
    assert read_table(table(tmp_path, text)) == (
        TableRow("a b.mp4", 2, "Violin, fiddle", ((0.0, 2.0), (4.0, 6.5))),
        TableRow("c.mp4", 4),
        TableRow("a b.mp4", 6, "Dog", ((1.0, 2.0),)),
        TableRow('q"x,ü.mp4', 7, "Dog", ((0.25, 10.0),)),
        TableRow("d.mp4", 8),  # a category without times: no event
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", "", "no rows"),
        (HEADER, "", "no rows"),
        ("video;category;start;end\na;b;1;2\n", "line 1", "separate columns by commas"),
        ("video,categori,start,end\n", "line 1", "no column 'category'"),
        ("video,category,start,end,end\n", "line 1", "same name"),
        (HEADER + "a,b,1\n", "line 2", "3 fields"),
        (HEADER + "a,Violin, fiddle,1,2\n", "line 2", "quotation marks"),
        (HEADER + ",b,1,2\n", "line 2", "names no video"),
        (HEADER + "a,,1,2\n", "line 2", "no category"),
        (HEADER + "a,Background,1,2\n", "line 2", "no category"),
        (HEADER + "a,b,1,\n", "line 2", "only one of start and end"),
        (HEADER + "a,b,1,2\na,b,x,2\n", "line 3", "not a number"),
        (HEADER + "a,b,2,2\n", "line 2", "out of range"),
        (HEADER + "a,b,-1,2\n", "line 2", "out of range"),
        (HEADER + "a,b,0,inf\n", "line 2", "out of range"),
        (HEADER + "a,b,0,nan\n", "line 2", "out of range"),
        (HEADER + "a,b,0,1\na,,,\n", "line 3", "with an event and without one"),
        (HEADER + "a,,,\na,,,\n", "line 3", "listed twice"),
        (HEADER + "a,,,\n", "", "no event"),
        (HEADER + "a\x07,b,0,1\n", "line 2", "control character"),
        (HEADER[:-1] + ",split\na,b,0,1,tset\n", "line 2", "did you mean 'test'"),
        (HEADER[:-1] + ",split\na,b,0,1,test\na,c,0,1,val\n", "line 3", "different splits"),
        (HEADER[:-1] + ",split\na,b,0,1,test\nd,c,0,1,\n", "line 3", "only some videos"),
        (b"video,category,start,end\na,\xff,0,1\n", "", "UTF-8"),
    ],
)
def test_errors_name_their_line(tmp_path: Path, text: str | bytes, line: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(table(tmp_path, text))
    assert said in str(caught.value) and "labels.csv" in caught.value.where
    assert caught.value.where.endswith(line)


def rows(count: int, categories: int = 4) -> list[TableRow]:
    return [TableRow(f"v{i}", i, f"c{i % categories}", ((0.0, 1.0),)) for i in range(count)]


def test_splits_are_stratified_by_video_and_repeatable() -> None:
    table = rows(200)
    table += [TableRow("v3", 300, "other", ((0.0, 1.0),))]  # another row of a video
    found = assign(table)
    assert sizes(found) == {"train": 160, "val": 20, "test": 20} and len(found) == 200
    for name in ("val", "test"):
        of = Counter(row.category for row in table[:200] if found[row.video] == name)
        assert set(of.values()) == {5}
    assert assign(table) == found == assign(table[:200])
    assert assign(table, seed=1) != found
    assert sizes(assign(table, (0.5, 0.25, 0.25))) == {"train": 100, "val": 50, "test": 50}


@pytest.mark.parametrize("count", [3, 4, 9, 11])
def test_no_split_is_empty(count: int) -> None:
    assert min(sizes(assign(rows(count))).values()) >= 1


def test_splits_of_the_table_win() -> None:
    table = [TableRow("a", 2, "c", ((0, 1),), "test"), TableRow("b", 3, "c", ((0, 1),), "train")]
    assert assign(table) == {"a": "test", "b": "train"}


@pytest.mark.parametrize("text", ["0.8,0.2", "a,b,c", "1,1,0", "1,1,-1", "inf,1,1", ""])
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(OptionError, match="three splits"):
        parse_shares(text)
