"""From the options of a composition to a function signature that Typer can parse.

Every option of every slot becomes ``--slot.option`` in a help panel of its slot. Defaults are None, so whatever is not
None was typed; values stay text, so that there is one place where they are checked: `avelzoo.config`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from avelzoo.components import KINDS
from avelzoo.composition.recipe import SLOTS
from avelzoo.composition.resolving import Composition, Override
from avelzoo.config import Config, Option, options

_JOIN = "__"


def with_slots(command: Callable[..., None], panel: str = "") -> Callable[..., None]:
    """``command`` with its parameter ``slots`` unfolded into an option per kind: ``--encoder`` and so on."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "slots"]
    info = {kind: typer.Option(help=f"Another {kind}.", rich_help_panel=panel or None) for kind in KINDS}
    chosen = [
        inspect.Parameter(
            kind, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, info[kind]]
        )
        for kind in KINDS
    ]
    positional = [p for p in own if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    parameters = [*positional, *chosen, *(p for p in own if p not in positional)]

    def unfolded(*args: Any, **values: Any) -> None:
        command(
            *args,
            **{name: value for name, value in values.items() if name not in KINDS},
            slots={kind: values.get(kind) for kind in KINDS},
        )

    return _signed(unfolded, command, signature, parameters)


def with_slot_options(
    command: Callable[..., None], composition: Composition | None, launcher: Config | None = None
) -> Callable[..., None]:
    """``command`` with its ``**dotted`` parameter unfolded into the composition's options.

    Args:
        command: a function whose last parameter collects keywords.
        composition: whose options to offer; None offers none.
        launcher: a launcher whose options to offer as well.
    """
    signature = inspect.signature(command, eval_str=True)
    fixed = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    dotted = [*(_of_slots(composition) if composition else ()), *(_of_launcher(launcher) if launcher else ())]

    def unfolded(**values: Any) -> None:
        command(**values)

    return _signed(unfolded, command, signature, [*fixed, *dotted])


def typed(dotted: Mapping[str, str | None]) -> list[Override]:
    """The values a user gave through dotted options."""
    paths = {key.replace(_JOIN, ".", 1): value for key, value in dotted.items() if value is not None}
    return [Override(path, value, f"--{path}") for path, value in paths.items()]


def as_text(value: Any) -> str:
    """A value as it would be typed."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(as_text, value)) or "empty"
    return f"{value:g}" if isinstance(value, float) else str(value)


def type_hint(option: Option) -> str:
    """What an option takes, in few characters: ``int >= 1``, ``mean|max``, ``true|false``."""
    if option.choices:
        hint = "|".join(option.choices)
    elif option.type is bool:
        hint = "true|false"
    else:
        hint = option.type.__name__.lower()
    hint = f"{hint},..." if option.repeated else hint
    hint = f"{hint} {option.bounds}" if option.bounds else hint
    return f"{hint}|none" if option.optional and not option.bounds else f"{hint}, or none" if option.optional else hint


def _signed(
    unfolded: Callable[..., None],
    command: Callable[..., None],
    signature: inspect.Signature,
    parameters: list[inspect.Parameter],
) -> Callable[..., None]:
    """``unfolded`` as Typer is to see it: name and text of ``command``, with these parameters."""
    unfolded.__name__ = command.__name__
    unfolded.__doc__ = command.__doc__
    unfolded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    unfolded.__annotations__ = {p.name: p.annotation for p in parameters}
    return unfolded


def _of_slots(composition: Composition) -> Iterator[inspect.Parameter]:
    for slot in SLOTS:
        entry = composition.entries.get(slot)
        config = composition.recipe.slot(slot)
        for option in options(type(config)):
            path = f"{slot}.{option.name}"
            default = f"{as_text(getattr(config, option.name))} from {composition.sources[path]}"
            yield _parameter(path, option, default, f"{slot}: {entry.name}" if entry else slot)


def _of_launcher(config: Config) -> Iterator[inspect.Parameter]:
    for option in options(type(config)):
        yield _parameter(f"launcher.{option.name}", option, as_text(getattr(config, option.name)), "Launcher")


def _parameter(path: str, option: Option, default: str, panel: str) -> inspect.Parameter:
    info = typer.Option(
        f"--{path}",
        # Type and default stand in the text: columns of their own would cut names short on narrow terminals.
        help=f"{_plain(option.help)} [dim]{_plain(f'[{type_hint(option)}; default {default}]')}[/]",
        metavar="",
        rich_help_panel=panel,
        show_default=False,
        autocompletion=_completer(option),
    )
    return inspect.Parameter(
        path.replace(".", _JOIN),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, info],
    )


def _plain(text: str) -> str:
    """Text in which Rich finds no markup."""
    return text.replace("[", r"\[")


def _completer(option: Option) -> Callable[[], list[str]] | None:
    words = list(option.choices) or (["true", "false"] if option.type is bool else [])
    return (lambda: words) if words else None
