from __future__ import annotations

import h5py
import numpy as np
import pytest

from avelzoo.data.reading.annotations import read_annotations
from avelzoo.data.reading.labels import RULES
from avelzoo.data.reading.orders import read_orders
from avelzoo.errors import DataError


@pytest.fixture
def written(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "Annotations.txt"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


PLAIN = "Bell, church&-a1&good&0&10\nDog & b2&good& 6&8\n\nBell, church&c3&good&0&0\n"


def test_lines_become_rows(written):
    found = read_annotations(written(PLAIN))
    assert found.categories == ("Bell, church", "Dog")
    assert found.video_ids == ("-a1", "b2", "c3")
    assert found.events.tolist() == [0, 1, 0]
    assert [row.line for row in found.rows] == [1, 2, 4]
    assert [row.empty for row in found.rows] == [False, False, True]
    assert [str(row) for row in found.rows] == [
        "Bell, church&-a1&good&0&10",
        "Dog&b2&good&6&8",
        "Bell, church&c3&good&0&0",
    ]
    assert found.segments(10).tolist() == [[0] * 10, [2] * 6 + [1, 1] + [2, 2], [2] * 10]
    assert found.segments(12)[0].tolist() == [0] * 10 + [2, 2]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        "Category&VideoID&Quality&StartTime&EndTime\n" + PLAIN,
        "\ufeff\r\nCategory&VideoID&Quality&StartTime&EndTime\r\n" + PLAIN.replace("\n", "\r\n"),
        PLAIN.rstrip("\n"),
    ],
    ids=["crlf", "cr", "bom", "header", "all", "no-last-newline"],
)
def test_other_people_s_editors(written, text):
    plain = read_annotations(written(PLAIN))
    other = read_annotations(written(text))
    assert [str(row) for row in other.rows] == [str(row) for row in plain.rows]
    assert other.categories == plain.categories


GOOD = "Dog&a&good&0&10\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (GOOD + "Dog&b&good&0\n", 2, "not an annotation"),
        (GOOD + "Dog&b&good&0&1&2\n", 2, "not an annotation"),
        (GOOD + "&b&good&0&1\n", 2, "not an annotation"),
        (GOOD + "Dog&&good&0&1\n", 2, "not an annotation"),
        (GOOD + "Dog\n", 2, "not an annotation"),
        (GOOD + "\n\nDog&b&good&x&y\n", 4, "not a whole number"),
        (GOOD + "Dog&b&good&0&1.5\n", 2, "not a whole number"),
        (GOOD + "Dog&b&good&0&1_0\n", 2, "not a whole number"),
        (GOOD + "Dog&b&good&0&99999999999999999999\n", 2, "not a whole number"),
        ("Dog&b&good&nan&10\n", 1, "not a whole number"),
        (GOOD + "Dog&b&good&-1&3\n", 2, "out of range"),
        (GOOD + "Dog&b&good&5&3\n", 2, "out of range"),
        (GOOD + "Dog&b&good&3&3\n", 2, "has length 0"),
    ],
)
def test_bad_lines_are_named(written, text, line, problem):
    with pytest.raises(DataError, match=problem) as caught:
        read_annotations(written(text))
    assert caught.value.where.endswith(f"Annotations.txt, line {line}")
    assert caught.value.expected
    assert caught.value.found == text.splitlines()[line - 1]


def test_an_event_after_the_video_is_named(written):
    found = read_annotations(written(GOOD + "Dog&b&good&2&11\nDog&c&good&2&12\n"))
    with pytest.raises(DataError, match="after its video") as caught:
        found.segments(10)
    assert caught.value.where.endswith("line 2")
    assert "1 more" in caught.value.found
    assert found.segments(12).shape == (3, 12)


@pytest.mark.parametrize("text", ["", "\n \r\n", "Category&VideoID&Quality&StartTime&EndTime\n"])
def test_nothing_in_it(written, text):
    with pytest.raises(DataError, match="are empty"):
        read_annotations(written(text))


def test_not_text(written, tmp_path):
    with pytest.raises(DataError, match="not UTF-8"):
        read_annotations(written("Dög&a&good&0&1", "latin-1"))
    with pytest.raises(DataError, match="are missing"):
        read_annotations(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="cannot be read"):
        read_annotations(tmp_path)


# -- AVE's own files -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ave(shared):
    return shared / "ave"


def test_ave_itself(ave):
    found = read_annotations(ave / "Annotations.txt")
    assert len(found) == 4143
    assert len(set(found.video_ids)) == 4097
    assert len(found.categories) == 28
    assert found.categories[:3] == ("Church bell", "Male speech, man speaking", "Bark")
    assert found.categories[27] == "Mandolin"
    assert [row.line for row in found.rows if row.empty] == [27]
    assert int((found.segments(10) != 28).sum()) == 34352
    assert np.bincount(found.ends - found.starts).tolist() == [1, 0, 214, 220, 217, 196, 200, 139, 111, 95, 2750]


@pytest.mark.parametrize("name", ["labels_closs.h5", "mil_labels.h5"])
def test_the_rules_rebuild_ave_s_label_files(ave, name):
    found = read_annotations(ave / "Annotations.txt")
    with h5py.File(ave / name) as file:
        stored = file["avadataset"][()]
    assert np.array_equal(RULES[name](found.segments(10), found.events, 28), stored)


def test_ave_s_splits(ave):
    found = read_annotations(ave / "Annotations.txt")
    orders = read_orders(ave, found)
    assert {name: len(order) for name, order in orders.items()} == {"train": 3339, "val": 402, "test": 402}
    assert sorted(np.concatenate(list(orders.values())).tolist()) == list(range(4143))
    background = {name: int((found.segments(10)[order] == 28).sum()) for name, order in orders.items()}
    assert background == {"train": 5631, "val": 732, "test": 715}


def test_rows_are_made_when_asked_for(tmp_path):
    """The quick and the careful way through a line give the same row."""
    lines = ["Dog, barking&a-1&good&0&5", " Dog, barking & a-2 &good& 1.0 &3.", "Bell&b&&0&0", "Bell&é1&Good one&2&4"]
    path = tmp_path / "Annotations.txt"
    path.write_text("\r\n".join(lines), "utf-8")
    rows = read_annotations(path).rows
    assert list(map(str, rows)) == [
        "Dog, barking&a-1&good&0&5",
        "Dog, barking&a-2&good&1&3",
        "Bell&b&&0&0",
        "Bell&é1&Good one&2&4",
    ]
    assert [row.line for row in rows[1:3]] == [2, 3]
    assert rows[-1] == rows[3]
    assert rows[2].empty
    assert rows.categories[0] is rows.categories[1]
