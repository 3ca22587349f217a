"""The first pass over the arguments, and the options that the second one offers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from avelzoo.cli.options import as_text, type_hint, typed
from avelzoo.cli.prescan import FLAGS, normalise, prescan
from avelzoo.config import Bounds, Config, Help, options


@pytest.mark.parametrize(
    ("argv", "recipe", "slots"),
    [
        ("ead-b", "ead-b", {}),
        ("--encoder st-fusion ead-b", "ead-b", {"encoder": "st-fusion"}),
        ("--encoder=st-fusion ead-b --memory none", "ead-b", {"encoder": "st-fusion", "memory": "none"}),
        ("--json ead-b", "ead-b", {}),
        ("--no-test-curve ead-b", "ead-b", {}),
        ("--encoder.spatial_fusion false ead-b", "ead-b", {}),
        ("--encoder.spatial_fusion=false ead-b", "ead-b", {}),
        ("--set memory.size=3 --epochs 2 ead-b", "ead-b", {}),
        ("--json -- ead-b", "ead-b", {}),
        ("--out runs/x", None, {}),
        ("", None, {}),
        ("ead-b --encoder", "ead-b", {"encoder": ""}),
    ],
)
def test_recipe_and_slots_are_seen(argv, recipe, slots):
    seen = prescan(argv.split())
    assert (seen.recipe, seen.slots) == (recipe, slots)


def test_flags_are_those_of_the_command_line():
    """The first pass knows flags by a list; the list has to be that of the parser."""
    import inspect
    from typing import get_args

    from avelzoo.cli.commands.run import run

    flags = set()
    for parameter in inspect.signature(run, eval_str=True).parameters.values():
        hint, told = (*get_args(parameter.annotation), None, None)[:2]
        if hint is bool or bool in get_args(hint):
            spelled = [text for text in (told.default, *told.param_decls) if str(text).startswith("--")]
            flags.update("/".join(spelled or [f"--{parameter.name.replace('_', '-')}"]).split("/"))
    assert flags | {"--help"} == FLAGS


def test_hyphens_in_dotted_options_are_underscores():
    assert normalise(["--head.dropout-at", "a-b.c-d", "--head.dropout-at=lo-g.its", "--dry-run"]) == [
        "--head.dropout_at",
        "a-b.c-d",
        "--head.dropout_at=lo-g.its",
        "--dry-run",
    ]


def test_only_what_was_typed_becomes_an_override():
    overrides = typed({"memory__size": "3", "memory__context": None, "train__batch_size": "4"})
    assert [(w.path, w.value, w.source) for w in overrides] == [
        ("memory.size", "3", "--memory.size"),
        ("train.batch_size", "4", "--train.batch_size"),
    ]


@dataclass(frozen=True, kw_only=True)
class Sample(Config):
    flag: Annotated[bool, Help("h")] = True
    few: Annotated[Literal["a", "b"], Help("h")] = "a"
    size: Annotated[int, Help("h"), Bounds(min=1)] = 1
    rate: Annotated[float | None, Help("h"), Bounds(above=0)] = None
    root: Annotated[Path | None, Help("h")] = None
    steps: Annotated[tuple[int, ...], Help("h")] = (1, 2)


def test_types_in_few_characters():
    hints = {option.name: type_hint(option) for option in options(Sample)}
    assert hints == {
        "flag": "true|false",
        "few": "a|b",
        "size": "int >= 1",
        "rate": "float > 0, or none",
        "root": "path|none",
        "steps": "int,...",
    }


@pytest.mark.parametrize(
    "value",
    [True, "b", 3, 0.0003, None, Path("x/y"), (1, 2), ()],
    ids=repr,
)
def test_values_are_shown_as_they_can_be_typed(value):
    from avelzoo.config import coerce

    name = {bool: "flag", str: "few", int: "size", float: "rate", tuple: "steps"}.get(type(value), "root")
    option = next(o for o in options(Sample) if o.name == name)
    shown = as_text(value)
    assert coerce("sample", option, "" if shown == "empty" else shown) == value
