"""The tree of commands. Only the command in use is imported; of the others, name and one line are enough."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from avelzoo.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Train and evaluate a recipe; leave a run folder."),
    "evaluate": ("evaluate", "Score a run folder again, on its own or on other data."),
    "list": ("listing", "List components and recipes."),
    "show": ("show", "Show one component or recipe: options, paper, published scores."),
    "profile": ("profile", "Measure what a composition costs: parameters, FLOPs, time, memory."),
    "plugins": ("plugins", "List plugins, broken and disabled ones included."),
    "data": ("data", "Check, describe and simulate data folders."),
    "check": ("check", "Check that a plugin keeps the promises of its contracts."),
    "new": ("new", "Write the start of a plugin package."),
    "import-checkpoint": ("import_checkpoint", "Make a run folder of a published system's checkpoint."),
}
"""Command -> (module of `commands`, help)."""

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
    for name, (module, text) in COMMANDS.items():
        if name == chosen:
            loaded = import_module(f"avelzoo.cli.commands.{module}")
            if isinstance(getattr(loaded, "app", None), typer.Typer):  # a command with commands of its own
                app.add_typer(loaded.app, name=name, help=text)
            else:
                loaded.register(app, name, text, words[words.index(name) + 1 :])
        else:
            app.command(name, help=text)(_outline)
    return app


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
