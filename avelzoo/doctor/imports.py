"""Whether libraries can be imported, found out in a child process: a broken library may crash it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("probe.py")
LONGEST = 300.0
"""Seconds after which an import is given up; on a busy disk PyTorch alone can take half a minute."""


@dataclass(frozen=True)
class Imports:
    """Result of the imports.

    Attributes:
        errors: error by module, for modules that cannot be imported.
        torch: facts about PyTorch; empty if it cannot be imported.
    """

    errors: Mapping[str, str] = field(default_factory=dict)
    torch: Mapping[str, Any] = field(default_factory=dict)


class Probe:
    """A running child process that imports modules.

    Args:
        modules: names of modules, in the order of their import.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = list(modules)
        self._child = subprocess.Popen(  # noqa: S603 - this interpreter with a file of this package
            [sys.executable, "-P", str(PROBE), *modules],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def result(self) -> Imports:
        """Wait for the child process."""
        late = False
        try:
            said, _ = self._child.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            late = True
            self._child.kill()
            said, _ = self._child.communicate()
        end = f"no answer after {LONGEST:.0f} s" if late else _ended(self._child.returncode)
        return read(said.decode("utf-8", "replace"), end, self._modules)

    def stop(self) -> None:
        """End the child process."""
        with suppress(OSError):
            self._child.kill()
        self._child.communicate()


def read(said: str, end: str, modules: Sequence[str]) -> Imports:
    """The result from a child's lines.

    Args:
        said: its output.
        end: how it ended, for the module that it was importing then.
        modules: modules that it had to import.
    """
    errors: dict[str, str] = {}
    torch: dict[str, Any] = {}
    begun, done, finished = "", False, set()
    for line in said.splitlines():
        with suppress(ValueError):
            facts = json.loads(line)
            begun = facts.get("begin", begun)
            finished |= {facts["library"]} if "library" in facts else set()
            if "error" in facts:
                errors[facts["library"]] = facts["error"]
            torch |= facts.get("torch", {})
            done = done or "done" in facts
    if not done:
        blamed = begun if begun in modules else "torch" if begun else ""
        left = [module for module in modules if module not in finished and module != blamed]
        errors |= {blamed: end} if blamed else {}
        errors |= dict.fromkeys(left, f"not tried: {end}" + (f" at {blamed}" if blamed else ""))
    return Imports(errors, torch)


def _ended(code: int) -> str:
    if code >= 0:
        return f"the process ended with exit code {code}"
    with suppress(ValueError):
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process was ended by signal {-code}"
