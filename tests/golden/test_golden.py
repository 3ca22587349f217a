"""Compositions and numbers of every recipe stay what they are unless a change is made on purpose.

After such a change ``python tests/golden/write.py`` renews the files; the difference belongs into the commit.
"""

from __future__ import annotations

import json

import pytest

from tests.golden.cells import COMPOSITIONS, NUMBERS, cells, changes, composition, numbers, renewed

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
    assert changes(numbers(RECIPES[name]), json.loads(NUMBERS.read_text("utf-8"))[name]) == []


def test_rounding_is_no_change() -> None:
    recorded = {"parameters": 7000, "steps": [{"loss": 1.0}, {"loss": 0.5}]}
    rounded = {"parameters": 7000, "steps": [{"loss": 1.0000001}, {"loss": 0.5}]}
    other = {"parameters": 7001, "steps": [{"loss": 1.0}, {"loss": 0.6, "term": 0.1}]}
    assert changes(rounded, recorded) == []
    assert changes(other, recorded) == [
        "parameters is 7001, was 7000",
        "steps.1.loss is 0.6, was 0.5",
        "steps.1.term is 0.1, was None",
    ]
    assert renewed({"a": rounded, "b": rounded}, {"a": recorded}) == {"a": recorded, "b": rounded}
    assert renewed({"a": other}, {"a": recorded, "gone": recorded}) == {"a": other}
