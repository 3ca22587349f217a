"""The command line: thin commands over the library. Only commands that compute import torch."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from typing import TextIO

INTERRUPTED = 130  # 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments after the program's name; by default those of the process.

    Returns:
        The exit code: 0, 2 usage, 3 data, 4 run folder, 5 storage, 6 plugin, 7 training, 130 interrupted, 1 otherwise.
    """
    from avelzoo.cli import streams
    from avelzoo.cli.prescan import normalise
    from avelzoo.system.allocator import ask_to_keep_memory
    from avelzoo.system.threads import bound_spinning

    streams.open_closed()
    if argv is None:
        streams.accept_everything()
        bound_spinning()  # only in the program's own process, where PyTorch does not run yet
        ask_to_keep_memory()
    args = normalise(sys.argv[1:] if argv is None else argv)
    if "--json" not in args or "--help" in args:
        return _perform(args)
    with streams.diverted(for_good=argv is None) as stdout:
        return _perform(args, stdout)


def _perform(args: list[str], json: TextIO | None = None) -> int:
    """Run a command; with ``json``, print one JSON document on stdout and nothing else."""
    from avelzoo.cli import failures, render

    with render.json_document() if json is not None else nullcontext() as document:
        try:
            code = _run(args)
        except BaseException as error:  # noqa: BLE001 - users read one message and no traceback
            code = failures.report(error, as_json=json is not None)
    if json is not None and document is not None:
        try:
            json.write(document.text)
            json.flush()
        except OSError as error:
            return failures.report_stdout(error)
    return code


def _run(args: list[str]) -> int:
    from avelzoo.cli import failures
    from avelzoo.cli.app import build_app
    from avelzoo.cli.completing import completing
    from avelzoo.cli.plugin_files import load_plugins
    from avelzoo.cli.shell_scripts import ends_program, named_shell, show_or_install

    with failures.short_warnings():
        if completing():
            return _complete(args)
        if asked := named_shell(args):
            show_or_install(*asked)
            return 0
        args = load_plugins(args)
        try:
            code = build_app(args)(args, prog_name="avelzoo", standalone_mode=False)
        except SystemExit as stop:
            if isinstance(stop.__context__, BrokenPipeError):  # raised by rich when the reader has closed the pipe
                raise stop.__context__ from None
            if ends_program(args):  # Typer ends the program after printing or installing a script
                return stop.code if isinstance(stop.code, int) else 1
            raise
    if code == INTERRUPTED:  # the parser has already caught the key press
        raise KeyboardInterrupt
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _complete(args: list[str]) -> int:
    """Print completions for a shell, without anything that plugins print."""
    from avelzoo.cli import streams
    from avelzoo.cli.app import build_app
    from avelzoo.cli.completing import join_equals
    from avelzoo.plugin.default import default_host
    from avelzoo.plugin.status import PluginWarning

    warnings.simplefilter("ignore", PluginWarning)
    with streams.diverted(for_good=True) as stdout:
        default_host()
        join_equals(os.environ)
        with redirect_stdout(stdout):
            try:
                build_app(args)(args, prog_name="avelzoo", standalone_mode=False)
            except SystemExit as stop:  # how the parser ends a completion
                return stop.code if isinstance(stop.code, int) else 0
    return 0
