"""The ledgers speak of functions, options, values and tests that exist."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from avelzoo.plugin.host import PluginHost

LEDGERS = sorted((Path(__file__).parent.parent / "docs" / "ledger").glob("*.md"))
ROOT = Path(__file__).parent.parent
GE2023 = (ROOT / "docs" / "ledger" / "ge2023.md").read_text()


def spans(text, pattern):
    return sorted({m for m in re.findall(r"`([^`\n]+)`", text) if re.fullmatch(pattern, m)})


@pytest.mark.parametrize("name", spans(GE2023, r"avelzoo(\.\w+)+"))
def test_functions_exist(name):
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    pytest.fail(f"{name} does not exist")


@pytest.mark.parametrize("file", LEDGERS, ids=[f.stem for f in LEDGERS])
def test_tests_exist(file):
    for name in spans(file.read_text(), r"[\w/.-]+\.py::\w+"):
        path, _, test = name.partition("::")
        tree = ast.parse((ROOT / path).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def rows():
    table = GE2023.split("## Paper against code")[1].split("\nG14")[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and re.fullmatch(r"[GW]\d+", cells[0]):
            yield cells


@pytest.mark.parametrize("cells", list(rows()), ids=lambda cells: f"{cells[0]} {cells[2]}")
def test_options_have_the_values_the_ledger_says(cells):
    registry = PluginHost(entry_points=False).registry
    slot, _, option = cells[2].strip("`").partition(".")
    for recipe, cell in (("ead-b", cells[3]), ("ead-b-official", cells[4])):
        stated = cell.split(" / ") if " / " in cell else [cell, cell]
        for supervision, value in zip(("full", "weak"), stated, strict=True):
            config = getattr(registry.get("recipe", recipe).target(supervision), slot)
            elsewhere = getattr(config, "only_under", {}).get(option, supervision) != supervision
            if value == "-" or elsewhere:
                assert elsewhere or not hasattr(config, option)
            else:
                actual = getattr(config, option)
                assert str(actual).lower() == value, f"{recipe} {supervision} {cells[2]} is {actual}"


def test_every_difference_has_a_row():
    ids = {cells[0] for cells in rows()}
    assert ids >= {f"G{k}" for k in range(1, 14)} | {"W1", "W2"}
