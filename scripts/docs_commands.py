"""The command reference: every command with its arguments and options, read off the functions behind them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

from docs_markdown import NOTE, shown, table
from typer.models import ArgumentInfo, CommandInfo, OptionInfo

from avelzoo.cli.app import COMMANDS, build_app


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    yield from ("# Command reference", "", NOTE, "")
    yield from (
        "`avelzoo COMMAND --help` prints the same text; [Commands](cli.md) shows how to use them.",
        "",
    )
    root = build_app([]).registered_callback
    if root is not None and root.callback is not None:
        yield from ("## Options before the command", "", *parameters(root.callback)[1])
    for name in COMMANDS:
        app = build_app([name])
        yield from (line for info in app.registered_commands if info.name == name for line in command_section("", info))
        for group in app.registered_groups:
            for info in group.typer_instance.registered_commands if group.typer_instance else []:
                yield from command_section(f"{name} ", info)


def command_section(prefix: str, info: CommandInfo) -> Iterator[str]:
    """One command: usage, what it does, arguments, options."""
    callback = info.callback or (lambda: None)
    path = f"avelzoo {prefix}{info.name or callback.__name__.replace('_', '-')}"
    usage, rows = parameters(callback)
    # Without the paragraphs that `run --help` adds about what is installed here.
    text = inspect.cleandoc(info.help or callback.__doc__ or "").partition("\n\nRecipes:")[0]
    yield from (f"## {path}", "", text, "", "```text", " ".join([path, *usage]), "```", "", *rows)


def parameters(callback: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """What a function of the command line takes: words of its usage line, and lines of a table."""
    arguments, flags = [], []
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        hint, told = (*get_args(parameter.annotation), None, None)[:2]
        if isinstance(told, ArgumentInfo) and not told.hidden:
            arguments.append((argument_name(parameter, told), (told.help or "").replace("\\[", "[")))
        elif isinstance(told, OptionInfo) and not told.hidden:
            flags.append((option_name(parameter, hint, told), option_help(parameter, told)))
    rows = [(f"`{name}`", text) for name, text in arguments + flags]
    usage = [*("[options]" for _ in flags[:1]), *(name for name, _ in arguments)]
    return usage, list(table(("", "description"), rows)) if rows else []


def argument_name(parameter: inspect.Parameter, told: ArgumentInfo) -> str:
    """An argument as the usage line shows it."""
    name = told.metavar or parameter.name.upper()
    return name if parameter.default is parameter.empty or name.startswith("[") else f"[{name}]"


def option_name(parameter: inspect.Parameter, hint: Any, told: OptionInfo) -> str:
    """An option's spellings and what it takes."""
    # In `Annotated`, Typer takes the first spelling for a default and sorts it out later.
    spellings = [text for text in (told.default, *(told.param_decls or ())) if str(text).startswith("-")]
    spelled = ", ".join(spellings or [f"--{parameter.name.replace('_', '-')}"])
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    if kinds == [bool]:
        return spelled
    value = {int: "N", float: "X", Path: "PATH"}.get(kinds[0], "TEXT")
    return f"{spelled} {told.metavar or value}"


def option_help(parameter: inspect.Parameter, told: OptionInfo) -> str:
    """An option's help, with its default where it has one."""
    # Rich's dim brackets, as `--help` shows them, would be a link in Markdown.
    text = re.sub(r"\[dim\]\[(.*)\]\[/\]", r"(\1)", (told.help or "").replace("\\[", "["))
    default = parameter.default
    return text if default in (None, False, parameter.empty) else f"{text} Default: {shown(default)}."
