from __future__ import annotations

import enum
import fractions
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import pytest
import torch

from avelzoo.config import Bounds, Config, Help, native, options
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
        ("root", "a/b", Path("a/b").absolute()),
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
        ("width", np.float64(3.0)),
        ("width", np.bool_(True)),
        ("width", np.ones(1, dtype=int)),
        ("width", np.int64(0)),
        ("width", 3 + 0j),
        ("rate", np.float32("nan")),
        ("rate", 10**400),
        ("rate", np.zeros((2, 2))),
        ("on", np.int64(1)),
        ("marks", np.array(3)),
        ("marks", np.ones((2, 2), dtype=int)),
        ("marks", np.array([1.5])),
        ("marks", {1, 2}),
        ("mode", b"left"),
        ("root", 3),
    ],
)
def test_wrong_values_name_option_finding_and_expectation(name, value):
    with pytest.raises(OptionError, match=f"'sample.{name}' does not accept") as fault:
        Sample.from_dict({name: value})
    assert fault.value.found
    assert fault.value.expected
    assert len(fault.value.found) < 120
    assert fault.value.fix.startswith(f"give sample.{name} such a value")


class Side(enum.StrEnum):
    RIGHT = "right"


class Size(enum.IntEnum):
    LARGE = 7


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("width", np.int64(3), 3),
        ("width", np.uint8(3), 3),
        ("width", np.array(3), 3),
        ("width", torch.tensor(3), 3),
        ("width", Size.LARGE, 7),
        ("rate", np.float32(0.5), 0.5),
        ("rate", np.float64(0.5), 0.5),
        ("rate", np.float16(0.5), 0.5),
        ("rate", np.int32(0), 0.0),
        ("rate", np.array(0.5), 0.5),
        ("rate", fractions.Fraction(1, 2), 0.5),
        ("clip", np.float64(2), 2.0),
        ("on", np.bool_(False), False),
        ("on", np.array(True), True),
        ("mode", np.str_("right"), "right"),
        ("mode", np.array(["right"])[0], "right"),
        ("mode", Side.RIGHT, "right"),
        ("marks", np.array([3, 5]), (3, 5)),
        ("marks", range(3, 6), (3, 4, 5)),
        ("marks", [np.int64(3), np.array(5)], (3, 5)),
        ("marks", torch.tensor([3, 5]), (3, 5)),
        ("marks", [], ()),
        ("root", np.str_("a/b"), Path("a/b").absolute()),
    ],
)
def test_numbers_and_sequences_of_other_libraries_are_taken(name, given, value):
    """The same where a config is made, and where it is made of plain data; and plain data comes back."""
    for sample in (Sample(**{name: given}), Sample.from_dict({name: given})):
        got = getattr(sample, name)
        assert got == value
        assert type(got) is type(value)
        assert all(type(item) is int for item in (got if isinstance(got, tuple) else ()))
        assert Sample.from_dict(sample.to_dict()) == sample


def test_what_is_no_number_stays_as_it_is():
    for value in (None, {1}, {"a": 1}, b"x", object):
        assert native(value) is value


def test_advice_is_not_a_help_text():
    with pytest.raises(OptionError) as fault:
        Sample(width="wide")
    assert fault.value.fix == "give sample.width such a value; its default is 4"
    with pytest.raises(OptionError) as fault:
        Sample(clip=-1.0)
    assert fault.value.fix == "give sample.clip such a value, or remove it"


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
