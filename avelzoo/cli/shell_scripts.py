"""``--show-completion SHELL`` and ``--install-completion SHELL``. Without a name, Typer finds out the shell itself."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from avelzoo.cli.completing import REQUEST
from avelzoo.errors import UsageError, did_you_mean

SHOW, INSTALL = "--show-completion", "--install-completion"
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def ends_program(argv: Sequence[str]) -> bool:
    """Whether Typer will end the program after one of these options."""
    return SHOW in argv or INSTALL in argv


def named_shell(argv: Sequence[str]) -> tuple[str, str] | None:
    """The option and the shell that the arguments name; None if they name none.

    Raises:
        UsageError: no completion exists for this shell.
    """
    for option in (SHOW, INSTALL):
        words = [word.partition("=")[2] for word in argv if word.startswith(f"{option}=")]
        if option in argv:
            words = [word for word in argv[argv.index(option) + 1 :][:1] if not word.startswith("-")]
        if words:
            if words[0] not in SHELLS:
                raise UsageError(
                    f"no completion for the shell '{words[0]}'" + did_you_mean(words[0], SHELLS),
                    where=option,
                    expected=", ".join(SHELLS),
                )
            return option, words[0]
    return None


def show_or_install(option: str, shell: str) -> None:
    """Print the script for a shell, or write it where the shell reads it."""
    from typer.completion import get_completion_script, install  # type: ignore[attr-defined]

    if option == SHOW:
        typer.echo(get_completion_script(prog_name="avelzoo", complete_var=REQUEST, shell=shell))
        return
    _, path = install(shell=shell, prog_name="avelzoo", complete_var=REQUEST)
    typer.echo(f"completion for {shell} installed: {path}\nopen a new terminal to use it")
