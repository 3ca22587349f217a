"""The examples in docstrings run; every public name has one, or a reason not to."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

import avelzoo

LONGEST = 3
WITHOUT = {
    "no docstring of its own": {"__version__", "Supervision", "AVE_CATEGORIES", "hookimpl", "recipes", "Need"}
    | {"LossFunction"},
    "needs a class of a dozen lines: examples/idea.py and docs/how-to/writing-a-plugin.md show one": {
        *(
            "dataset",
            "sampler",
            "transform",
            "encoder",
            "memory",
            "head",
            "objective",
            "optimizer",
            "schedule",
            "decoder",
        ),
        *("launcher", "extractor", "format"),
    },
    "needs a run trained on extracted videos: tests/localization has one": {"Localizer"},
    "needs weights of published code, or a run in progress": {"official_outputs", "RunView", "SweepResult"},
}
EXEMPT = set().union(*WITHOUT.values())


def examples(name: str) -> doctest.DocTest:
    made = getattr(avelzoo, name)
    text = (getattr(made, "__doc__", None) or "") if inspect.isclass(made) or inspect.isfunction(made) else ""
    names = {public: getattr(avelzoo, public) for public in avelzoo.__all__} | {
        "torch": torch,
        "np": np,
        "dataclasses": dataclasses,
        "avelzoo": avelzoo,
    }
    return doctest.DocTestParser().get_doctest(inspect.cleandoc(text), names, name, None, None)


@pytest.mark.parametrize("name", sorted(set(avelzoo.__all__) - EXEMPT))
def test_public_names_have_an_example_that_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # for run folders
    found = examples(name)
    assert found.examples, f"avelzoo.{name} has no example in its docstring"
    lines = sum((example.source + example.want).count("\n") for example in found.examples)
    assert lines <= LONGEST, f"the example of avelzoo.{name} has {lines} lines"
    told: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(found, out=told.append)
    assert result.failed == 0, "".join(told)


def test_exemptions_are_needed() -> None:
    assert sorted(name for name in EXEMPT & set(avelzoo.__all__) if examples(name).examples) == []
    assert sorted(EXEMPT - set(avelzoo.__all__)) == []


def test_errors_examples_run() -> None:
    from avelzoo import errors

    assert doctest.testmod(errors).attempted >= 3
    assert doctest.testmod(errors).failed == 0
