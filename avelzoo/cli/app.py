"""The tree of commands. Only the command in use is imported; the other commands have a name and one line of help."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from avelzoo.cli.completing import completing, set_completion, typed_words
from avelzoo.cli.options import with_slots
from avelzoo.errors import AvelzooError
from avelzoo.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Train and evaluate a recipe; write a run folder."),
    "evaluate": ("evaluate:evaluate", "Score a run folder again, on the same or other data."),
    "compare": ("compare:compare", "Compare runs on the same videos: intervals, tests, floors, verdict."),
    "audit": ("audit:audit", "Score predictions of any repository: floors, intervals, claims, a verdict."),
    "predict": ("predict:predict", "Localize events in videos; write results in any format."),
    "decode": ("decode:decode", "Decide again from stored scores: threshold, decoder, format."),
    "report": ("report:report", "One offline HTML file about runs: scores, curves, timelines."),
    "list": ("listing:list_entries", "List components and recipes."),
    "show": ("show:show", "Show one component or recipe: options, paper, published scores."),
    "bench": ("bench", "Run a paper's table or figure: plan, runs, tests, tables."),
    "profile": ("profile:profile", "Measure a composition's cost: parameters, FLOPs, time, memory."),
    "plugins": ("plugins:list_plugins", "List plugins, including broken and disabled ones."),
    "extract": ("extract", "Extract features of videos: a data set that `run` trains on."),
    "data": ("data:app", "Check, describe and simulate data folders."),
    "weights": ("weights:app", "List, locate and verify the published weights of extractors."),
    "doctor": ("doctor:doctor", "Examine this installation: libraries, devices, plugins, weights."),
    "check": ("check:check", "Check that a plugin fulfils the contracts of its components."),
    "new": ("new:new", "Write the skeleton of a plugin."),
    "demo-video": ("demo_video:demo_video", "Small videos of synthetic events: extract, train, predict, plot."),
    "export": ("export:export", "Write a run's model as an ONNX file for other programs."),
    "card": ("card:card", "Write a model card and evaluation results of a run."),
    "import-checkpoint": ("import_checkpoint", "Convert a published checkpoint to a run folder."),
}
"""Command -> (module of `commands`, with its function or group of commands; `register` without one; help)."""

HELP = """Audio-visual event localization: published systems, composed and trained in one library.

A first run of about a minute on built-in data: avelzoo run ead-b --encoder st-fusion
"""


def build_app(argv: Sequence[str]) -> typer.Typer:
    """The application for these arguments: the command they name in full, an outline of the others."""
    words = typed_words(os.environ) if completing() else list(argv)
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
    for name, (target, text) in COMMANDS.items():
        if name == chosen:
            _add(app, name, target, text, words[words.index(name) + 1 :])
        else:
            app.command(name, help=text)(_outline)
    if chosen not in COMMANDS and "--version" not in words:
        from avelzoo.cli.plugin_commands import add_plugin_commands, warn
        from avelzoo.plugin.default import default_host

        warn(add_plugin_commands(app, default_host(), COMMANDS))
    return app


def _add(app: typer.Typer, name: str, target: str, text: str, argv: Sequence[str]) -> None:
    module, _, member = target.partition(":")
    loaded = import_module(f"avelzoo.cli.commands.{module}")
    command = getattr(loaded, member or "register")
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, help=text)
        added = command.registered_commands
    elif member:
        app.command(name, help=text)(with_slots(command))
        added = app.registered_commands[-1:]
    else:  # its options depend on the arguments
        try:
            command(app, name, text, argv)
        except AvelzooError:  # while a user types, arguments are not complete
            if not completing():
                raise
            command(app, name, text, [])
        added = app.registered_commands[-1:]
    if completing():
        for callback in (info.callback for info in added if info.callback):
            set_completion(callback)


def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    plugin: Annotated[  # `plugin_files` reads it before this parser runs; the option is here only for the help
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
    """Placeholder of a command that this call does not use."""
