"""The tree of commands. Only the command in use is imported; of the others, name and one line are enough."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from avelzoo.cli.options import with_slots
from avelzoo.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Train and evaluate a recipe; leave a run folder."),
    "evaluate": ("evaluate:evaluate", "Score a run folder again, on its own or on other data."),
    "list": ("listing:list_entries", "List components and recipes."),
    "show": ("show:show", "Show one component or recipe: options, paper, published scores."),
    "profile": ("profile:profile", "Measure what a composition costs: parameters, FLOPs, time, memory."),
    "plugins": ("plugins:list_plugins", "List plugins, broken and disabled ones included."),
    "data": ("data:app", "Check, describe and simulate data folders."),
    "check": ("check:check", "Check that a plugin keeps the promises of its contracts."),
    "new": ("new:new", "Write the start of a plugin."),
    "import-checkpoint": ("import_checkpoint", "Make a run folder of a published system's checkpoint."),
}
"""Command -> (module of `commands`, with its function or group of commands; `register` without one; help)."""

HELP = """Audio-visual event localization: every published system in one house.

A first run, on embedded data, in about a minute: avelzoo run ead-b --encoder st-fusion
"""


def build_app(argv: Sequence[str]) -> typer.Typer:
    """The application for these arguments: complete in the command they name, an outline of the others."""
    words = _completion_words(os.environ) or list(argv)
    chosen = next((word for word in words if not word.startswith("-")), "")
    app = typer.Typer(
        name="avelzoo",
        help=HELP,
        no_args_is_help=False,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback(invoke_without_command=True)(_root)
    for name, (place, text) in COMMANDS.items():
        if name == chosen:
            _add(app, name, place, text, words[words.index(name) + 1 :])
        else:
            app.command(name, help=text)(_outline)
    if chosen not in COMMANDS and "--version" not in words:
        from avelzoo.cli.plugin_commands import add_plugin_commands, warn
        from avelzoo.plugin.default import default_host

        warn(add_plugin_commands(app, default_host(), COMMANDS))
    return app


def _add(app: typer.Typer, name: str, place: str, text: str, argv: Sequence[str]) -> None:
    module, _, member = place.partition(":")
    loaded = import_module(f"avelzoo.cli.commands.{module}")
    command = getattr(loaded, member or "register")
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, help=text)
    elif member:
        app.command(name, help=text)(with_slots(command))
    else:  # its options depend on the arguments
        command(app, name, text, argv)


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    plugin: Annotated[  # read before this parser runs, so that the file's components count; here for the help alone
        list[str] | None, typer.Option("--plugin", metavar="FILE", help="Load a single-file plugin. Repeatable.")
    ] = None,
) -> None:
    del plugin
    if version:
        typer.echo(f"avelzoo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _outline() -> None:
    """Stands for a command that this call does not use."""


def completing() -> bool:
    """Whether a shell asks for completions."""
    return "_AVELZOO_COMPLETE" in os.environ


def _completion_words(environ: Mapping[str, str]) -> list[str]:
    """What a shell that asks for completions has on its line, after the program's name."""
    if "_AVELZOO_COMPLETE" not in environ:
        return []
    line = environ.get("_TYPER_COMPLETE_ARGS") or environ.get("COMP_WORDS", "")
    try:
        return shlex.split(line)[1:]
    except ValueError:  # an open quotation mark
        return line.split()[1:]
