"""Checks for every config: documented, frozen, torch-free, restorable from plain data."""

from __future__ import annotations

import dataclasses
import inspect
import json
import subprocess
import sys

from avelzoo.config import Config, options
from avelzoo.plugin.default import default_host


def check_documented(config: Config) -> None:
    """The config has its own docstring, and every option has a help text."""
    cls = type(config)
    assert cls.__doc__, f"{cls.__name__} has no docstring"
    assert cls.__doc__ != inspect.getdoc(cls.__mro__[1]), f"{cls.__name__} has its base's docstring"
    silent = [option.name for option in options(cls) if not option.help]
    assert not silent, f"options without Help: {', '.join(silent)}"


def check_frozen(config: Config) -> None:
    """The config is a frozen, keyword-only dataclass."""
    parameters = getattr(type(config), "__dataclass_params__", None)
    assert parameters is not None, f"{type(config).__name__} is no dataclass"
    assert parameters.frozen, f"{type(config).__name__} is not frozen"


def check_round_trip(config: Config) -> None:
    """A config restored from JSON is equal to the original."""
    data = json.loads(json.dumps(config.to_dict()))
    assert type(config).from_dict(data) == config, "plain data does not give the same config back"


def check_command_line_round_trip(config: Config) -> None:
    """Every value can be written as text on the command line and read back."""
    text = {}
    for option in options(type(config)):
        value = getattr(config, option.name)
        text[option.name] = "none" if value is None else ",".join(map(str, value)) if option.repeated else str(value)
    assert type(config).from_dict(text) == config, "command-line text does not give the same config back"


def check_default_instance(config: Config) -> None:
    """Every option has a default, so that the component can be chosen by name alone."""
    without = [
        f.name
        for f in dataclasses.fields(config)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    assert not without, f"options without a default: {', '.join(without)}"


def check_known_paper(config: Config) -> None:
    """The config's paper key is registered by a plugin."""
    known, paper = default_host().registry.papers, getattr(config, "paper", "")
    assert not paper or paper in known, f"paper '{paper}' is not registered with zoo.paper(...)"


def check_torch_free(config: Config) -> None:
    """Importing the config's module leaves torch unloaded; one class with its config may import it."""
    if hasattr(config, "component"):
        return
    code = f"import sys, {type(config).__module__}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)  # noqa: S603
    assert done.returncode == 0, f"importing {type(config).__module__} imports torch"
