"""Collecting checks by kind and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from avelzoo.config import Config
from avelzoo.testing import (
    components,
    configs,
    datasets,
    decoders,
    encoders,
    extractors,
    formats,
    heads,
    launchers,
    memories,
    objectives,
    optimizers,
    padding,
    samplers,
    schedules,
    transforms,
)


@dataclass(frozen=True)
class Check:
    """One check of a contract.

    Attributes:
        name: short name, in kebab-case.
        run: raises AssertionError where the config's component breaks the promise.
    """

    name: str
    run: Callable[[Any], None]

    def __call__(self, config: Config) -> None:
        """Run the check."""
        self.run(config)


@dataclass(frozen=True)
class CheckResult:
    """Result of one check; ``error`` is empty if it passes."""

    check: str
    error: str


_MODULES = {
    "dataset": (configs, datasets),
    "encoder": (configs, components, padding, encoders),
    "memory": (configs, components, padding, memories),
    "head": (configs, components, padding, heads),
    "objective": (configs, components, padding, objectives),
    "sampler": (configs, samplers),
    "transform": (configs, transforms),
    "optimizer": (configs, optimizers),
    "schedule": (configs, schedules),
    "decoder": (configs, decoders),
    "launcher": (configs, launchers),
    "extractor": (configs, extractors),
    "format": (configs, formats),
}


def checks_for(kind: str) -> tuple[Check, ...]:
    """Every check of a kind."""
    found = []
    for module in _MODULES[kind]:
        for name, value in vars(module).items():
            if name.startswith("check_") and callable(value) and value.__module__ == module.__name__:
                found.append(Check(name.removeprefix("check_").replace("_", "-"), value))
    return tuple(found)


def run_checks(config: Config) -> list[CheckResult]:
    """Run all checks of a config; a failure does not stop the others."""
    results = []
    for check in checks_for(config.kind):
        try:
            check(config)
        except Exception as error:  # noqa: BLE001, whatever a stranger's component raises is the finding
            results.append(CheckResult(check.name, f"{type(error).__name__}: {error}".strip()))
        else:
            results.append(CheckResult(check.name, ""))
    return results


def parametrize_with_checks(
    configs: Iterable[Config], *, expected_failed_checks: Mapping[str, str] | None = None
) -> Any:
    """A pytest mark that runs a test with every pair of ``config`` and ``check``.

    Args:
        configs: instances, in the variants worth checking.
        expected_failed_checks: check name -> reason, for promises a component breaks on purpose (strict xfail).
    """
    import pytest

    expected = expected_failed_checks or {}
    parameters = []
    for config in configs:
        for check in checks_for(config.kind):
            marks = [pytest.mark.xfail(reason=expected[check.name], strict=True)] if check.name in expected else []
            parameters.append(pytest.param(config, check, id=f"{type(config).__name__}-{check.name}", marks=marks))
    return pytest.mark.parametrize(("config", "check"), parameters)
