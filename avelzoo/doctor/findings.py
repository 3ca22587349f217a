"""Findings about this installation: ok, a warning or a problem, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from avelzoo.errors import AvelzooError, describe

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes:
        section: environment, devices, data, plugins, weights, extras or completion.
        name: what was examined.
        level: ok; warning, something optional is missing or slow; problem, something does not work.
        text: the fact.
        fix: the remedy; empty where nothing has to be done.
    """

    section: str
    name: str
    level: Level
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Examination:
    """All findings, in the order of the sections.

    >>> found = Examination((Finding("devices", "CUDA", "warning", "no device", "use --device cpu"),))
    >>> found.ok, found.count("warning")
    (True, 1)
    """

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is a problem."""
        return not self.count("problem")

    def count(self, level: Level) -> int:
        """Number of findings of a level."""
        return sum(finding.level == level for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "ok": self.ok,
            "problems": self.count("problem"),
            "warnings": self.count("warning"),
            "findings": [asdict(finding) for finding in self.findings],
        }


def guarded(section: str, examine: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Findings of one section; an error of the examination itself is one more problem."""
    findings: list[Finding] = []
    try:
        findings += examine()
    except BaseException as error:  # a broken library may raise anything, SystemExit too
        if type(error) is KeyboardInterrupt:
            raise
        findings.append(_failed(section, error))
    return findings


def _failed(section: str, error: BaseException) -> Finding:
    if isinstance(error, AvelzooError):
        text = ": ".join(filter(None, (error.problem, error.where, error.found)))
        return Finding(section, section, "problem", text, error.fix)
    fix = "see the problems of the section environment first"
    return Finding(section, section, "problem", f"this section cannot be examined: {describe(error)}", fix)
