"""The ledgers of these systems speak of functions and options that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from avelzoo.plugin.default import default_host

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "ledger"
REGISTRY = default_host().registry
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if page.stem in REGISTRY.names("recipe")]


def names(page, pattern):
    return sorted(set(re.findall(rf"`({pattern})`", page.read_text("utf-8"))))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_functions_exist(page):
    for name in names(page, r"avelzoo(?:_baselines)?(?:\.\w+)+"):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_options_exist(page):
    """In the recipe of the page's name or a variant of it, under one supervision or the other."""
    family = [name for name in REGISTRY.names("recipe") if name.startswith(page.stem)]
    recipes = [REGISTRY.get("recipe", name).target(supervision) for name in family for supervision in ("full", "weak")]
    for path in names(page, r"(?:encoder|memory|head|objective|train)\.\w+"):
        slot, _, option = path.partition(".")
        assert any(hasattr(getattr(recipe, slot), option) for recipe in recipes), path


def test_there_are_pages():
    systems = {e.name.removesuffix("-official") for e in REGISTRY.entries("recipe") if e.plugin == "baselines"}
    variants = {"avel2018-dmrn", "avsdn-cpsp", "avfb"}
    assert systems - variants == {page.stem for page in FOLDER.glob("*.md")} - {"ge2023"}
