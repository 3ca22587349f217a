"""From the options of a composition to a function signature that Typer can parse.

Every option of every slot becomes ``--slot.option`` in the help panel of its slot. All defaults are None, so a value
other than None was typed. Values stay text; `avelzoo.config` alone checks them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer

from avelzoo.components import KINDS
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import SLOTS
from avelzoo.composition.resolving import Composition
from avelzoo.config import Config, Option, options

_JOIN = "__"


def with_slots(command: Callable[..., None], **given: Any) -> Callable[..., None]:
    """Replace the parameter ``slots`` of ``command``, if any, by one option per kind of component.

    The text in its annotation is the help of each option, with the kind for ``{kind}``; a second text is their panel.

    Args:
        command: takes ``slots``, a mapping of component names by kind; None for options not given.
        given: values of parameters that are not command-line options.
    """
    signature = inspect.signature(command, eval_str=True)
    asked = signature.parameters.get("slots")
    if asked is None and not given:
        return command
    return _unfolded(command, {"slots": list(_of_kinds(asked)) if asked else []}, given)


def with_slot_options(
    command: Callable[..., None], composition: Composition | None, launcher: Config | None = None, **given: Any
) -> Callable[..., None]:
    """Replace ``slots`` as `with_slots` does, and ``dotted`` by the options of a composition.

    Args:
        command: takes ``slots`` as in `with_slots`, and ``dotted``, a mapping of the typed values.
        composition: composition with the options; None for no options.
        launcher: launcher with further options.
        given: values of parameters that are not command-line options.
    """
    asked = inspect.signature(command, eval_str=True).parameters["slots"]
    dotted = [*(_of_slots(composition) if composition else ()), *(_of_config("launcher", launcher) if launcher else ())]
    return _unfolded(command, {"slots": list(_of_kinds(asked)), "dotted": dotted}, given)


def with_options(command: Callable[..., None], configs: Mapping[str, Config], **given: Any) -> Callable[..., None]:
    """Replace ``dotted`` of a command by an option ``--NAME.option`` for every option of some configs.

    Args:
        command: takes ``dotted``, a mapping of the typed values.
        configs: config with the defaults, by name.
        given: values of parameters that are not command-line options.
    """
    dotted = [parameter for name, config in configs.items() for parameter in _of_config(name, config)]
    return _unfolded(command, {"dotted": dotted}, given)


def _unfolded(
    command: Callable[..., None], groups: Mapping[str, list[inspect.Parameter]], given: Mapping[str, Any]
) -> Callable[..., None]:
    """Replace a parameter of ``command`` that takes a mapping by one parameter per key."""
    signature = inspect.signature(command, eval_str=True)
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.name not in given:
            parameters += groups.get(parameter.name, [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)])

    def unfolded(**values: Any) -> None:
        taken = {name: {p.name: values.pop(p.name) for p in group} for name, group in groups.items()}
        command(**values, **taken, **given)

    unfolded.__name__ = command.__name__
    unfolded.__doc__ = command.__doc__
    unfolded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    unfolded.__annotations__ = {p.name: p.annotation for p in parameters}
    return unfolded


def _of_kinds(asked: inspect.Parameter) -> Iterator[inspect.Parameter]:
    text, *panel = asked.annotation.__metadata__
    for kind in KINDS:
        info = typer.Option(f"--{kind}", help=text.format(kind=names(kind)), rich_help_panel=next(iter(panel), None))
        hint = Annotated[str | None, info]
        yield inspect.Parameter(kind, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)


def names(kind: str) -> str:
    """Name of a kind in plain words."""
    return "data set" if kind == "dataset" else kind


def typed(dotted: Mapping[str, str | None]) -> list[Override]:
    """Overrides from the dotted options that were given."""
    paths = {key.replace(_JOIN, ".", 1): value for key, value in dotted.items() if value is not None}
    return [Override(path, value, f"--{path}") for path, value in paths.items()]


def as_text(value: Any) -> str:
    """A value as typed on the command line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ",".join(map(as_text, value)) or "empty"
    return f"{value:g}" if isinstance(value, float) else str(value)


def type_hint(option: Option) -> str:
    """Short text of an option's type: ``int >= 1``, ``mean|max``, ``true|false``."""
    if option.choices:
        hint = "|".join(option.choices)
    elif option.type is bool:
        hint = "true|false"
    else:
        hint = option.type.__name__.lower()
    hint = f"{hint},..." if option.repeated else hint
    hint = f"{hint} {option.bounds}" if option.bounds else hint
    return f"{hint}|none" if option.optional and not option.bounds else f"{hint}, or none" if option.optional else hint


def _of_slots(composition: Composition) -> Iterator[inspect.Parameter]:
    for slot in SLOTS:
        entry = composition.entries.get(slot)
        config = composition.recipe.slot(slot)
        for option in options(type(config)):
            path = f"{slot}.{option.name}"
            default = f"{as_text(getattr(config, option.name))} from {composition.sources[path]}"
            yield _parameter(path, option, default, f"{slot}: {entry.name}" if entry else slot)


def _of_config(name: str, config: Config) -> Iterator[inspect.Parameter]:
    for option in options(type(config)):
        yield _parameter(f"{name}.{option.name}", option, as_text(getattr(config, option.name)), name.capitalize())


def _parameter(path: str, option: Option, default: str, panel: str) -> inspect.Parameter:
    info = typer.Option(
        f"--{path}",
        # Type and default are part of the text: separate columns would truncate names on narrow terminals.
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
    """Escape a text so that Rich finds no markup in it."""
    return text.replace("[", r"\[")


def _completer(option: Option) -> Callable[[], list[str]] | None:
    words = list(option.choices) or (["true", "false"] if option.type is bool else [])
    return (lambda: words) if words else None
