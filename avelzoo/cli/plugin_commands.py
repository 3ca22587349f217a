"""Commands that plugins bring. They are looked up for help and for names that are no built-in command."""

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
    """A plugin whose commands were left out, and why."""

    plugin: str
    error: str


def add_plugin_commands(app: typer.Typer, host: PluginHost, built_in: Collection[str]) -> list[Refusal]:
    """Add every plugin's commands to the application, in a panel with the plugin's name.

    Args:
        app: the application.
        host: whose plugins.
        built_in: names that are taken.

    Returns:
        Plugins whose commands were left out, with all of them: one has a name that is taken, or the hook failed.
    """
    taken = dict.fromkeys(built_in, "avelzoo")
    refused = []
    for plugin, call in reversed(host.listeners("avelzoo_register_commands")):  # in order of loading
        own = typer.Typer()
        try:
            call(app=own)
            found = _named(own)
            clash = next((name for name in found if name in taken), None)
            if clash is not None:
                raise PluginError(f"the command '{clash}' belongs to {taken[clash]}; give it another name")
        except BaseException as error:  # a stranger's code must not take the command line down
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
    """Say once which plugins' commands were left out."""
    for refusal in refused:
        warnings.warn(f"plugin '{refusal.plugin}': {refusal.error}", PluginWarning, stacklevel=2)


def _named(app: typer.Typer) -> dict[str, Any]:
    """Commands and groups by the name that a user types."""
    found: dict[str, Any] = {}
    infos: list[Any] = [*app.registered_commands, *app.registered_groups]
    for info in infos:
        callback = getattr(info, "callback", None)
        name = info.name if isinstance(info.name, str) else _name_of(callback)
        if not name or name in found:
            raise PluginError(f"two commands are called '{name}'" if name else "a group of commands has no name")
        info.name = name
        found[name] = info
    return found


def _name_of(callback: Callable[..., Any] | None) -> str:
    return getattr(callback, "__name__", "").lower().replace("_", "-")
