"""Single-file plugins: each load runs the file as a new module."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from avelzoo.errors import AvelzooError, PluginError, describe, reason

KEPT = "; the version loaded before is kept"


@dataclass(frozen=True)
class PluginFile:
    """A plugin file, read once.

    Attributes:
        path: its path.
        content: its bytes.
    """

    path: Path
    content: bytes

    @classmethod
    def read(cls, path: Path) -> PluginFile:
        """Read a file.

        Raises:
            PluginError: the file cannot be read, or is not a Python file.
        """
        try:
            content = path.read_bytes()
        except (OSError, ValueError) as error:
            raise PluginError(f"cannot read the plugin file: {reason(error)}", where=str(path)) from error
        if path.suffix != ".py":
            raise PluginError("a plugin file is a Python file", where=str(path), expected="a name that ends in .py")
        return cls(path, content)

    @property
    def name(self) -> str:
        """The plugin's name: the file name in kebab-case."""
        return self.path.stem.replace("_", "-").lower()

    @property
    def digest(self) -> str:
        """Checksum in place of a version."""
        return hashlib.sha256(self.content).hexdigest()[:12]

    @property
    def source(self) -> str:
        """Source of the plugin."""
        return f"file {self.path.resolve()}"

    @contextmanager
    def module(self, *, kept: bool) -> Iterator[ModuleType]:
        """Run the file as a new module, which stays in ``sys.modules`` unless the file raises an error.

        Args:
            kept: whether an earlier version stays in use after a failure, for the message.

        Raises:
            PluginError: running the file raised an error.
        """
        name = f"avelzoo_plugin_{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None, "the name ends in .py"
        module = importlib.util.module_from_spec(spec)
        before = sys.modules.get(name)
        sys.modules[name] = module
        try:
            # Compiled here, because an importer may find the bytecode of an earlier version.
            try:
                exec(compile(self.content, str(self.path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102
            except BaseException as error:  # noqa: BLE001 - raised again
                refuse(error, "the plugin file cannot be run", self._last_line(error), kept=kept)
            yield module
        except BaseException:
            sys.modules.pop(name, None)
            if before is not None:
                sys.modules[name] = before
            raise

    def _last_line(self, error: BaseException) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(self.path)]
        return f"{self.path}, line {lines[-1]}" if lines else str(self.path)


def refuse(error: BaseException, what: str, where: str, *, kept: bool) -> NoReturn:
    """Raise a plugin's error as a `PluginError`; a KeyboardInterrupt is raised unchanged.

    Args:
        error: the plugin's error.
        what: the failed step.
        where: file and line.
        kept: whether an earlier version stays in use.
    """
    if type(error) is KeyboardInterrupt:
        raise error
    if isinstance(error, AvelzooError):
        error.problem += KEPT if kept and not error.problem.endswith(KEPT) else ""
        raise error
    fix = "run the file with python to see the full traceback"
    raise PluginError(f"{what}: {describe(error)}" + (KEPT if kept else ""), where=where, fix=fix) from error
