"""Compositions and numbers of every recipe stay what they are unless a change is made on purpose.

After such a change ``python tests/golden/write.py`` renews the files; the difference belongs into the commit.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.golden.cells import COMPOSITIONS, NUMBERS, cells, composition, numbers

RECIPES = dict(cells())


def test_no_recipe_escapes() -> None:
    assert json.loads(COMPOSITIONS.read_text("utf-8")).keys() == RECIPES.keys()
    assert json.loads(NUMBERS.read_text("utf-8")).keys() == RECIPES.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_composition_is_unchanged(name: str) -> None:
    found = json.loads(json.dumps(composition(RECIPES[name])))
    assert found == json.loads(COMPOSITIONS.read_text("utf-8"))[name]


@pytest.mark.parametrize("name", RECIPES)
def test_numbers_are_unchanged(name: str) -> None:
    expected: dict[str, Any] = json.loads(NUMBERS.read_text("utf-8"))[name]
    found = numbers(RECIPES[name])
    assert found["parameters"] == expected["parameters"]
    assert found["answer"] == pytest.approx(expected["answer"], rel=2e-3, abs=1e-5)
    for step, row in enumerate(expected["steps"]):
        assert found["steps"][step] == pytest.approx(row, rel=2e-3, abs=1e-5)
