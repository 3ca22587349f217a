"""Discovery and loading of plugins; broken ones are isolated, and every entry records its plugin."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pluggy

from avelzoo.config import Config
from avelzoo.errors import PluginError, UnknownNameError, describe, did_you_mean, raised_at
from avelzoo.plugin import defining, hookspecs
from avelzoo.plugin.discovery import entry_points, is_allowed
from avelzoo.plugin.file import PluginFile, refuse
from avelzoo.plugin.registrar import Registrar
from avelzoo.plugin.registry import THIS_PROCESS, Registry
from avelzoo.plugin.status import ENTRY_POINT, LOADED, PluginRecord, PluginWarning
from avelzoo.version import __version__

BUILTIN = "avelzoo"
IN_PROCESS = "in process"


class PluginHost:
    """Discovers plugins and fills a registry from them.

    Args:
        entry_points: also load installed plugins (entry-point group ``avelzoo``); off for tests.
        environ: where ``AVELZOO_LOAD_PLUGINS`` (comma-separated allow-list; empty = none) and
            ``AVELZOO_DISABLE_PLUGINS`` (comma-separated) are read.

    >>> PluginHost(entry_points=False).registry.names("encoder")
    ['given-scores', 'mean-pool', 'st-fusion']
    """

    def __init__(self, *, entry_points: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self.registry = Registry()
        self.records: list[PluginRecord] = []
        self._files: dict[str, Path] = {}
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)
        builtin = importlib.import_module("avelzoo.builtin.plugin")
        self.add(builtin, name=BUILTIN, distribution="avelzoo", version=__version__, source="built in")
        if entry_points:
            self._load_entry_points()

    @property
    def files(self) -> list[Path]:
        """The single-file plugins that are loaded."""
        return list(self._files.values())

    def add(
        self, plugin: Any, *, name: str, distribution: str = "", version: str = "", source: str = IN_PROCESS
    ) -> None:
        """Register a plugin object or module; one of the same name and source is replaced.

        Raises:
            PluginError: it breaks the rules of registration, or another plugin has the name. Nothing of it stays, and
                what was registered under its name before still is.
        """
        before, kept = self.registry.snapshot(), self._replaced(name, source)
        registrar = Registrar(self.registry, plugin=name, distribution=distribution, version=version)
        try:
            if kept is not None:
                self._pm.unregister(name=name)
                self.registry.remove_plugin(name)
            self._register(plugin, name, registrar)
        except BaseException as error:  # noqa: BLE001 - raised again, whatever it is
            if self._pm.has_plugin(name):
                self._pm.unregister(name=name)
            self.registry.restore(before)
            if kept is not None:
                self._pm.register(kept, name=name)
            refuse(error, f"the plugin '{name}' cannot be registered", raised_at(error), kept=kept is not None)
        finally:
            registrar.close()
        record = PluginRecord(name, distribution, version, source, LOADED)
        self.records = [r for r in self.records if (r.name, r.status) != (name, LOADED)] + [record]

    def add_file(self, file: str | Path) -> None:
        """Register a plugin that is one Python file, named after it; loading the file again replaces it.

        Raises:
            PluginError: the file cannot be read or run, breaks the rules of registration, or has the name of another
                plugin. What was loaded from it before stays.
        """
        read = PluginFile.read(Path(file))
        kept = self._replaced(read.name, read.source) is not None
        with defining.loading(), read.module(kept=kept) as module:
            self.add(module, name=read.name, distribution=read.path.name, version=read.digest, source=read.source)
        self._files[read.name] = read.path.resolve()

    def define(self, kind: str, name: str, config: type[Config]) -> None:
        """Register a component of this process alone; one of the same kind and name defined before is replaced.

        Args:
            kind: such as ``encoder``.
            name: the component's name.
            config: its config class.

        Raises:
            PluginError: it breaks the rules of registration. What was defined before stays.
        """
        if not self._pm.has_plugin(THIS_PROCESS):
            self.add(object(), name=THIS_PROCESS)  # has no hooks
        before = self.registry.snapshot()
        registrar = Registrar(self.registry, plugin=THIS_PROCESS, distribution="", version="")
        try:
            self.registry.remove_entry(kind, name, plugin=THIS_PROCESS)
            getattr(registrar, kind)(name, config)
        except BaseException:
            self.registry.restore(before)
            raise

    def listeners(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """Name and hook call of every plugin that implements a hook, in the order in which they are called."""
        plugins = dict.fromkeys(impl.plugin for impl in reversed(getattr(self._pm.hook, hook).get_hookimpls()))
        return [(self._pm.get_name(plugin) or "", self._only(hook, plugin)) for plugin in plugins]

    def remove(self, name: str) -> None:
        """Forget a plugin and all it registered.

        Raises:
            UnknownNameError: no plugin of this name is loaded.
        """
        if not self._pm.has_plugin(name):
            loaded = [r.name for r in self.records if r.status == LOADED]
            raise UnknownNameError(f"no plugin '{name}' is loaded" + did_you_mean(name, loaded))
        self._pm.unregister(name=name)
        self.registry.remove_plugin(name)
        self.records = [r for r in self.records if r.name != name]
        self._files.pop(name, None)

    def _replaced(self, name: str, source: str) -> Any:
        """The plugin that one of this name and source replaces; None where there is none.

        Raises:
            PluginError: the name belongs to a plugin from elsewhere.
        """
        there = next((r for r in self.records if (r.name, r.status) == (name, LOADED)), None)
        if there is None:
            return None
        if there.source != source or source.startswith(ENTRY_POINT) or name == BUILTIN:
            raise PluginError(
                f"the plugin name '{name}' is taken",
                where=source,
                found=f"{name} {there.version}, {there.source}".replace(" ,", ","),
                fix="rename this plugin; a plugin file has the name of its file",
            )
        return self._pm.get_plugin(name)

    def _register(self, plugin: Any, name: str, registrar: Registrar) -> None:
        if plugin is None or not name:
            raise PluginError("a plugin is a module or an object with a name", found=f"{plugin!r} named {name!r}")
        if self._pm.is_registered(plugin):
            raise PluginError(f"this plugin is already registered as '{self._pm.get_name(plugin)}'", where=name)
        try:
            self._pm.register(plugin, name=name)
            self._pm.check_pending()
        except pluggy.PluginValidationError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise PluginError(
                f"a hook of the plugin '{name}' does not match its specification",
                found=lines[-1],
                expected="the names and arguments of `avelzoo.plugin.hookspecs`, such as avelzoo_register(zoo)",
                fix="rename the function or its arguments; docs/api/plugins.md lists every hook",
            ) from error
        for kind, component, config in defining.offers_of(plugin):
            getattr(registrar, kind)(component, config)
        self._only("avelzoo_register", plugin)(zoo=registrar)

    def _only(self, hook: str, plugin: Any) -> Callable[..., Any]:
        """A hook's call that reaches one plugin alone."""
        others = [other for other in self._pm.get_plugins() if other is not plugin]
        return self._pm.subset_hook_caller(hook, others)

    def _load_entry_points(self) -> None:
        for point, dist in entry_points():
            source = f"{ENTRY_POINT}{point.value}"
            version = dist.version or ""
            if not is_allowed(point.name, self._environ):
                self.records.append(PluginRecord(point.name, dist.name, version, source, "disabled"))
                continue
            try:
                with defining.loading():
                    module = point.load()
                self.add(module, name=point.name, distribution=dist.name, version=version, source=source)
            except BaseException as error:
                if type(error) is KeyboardInterrupt:  # the user's own; no other failure may take the house down
                    raise
                reason = describe(error)
                self.records.append(PluginRecord(point.name, dist.name, version, source, "broken", reason))
                warnings.warn(
                    f"plugin '{point.name}' ({dist.name} {version}) was left out: {reason}", PluginWarning, stacklevel=2
                )
