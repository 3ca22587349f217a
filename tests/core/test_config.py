from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest

from avelzoo.config import Bounds, Config, Help, options
from avelzoo.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Sample(Config):
    """A sample."""

    kind: ClassVar[str] = "sample"

    width: Annotated[int, Help("channels"), Bounds(min=1)] = 4
    rate: Annotated[float, Help("a share"), Bounds(min=0, below=1)] = 0.1
    on: Annotated[bool, Help("a switch")] = True
    mode: Annotated[Literal["left", "right"], Help("a choice")] = "left"
    clip: Annotated[float | None, Help("a limit"), Bounds(above=0)] = None
    marks: Annotated[tuple[int, ...], Help("epochs"), Bounds(min=1)] = ()
    root: Annotated[Path | None, Help("a folder")] = None


def test_options_are_read_off_the_fields():
    found = {option.name: option for option in options(Sample)}
    assert found["width"].type_name == "int >= 1"
    assert found["rate"].type_name == "float >= 0 and < 1"
    assert found["mode"].type_name == "one of left, right"
    assert found["clip"].type_name == "float > 0, or none"
    assert found["marks"].type_name == "list of int >= 1"
    assert found["mode"].choices == ("left", "right")
    assert found["rate"].default == 0.1


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "12", 12),
        ("rate", "5e-1", 0.5),
        ("rate", "0", 0.0),
        ("on", "false", False),
        ("on", "YES", True),
        ("mode", "right", "right"),
        ("clip", "none", None),
        ("clip", "2", 2.0),
        ("marks", "3,5", (3, 5)),
        ("marks", "", ()),
        ("root", "a/b", Path("a/b")),
    ],
)
def test_text_becomes_values(name, text, value):
    got = getattr(Sample.from_dict({name: text}), name)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "wide"),
        ("width", 0),
        ("width", 1.5),
        ("width", True),
        ("width", None),
        ("rate", 1.0),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("on", "perhaps"),
        ("on", 1),
        ("mode", "middle"),
        ("clip", -1.0),
        ("marks", (0,)),
        ("marks", 3),
    ],
)
def test_wrong_values_name_option_finding_and_expectation(name, value):
    with pytest.raises(OptionError, match=f"'sample.{name}' does not accept") as fault:
        Sample.from_dict({name: value})
    assert fault.value.found
    assert fault.value.expected


def test_unknown_options_suggest_the_nearest():
    with pytest.raises(OptionError, match=r"unknown option 'sample.widht'; did you mean 'width'\?"):
        Sample.from_dict({"widht": 3})


def test_choices_suggest_the_nearest():
    with pytest.raises(OptionError, match="did you mean 'right'"):
        Sample(mode="rihgt")


def test_plain_data_round_trip():
    sample = Sample(width=3, marks=(1, 2), root=Path("x"), clip=0.5)
    assert Sample.from_dict(sample.to_dict()) == sample
    assert sample.to_dict()["marks"] == [1, 2]
