"""`avelzoo demo-video`, in a small edition, as a user starts it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET


def options(command: str) -> list[str]:
    """Name and options of a command, without their values."""
    words = command.split()
    return [words[0], *(word for word in words if word.startswith("--"))]


def test_from_nothing_to_pictures_of_new_clips(shell, tmp_path, root):
    told = shell("demo-video", "--out", "demo", "--clips", "60", "--new", "2", "--epochs", "40", "--json")
    assert told.code == 0, told.err
    found = told.json
    assert found["test"]["segment_accuracy"] > found["test"]["floors"]["own_category_all_event"] + 0.2
    assert sum(one["agreement"] for one in found["new"]) / 2 > 0.6
    printed = [line.removeprefix("$ avelzoo ") for line in told.err.splitlines() if line.startswith("$ avelzoo ")]
    page = (root / "docs" / "tutorials" / "your-videos.md").read_text("utf-8")
    shown = [command for command in re.findall(r"^\$ avelzoo (.*)$", page, re.MULTILINE) if command != "demo-video"]
    assert [options(command) for command in shown] == [options(command) for command in printed]
    pictures = sorted((tmp_path / "demo" / "results").glob("*.svg"))
    assert len(pictures) == 2
    text = pictures[0].read_text("utf-8")
    ET.fromstring(text)  # noqa: S314 - written by this project
    assert "data:image/jpeg" in text and "came from" in text
    assert len(list((tmp_path / "demo" / "results").glob("*.png"))) == 2


def test_a_folder_with_files_is_refused(call, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    told = call("demo-video", "--out", "demo")
    assert told.code == 2
    assert "not empty" in told.err
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["notes.txt"]
