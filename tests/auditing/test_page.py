"""The page on audits: its example is followed, and its output is the present one, digit by digit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avelzoo.cli import main
from tests.walking import blocks, commands

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
OTHER = (("one", "Bark"), ("two", "Church bell"), ("three", "Flute"), ("bbb", "Bark"))


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    lines = (json.dumps({"video": video, "segments": [name] * 10}) + "\n" for video, name in OTHER)
    (tmp_path / "other.jsonl").write_text("".join(lines), "utf-8")
    for block in blocks(PAGE):
        if block.title is not None:
            Path(block.title).parent.mkdir(exist_ok=True)
            Path(block.title).write_text(block.code, "utf-8")
    ran = 0
    for block in blocks(PAGE):
        if block.language != "console" or block.skipped is not None:
            continue
        for typed, shown in commands(block):
            assert main(typed.split()[1:]) == 0
            printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
            assert [line for line in shown if line.rstrip() not in printed] == []
            ran += 1
    assert ran == 3
