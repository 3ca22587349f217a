"""Finds plugins, keeps broken ones from breaking anything else, and knows who brought what."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

import pluggy

from avelzoo import hookspecs
from avelzoo.errors import AvelzooError, PluginError
from avelzoo.registry import Registrar, Registry
from avelzoo.version import __version__

GROUP = "avelzoo"
BUILTIN = "avelzoo"


class PluginWarning(UserWarning):
    """A plugin could not be loaded; everything else goes on without it."""


@dataclass(frozen=True)
class PluginRecord:
    """One row of `avelzoo plugins`."""

    name: str
    distribution: str
    version: str
    source: str
    status: str
    error: str = ""


class PluginHost:
    """Discovers plugins and fills a registry from them.

    Args:
        entry_points: also load installed plugins (entry-point group ``avelzoo``); off for tests.
        environ: where ``AVELZOO_LOAD_PLUGINS`` (comma-separated allow-list; empty = none) and
            ``AVELZOO_DISABLE_PLUGINS`` (comma-separated) are read.
    """

    def __init__(self, *, entry_points: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self.registry = Registry()
        self.records: list[PluginRecord] = []
        self.files: list[Path] = []
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        builtin = importlib.import_module("avelzoo.builtin.plugin")
        self.add(builtin, name=BUILTIN, distribution="avelzoo", version=__version__, source="built in")
        if entry_points:
            self._load_entry_points()

    def add(
        self, plugin: Any, *, name: str, distribution: str = "", version: str = "", source: str = "in process"
    ) -> None:
        """Register a plugin object or module.

        Raises:
            PluginError: it breaks the rules of registration; nothing of it stays.
        """
        registrar = Registrar(self.registry, plugin=name, distribution=distribution, version=version)
        try:
            self._pm.register(plugin, name=name)
            self._pm.check_pending()
            others = [p for p in self._pm.get_plugins() if p is not plugin]
            self._pm.subset_hook_caller("avelzoo_register", others)(zoo=registrar)
        except BaseException:
            self.registry.remove_plugin(name)
            if self._pm.has_plugin(name):
                self._pm.unregister(name=name)
            raise
        self.records.append(PluginRecord(name, distribution, version, source, "ok"))

    def add_file(self, file: Path) -> None:
        """Register a plugin that is one Python file, named after it.

        Raises:
            PluginError: the file cannot be read or run, or breaks the rules of registration.
        """
        name = _name_of(file)
        module_name = f"avelzoo_plugin_{file.stem}"
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        except OSError as error:
            raise PluginError(f"cannot read the plugin file: {error.strerror}", where=str(file)) from error
        spec = importlib.util.spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None:
            raise PluginError("a plugin file is a Python file", where=str(file), expected="a name that ends in .py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
            self.add(module, name=name, distribution=file.name, version=digest, source=f"file {file}")
            self.files.append(file.resolve())
        except AvelzooError:
            raise
        except Exception as error:
            raise PluginError(
                f"the plugin file does not run: {type(error).__name__}: {error}",
                where=_last_line_in(error, file),
                fix="run it with Python alone to see the whole traceback",
            ) from error

    def call(self, hook: str, **values: Any) -> None:
        """Call a hook on every plugin that implements it."""
        getattr(self._pm.hook, hook)(**values)

    def remove(self, name: str) -> None:
        """Forget a plugin and all it registered."""
        self._pm.unregister(name=name)
        self.registry.remove_plugin(name)
        self.records = [r for r in self.records if r.name != name]
        self.files = [file for file in self.files if _name_of(file) != name]

    def _load_entry_points(self) -> None:
        allowed = self._environ.get("AVELZOO_LOAD_PLUGINS")
        allow = None if allowed is None else _names(allowed)
        blocked = _names(self._environ.get("AVELZOO_DISABLE_PLUGINS", ""))
        for point, dist in _entry_points():
            source = f"entry point {point.value}"
            version = dist.version or ""
            record = PluginRecord(point.name, dist.name, version, source, "disabled")
            if point.name in blocked or (allow is not None and point.name not in allow):
                self.records.append(record)
                continue
            try:
                if self._pm.has_plugin(point.name):
                    raise ValueError(f"a plugin named '{point.name}' is already loaded")
                self.add(point.load(), name=point.name, distribution=dist.name, version=version, source=source)
            except Exception as error:  # noqa: BLE001 - no failure of a stranger's code may take the house down
                reason = error.problem if isinstance(error, AvelzooError) else f"{type(error).__name__}: {error}"
                self.records.append(PluginRecord(point.name, dist.name, version, source, "broken", reason))
                warnings.warn(
                    f"plugin '{point.name}' ({dist.name} {version}) was left out: {reason}", PluginWarning, stacklevel=2
                )


def _name_of(file: Path) -> str:
    return file.stem.replace("_", "-").lower()


def _last_line_in(error: Exception, file: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{file}, line {lines[-1]}" if lines else str(file)


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _entry_points() -> list[tuple[EntryPoint, Distribution]]:
    """Entry points of the group with their distributions, each distribution once, in order of name."""
    found: dict[tuple[str, str], tuple[EntryPoint, Distribution]] = {}
    for dist in distributions():
        for point in dist.entry_points:
            if point.group == GROUP:
                found.setdefault((dist.name, point.name), (point, dist))
    return [found[key] for key in sorted(found)]


@cache
def default_host() -> PluginHost:
    """The host with everything installed in this environment, made once per process."""
    return PluginHost()
