"""Every command has `--json`, and stdout is then one JSON document; exit codes are documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

import avelzoo.errors
from avelzoo.cli.app import COMMANDS, build_app
from avelzoo.errors import AvelzooError


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Commands without subcommands, with their words."""
    subcommands = getattr(command, "commands", None)
    if not subcommands:
        yield path, command
        return
    for name, sub in subcommands.items():
        yield from leaves(sub, (*path, name))


def commands() -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for name in COMMANDS:
        root = typer.main.get_command(build_app([name]))
        found |= dict(leaves(root.commands[name], (name,)))
    return found


def test_every_command_has_the_option():
    tree = commands()
    assert {("data", "doctor"), ("weights", "list"), ("run",), ("doctor",)} <= tree.keys()
    without = [
        " ".join(path)
        for path, command in tree.items()
        if not any("--json" in getattr(parameter, "opts", ()) for parameter in command.params)
    ]
    assert without == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small data folder."""
    from avelzoo.data.making.simulate import Simulation, simulate

    path = tmp_path_factory.mktemp("data") / "small"
    simulate(Simulation(videos=30, grid=(1, 1), visual_dim=4), path)
    return path


SAMPLE = {
    "list encoders": 0,
    "show head event-aware": 0,
    "show ead-b": 0,
    "plugins": 0,
    "run ead-b --dry-run": 0,
    "run ead-b --seeds 2 --dry-run": 0,
    "data status FOLDER": 0,
    "data doctor FOLDER --quick": 0,
    "data pack FOLDER packed": 0,
    "data simulate made --videos 28 --grid 1x1 --visual-dim 2": 0,
    "weights list": 0,
    "weights path vggish": 3,
    "weights verify": 0,
    "new my-part": 0,
    "show nothing-of-this-name": 2,
    "evaluate nowhere": 4,
    "export nowhere": 2,
    "predict nowhere.mp4": 2,
    "decode nowhere": 3,
    "import-checkpoint nothing file": 2,
    "data status nowhere": 3,
    "run ead-b --epochs x": 2,
    "no-such-command": 2,
}
"""Command line -> exit code."""


@pytest.mark.parametrize("line", SAMPLE)
def test_stdout_is_one_document(call, folder, monkeypatch, tmp_path, line):
    monkeypatch.setenv("AVELZOO_WEIGHTS", str(tmp_path / "weights"))
    told = call(*[str(folder) if word == "FOLDER" else word for word in line.split()], "--json")
    document = json.loads(told.out)  # all of stdout
    assert told.code == SAMPLE[line]
    if "error" in document:
        assert document["exit_code"] == told.code
        assert document["problem"]


def test_every_exit_code_is_documented(root):
    page = (root / "docs" / "cli.md").read_text("utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    kinds = [kind for kind in vars(avelzoo.errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, AvelzooError)}
    assert documented == codes | {0, 130}
