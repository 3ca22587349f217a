"""Where the checkpoints of these systems are published."""

from __future__ import annotations

from avelzoo.cli import main
from avelzoo.cli.catalogue import checkpoint_text, row
from avelzoo.plugin.default import default_host

OFFICIALS = {entry.name: entry for entry in default_host().registry.entries("published-code")}
PUBLISHED = {"psp", "cpsp", "cmbs", "cacenet", "ave2018dmrn"}


def test_checkpoints_are_of_settings_that_can_be_imported():
    assert {name for name, entry in OFFICIALS.items() if row(entry)["checkpoints"]} == PUBLISHED
    for name in PUBLISHED:
        for checkpoint in row(OFFICIALS[name])["checkpoints"]:
            assert set(checkpoint["settings"]) <= set(row(OFFICIALS[name])["settings"])


def test_help_and_show_name_them(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    assert main(["import-checkpoint", "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for name in PUBLISHED:
        for checkpoint in row(OFFICIALS[name])["checkpoints"]:
            assert f"{name} {checkpoint_text(checkpoint)}" in out
    assert "ge2023 none known" in out
    assert main(["show", "published-code", "cmbs"]) == 0
    assert "weak (74.2 %): drive.google.com/file/d/100cp82dIrJLuqqEvV-9dbxyTQpWkY-3c" in capsys.readouterr().out
