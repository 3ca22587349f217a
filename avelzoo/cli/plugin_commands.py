"""Commands of plugins. They are loaded for help and for names that no built-in command has."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import typer

from avelzoo.errors import PluginError, describe
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.status import PluginWarning


@dataclass(frozen=True)
class Refusal:
    """A plugin whose commands were not added, with the error."""

    plugin: str
    error: str


def add_plugin_commands(app: typer.Typer, host: PluginHost, built_in: Collection[str]) -> list[Refusal]:
    """Add every plugin's commands to the application, in a panel with the plugin's name.

    Args:
        app: the application.
        host: host of the plugins.
        built_in: names of built-in commands.

    Returns:
        Plugins whose commands were not added. One name that is already used, or a failed hook, excludes all commands
        of a plugin.
    """
    taken = dict.fromkeys(built_in, "avelzoo")
    refused = []
    for plugin, call in reversed(host.listeners("avelzoo_register_commands")):  # in loading order
        own = typer.Typer()
        try:
            call(app=own)
            found = _named(own)
            clash = next((name for name in found if name in taken), None)
            if clash is not None:
                raise PluginError(f"the command name '{clash}' is already used by {taken[clash]}; rename the command")
        except BaseException as error:  # an error in a plugin must not break the command line
            if type(error) is KeyboardInterrupt:
                raise
            refused.append(Refusal(plugin, f"commands left out: {describe(error)}"))
            continue
        for info in found.values():
            info.rich_help_panel = f"Commands of {plugin}"
        taken |= dict.fromkeys(found, f"plugin '{plugin}'")
        app.registered_commands += own.registered_commands
        app.registered_groups += own.registered_groups
    return refused


def warn(refused: list[Refusal]) -> None:
    """Warn once about each plugin whose commands were not added."""
    for refusal in refused:
        warnings.warn(f"plugin '{refusal.plugin}': {refusal.error}", PluginWarning, stacklevel=2)


def _named(app: typer.Typer) -> dict[str, Any]:
    """Commands and groups by name."""
    found: dict[str, Any] = {}
    infos: list[Any] = [*app.registered_commands, *app.registered_groups]
    for info in infos:
        callback = getattr(info, "callback", None)
        name = info.name if isinstance(info.name, str) else _name_of(callback)
        if not name or name in found:
            raise PluginError(f"two commands have the name '{name}'" if name else "a group of commands has no name")
        info.name = name
        found[name] = info
    return found


def _name_of(callback: Callable[..., Any] | None) -> str:
    return getattr(callback, "__name__", "").lower().replace("_", "-")
