"""Entries are assigned to videos by row, name or order; what is assumed is said, what cannot be told is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avelzoo.auditing import Audit, Reading, audit
from avelzoo.errors import DataError

Make = Callable[[Sequence[dict[str, Any]]], Path]

ROWS = """Bark&a&good&0&4
Bell&b&good&0&4
Cat&c&good&0&4
Bark&twice&good&0&4
Bell&twice&good&2&4
Cat&d&good&1&4
Bark&e&good&0&2
Bell&f&good&0&4
Cat&twice&good&0&1
"""
TRUTH = ["Bark"] * 4, ["none"] * 2 + ["Bell"] * 2, ["none"] + ["Cat"] * 3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Test: rows 3, 4 (both of video 'twice') and 5. Val: 6 and 7. Train: the rest; row 8 is 'twice' again."""
    lines = ROWS.splitlines(keepends=True)
    (tmp_path / "Annotations.txt").write_text(ROWS, "utf-8")
    for name, rows in (("train", [0, 1, 2, 8]), ("val", [6, 7]), ("test", [3, 4, 5])):
        (tmp_path / f"{name}Set.txt").write_text("".join(lines[row] for row in rows), "utf-8")
    return tmp_path


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(entries: Sequence[dict[str, Any]]) -> Path:
        path = tmp_path / "predictions.jsonl"
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), "utf-8")
        return path

    return write


def right(found: Audit) -> int:
    assert found.whole is not None
    return found.whole.right


def entries(*keys: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**key, "segments": segments} for key, segments in zip(keys, TRUTH, strict=True)]


def test_rows_of_a_repeated_video(data: Path, make: Make) -> None:
    shuffled = entries({"row": 3, "video": "twice"}, {"row": 4, "video": "twice"}, {"row": 5, "video": "d"})[::-1]
    found = audit(make(shuffled), data=data)
    assert right(found) == 12
    assert not any("row" in note for note in found.notes)


def test_rows_from_1_are_recognized_by_the_names(data: Path, make: Make) -> None:
    found = audit(
        make(entries({"row": 4, "video": "twice"}, {"row": 5, "video": "twice"}, {"row": 6, "video": "d"})), data=data
    )
    assert right(found) == 12
    assert "Row numbers count from 1 in the file." in found.notes


def test_every_row_from_1(data: Path, make: Make) -> None:
    """Rows 1 to 9 for 9 rows: nothing but counting from 1 explains it."""
    known = dict(zip((4, 5, 6), TRUTH, strict=True))
    found = audit(make([{"row": i, "segments": known.get(i, ["none"] * 4)} for i in range(1, 10)]), data=data)
    assert right(found) == 12
    assert "Row numbers count from 1 in the file." in found.notes
    assert any("6 entries outside the test split" in note for note in found.notes)


@pytest.mark.parametrize("first", [0, 1])
def test_positions_in_the_split(first: int, data: Path, make: Make) -> None:
    found = audit(make(entries(*({"row": first + i} for i in range(3)))), data=data)
    assert right(found) == 12
    assert any(f"positions in the test split, from {first}" in note for note in found.notes)


def test_a_repeated_video_is_told_apart_by_its_category(data: Path, make: Make) -> None:
    swapped = [entries({"video": "twice"}, {"video": "twice"}, {"video": "d"})[i] for i in (1, 0, 2)]
    found = audit(make(swapped), data=data)
    assert right(found) == 12
    assert any("told apart by their category" in note for note in found.notes)


def test_a_repeated_video_of_equal_categories_follows_the_annotations(data: Path, make: Make) -> None:
    """Both entries say Bark, so the first is row 3 (4 right) and the second row 4 (2 right); d has 4."""
    found = audit(
        make(
            [
                {"video": "twice", "segments": ["Bark"] * 4},
                {"video": "twice", "segments": ["none"] * 2 + ["Bark"] * 2},
                {"video": "d", "segments": TRUTH[2]},
            ]
        ),
        data=data,
    )
    assert right(found) == 4 + 2 + 4
    assert any("in the order of the annotations" in note for note in found.notes)


def test_a_file_of_all_rows_by_name(data: Path, make: Make) -> None:
    names = ["a", "b", "c", "twice", "twice", "d", "e", "f", "twice"]
    truth = {3: TRUTH[0], 4: TRUTH[1], 5: TRUTH[2], 8: ["Cat", "none", "none", "none"]}
    found = audit(
        make([{"video": name, "segments": truth.get(i, ["none"] * 4)} for i, name in enumerate(names)]), data=data
    )
    assert right(found) == 12
    assert any("by their category: twice" in note for note in found.notes)
    assert any("6 entries outside the test split" in note for note in found.notes)


def test_one_entry_for_two_rows(data: Path, make: Make) -> None:
    """Bark everywhere is right in row 3 (4) and wrong in row 4 (0)."""
    found = audit(make([{"video": "twice", "segments": ["Bark"] * 4}, {"video": "d", "segments": TRUTH[2]}]), data=data)
    assert right(found) == 4 + 0 + 4
    assert any("used for all rows of a video: twice" in note for note in found.notes)


def test_too_many_entries_of_a_video(data: Path, make: Make) -> None:
    four = [{"video": "twice", "segments": ["Bark"] * 4}] * 4 + [{"video": "d", "segments": TRUTH[2]}]
    with pytest.raises(DataError, match="more often in the file"):
        audit(make(four), data=data)


def test_names_of_another_split(data: Path, make: Make) -> None:
    path = make([{"video": "e", "segments": ["Bark"] * 4}, {"video": "f", "segments": ["Bell"] * 4}])
    with pytest.raises(DataError, match="those of the val split"):
        audit(path, data=data)
    assert right(audit(path, data=data, split="val")) == 2 + 4


def test_ids_in_another_order(tmp_path: Path) -> None:
    """Twelve test videos of four categories; the file numbers them alphabetically."""
    names = ["Violin", "Bark", "Clock", "Accordion"]
    lines = [f"{name}&{name[0]}{i}&good&0&{2 + i}\n" for i in range(4) for name in names]
    (tmp_path / "Annotations.txt").write_text("".join(lines), "utf-8")
    for split, part in (("train", lines[:2]), ("val", lines[2:4]), ("test", lines[4:])):
        (tmp_path / f"{split}Set.txt").write_text("".join(part), "utf-8")
    order = sorted(names)
    ids = [[order.index(line.split("&")[0])] * 5 for line in lines[4:]]
    (tmp_path / "p.json").write_text(json.dumps(ids), "utf-8")
    with pytest.raises(DataError, match="another order") as caught:
        audit(tmp_path / "p.json", data=tmp_path)
    assert "--categories FILE" in caught.value.fix
    (tmp_path / "order.txt").write_text("\n".join(order), "utf-8")
    found = audit(tmp_path / "p.json", data=tmp_path, reading=Reading(categories=tmp_path / "order.txt"))
    assert found.scores is not None
    assert found.scores.category_accuracy == 1
    assert right(found) == 4 * (3 + 4 + 5)


def test_the_val_split_in_order_is_not_taken_for_test(tmp_path: Path) -> None:
    lines = [f"Bark&v{i}&good&0&{1 + i}\n" for i in range(5)] + [f"Cat&t{i}&good&{i}&5\n" for i in range(5)]
    (tmp_path / "Annotations.txt").write_text("".join([*lines, "Bark&x&good&0&5\n"]), "utf-8")
    for split, part in (("train", ["Bark&x&good&0&5\n"]), ("val", lines[:5]), ("test", lines[5:])):
        (tmp_path / f"{split}Set.txt").write_text("".join(part), "utf-8")
    (tmp_path / "p.json").write_text(json.dumps([["Bark"] * (1 + i) + ["none"] * (4 - i) for i in range(5)]), "utf-8")
    with pytest.raises(DataError, match="seem to be those of the val split"):
        audit(tmp_path / "p.json", data=tmp_path)
    assert right(audit(tmp_path / "p.json", data=tmp_path, split="val")) == 25


def test_groups_of_a_file(data: Path, make: Make, tmp_path: Path) -> None:
    path = make(entries({"row": 3}, {"row": 4}, {"row": 5}))
    (tmp_path / "kinds.csv").write_text("category,group\nbark,audio-led\nCat,audio-led\nBell,visual-led\n", "utf-8")
    found = audit(path, data=data, groups=tmp_path / "kinds.csv").groups["groups of the file"]
    assert [(part.name, part.videos) for part in found] == [("audio-led", 2), ("visual-led", 1)]
    (tmp_path / "videos.csv").write_text("video,group\nd,easy\na,easy\n", "utf-8")
    found = audit(path, data=data, groups=tmp_path / "videos.csv").groups["groups of the file"]
    assert [(part.name, part.videos) for part in found] == [("easy", 1)]
    for text, said in (
        ("category,group\nBork,x\n", "did you mean 'Bark'"),
        ("category,group\nBark,x\nbark,y\n", "in two lines"),
        ("category,group\nBark\n", "number of fields"),
        ("video,group\na,x\n", "no group has a video"),
    ):
        (tmp_path / "bad.csv").write_text(text, "utf-8")
        with pytest.raises(DataError, match=said):
            audit(path, data=data, groups=tmp_path / "bad.csv")


def test_videos_of_different_length(tmp_path: Path) -> None:
    """events.csv: x has 3 segments, y has 2 and no event; padding of the file's arrays is not scored."""
    (tmp_path / "categories.txt").write_text("Bark\nBell\n", "utf-8")
    (tmp_path / "events.csv").write_text(
        "row,video,segments,category,start,end\n0,x,3,Bark,1,2\n1,y,2,,,\n2,v,3,Bell,0,1\n3,w,3,Bell,0,3\n", "utf-8"
    )
    import h5py

    for split, rows in (("train", [2]), ("val", [3]), ("test", [0, 1])):
        with h5py.File(tmp_path / f"{split}_order.h5", "w") as file:
            file["order"] = np.array(rows)
    (tmp_path / "p.jsonl").write_text(
        '{"video": "x", "segments": ["none", "Bark", "Bark"]}\n{"video": "y", "segments": ["none", "Bell", "Bell"]}\n',
        "utf-8",
    )
    found = audit(tmp_path / "p.jsonl", data=tmp_path)
    assert found.whole is not None
    assert (found.whole.right, found.whole.segments) == (2 + 1, 5)
    (tmp_path / "short.jsonl").write_text(
        '{"video": "x", "segments": ["none", "Bark"]}\n{"video": "y", "segments": ["none", "none"]}\n', "utf-8"
    )
    with pytest.raises(DataError, match="wrong number of segments"):
        audit(tmp_path / "short.jsonl", data=tmp_path)
