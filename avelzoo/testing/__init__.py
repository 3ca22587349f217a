"""Conformance checks for components, shipped to plugin authors.

In a test::

    from avelzoo.testing import parametrize_with_checks

    @parametrize_with_checks([MyConfig(), MyConfig(kernel=1)])
    def test_contract(config, check):
        check(config)

or, without pytest, `avelzoo check PLUGIN`. A check raises AssertionError with what is wrong.
"""

from __future__ import annotations

from avelzoo.testing.harness import Harness, harnesses_for, narrow, random_batch, random_targets, term_values
from avelzoo.testing.running import Check, CheckResult, checks_for, parametrize_with_checks, run_checks

__all__ = [
    "Check",
    "CheckResult",
    "Harness",
    "checks_for",
    "harnesses_for",
    "narrow",
    "parametrize_with_checks",
    "random_batch",
    "random_targets",
    "run_checks",
    "term_values",
]
