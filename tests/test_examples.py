"""The examples in docstrings run; every public name has one, or a reason not to."""

from __future__ import annotations

import doctest
import inspect

import pytest
import torch

import avelzoo

LONGEST = 3
WITHOUT = {
    "no docstring of its own": {"__version__", "Supervision", "AVE_CATEGORIES", "hookimpl"},
    "an abstract base: docs/plugins.md and `avelzoo new` show a whole subclass": {
        *("DatasetConfig", "EncoderConfig", "HeadConfig", "LauncherConfig", "MemoryConfig", "ObjectiveConfig"),
        *("SamplerConfig", "ScheduleConfig", "TransformConfig"),
        *("Dataset", "Encoder", "Head", "Memory", "Split", "Transform", "Launcher", "Listener"),
        *("OfficialSystem", "Registrar", "Paper", "PublishedCheckpoint"),
    },
    "needs a model, a run or a job: examples/ and docs/python.md have one": {
        *("Model", "StepOutput", "run", "load_run", "sweep", "SweepResult", "RunResult", "RunView", "recipes"),
        *("Job", "Outcome", "perform", "adam_step", "official_outputs", "HeadOutput", "Predictions"),
    },
    "decorates a class of a dozen lines: examples/idea.py and docs/writing-a-plugin.md show one": {
        *("dataset", "sampler", "transform", "encoder", "memory", "head", "objective", "optimizer", "schedule"),
        "launcher",
    },
    "described by what it is made of": {
        *("Term", "AnyOf", "Need", "LossFunction", "SumOfTerms", "GeneralTerms", "MemoryTerms"),
        *("GeneralConfig", "EventAwareClassifiersConfig"),
    },
}
EXEMPT = set().union(*WITHOUT.values())


def examples(name: str) -> doctest.DocTest:
    made = getattr(avelzoo, name)
    text = (getattr(made, "__doc__", None) or "") if inspect.isclass(made) or inspect.isfunction(made) else ""
    names = {public: getattr(avelzoo, public) for public in avelzoo.__all__} | {"torch": torch, "avelzoo": avelzoo}
    return doctest.DocTestParser().get_doctest(inspect.cleandoc(text), names, name, None, None)


@pytest.mark.parametrize("name", sorted(set(avelzoo.__all__) - EXEMPT))
def test_public_names_have_an_example_that_runs(name: str) -> None:
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
