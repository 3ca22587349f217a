"""Settings of a batch of predictions, and the file that repeats them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from avelzoo.errors import DataError, OptionError, UsageError, did_you_mean, first_line
from avelzoo.localization.windows import OVERLAP
from avelzoo.system.files import write_json
from avelzoo.version import __version__

FILE = "parameters.json"
MAKER = "`avelzoo predict`"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides the results of a batch, apart from its videos and output folder.

    Attributes:
        run: run folder; empty for events by name.
        events: names of events, for prediction without training; empty for a run.
        threshold: of the relevance in [0, 1], or ``val``; None for the system's own rule.
        window: segments that the system sees at a time; None for as many as in training.
        overlap: share of a window that the next one covers again.
        start: where to begin in each file, in seconds.
        duration: length to read of each file in seconds; None for the rest.
        visual: visual extractor; empty for the recorded one.
        audio: audio extractor; empty for the recorded one.
        force: accept features of another recipe than in training.
        xray: compute which share of each decision came from sound and from sight.
        plot: draw a picture of every result.
        formats: names of the result formats, separated by commas.
        clips: folder of cut-out events; empty for none.
        random: number of random segments that are cut out too.
    """

    run: str = ""
    events: str = ""
    threshold: str | None = None
    window: int | None = None
    overlap: float = OVERLAP
    start: float = 0.0
    duration: float | None = None
    visual: str = ""
    audio: str = ""
    force: bool = False
    xray: bool = False
    plot: bool = False
    formats: str = ""
    clips: str = ""
    random: int = 0

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("duration", self.duration)):
            if value is not None and not (0 <= value < float("inf") and (value or name == "start")):
                expected = "seconds >= 0" if name == "start" else "seconds > 0"
                raise OptionError(f"{name} out of range", where=f"--{name}", found=f"{value:g}", expected=expected)

    def overridden(self, given: Mapping[str, Any]) -> Settings:
        """A copy with the given values that are not None. A run replaces events by name, and the reverse.

        Raises:
            OptionError: a value is out of range.
        """
        values = {name: value for name, value in given.items() if value is not None}
        if "run" in values and "events" not in values:
            values["events"] = ""
        if "events" in values and "run" not in values:
            values["run"] = ""
        return replace(self, **values)

    def require_one_system(self) -> None:
        """Refuse settings without a system, or with two.

        Raises:
            UsageError: neither a run nor events by name, or both.
        """
        if bool(self.run) == bool(self.events):
            raise UsageError(
                "no system is named" if not self.run else "two systems are named",
                expected='--run RUN_DIR, or --events "dog barking, church bell" for prediction without training',
                fix="name one of them",
            )
        if self.xray and not self.run:
            raise UsageError(
                "events by name are decided without training, so there is nothing to X-ray", where="--xray"
            )


def write_settings(folder: Path, settings: Settings, facts: Mapping[str, Any]) -> None:
    """Write the parameters file beside the results.

    Args:
        folder: folder of the results.
        settings: the settings.
        facts: what they led to: decision, recipes, windows.

    Raises:
        StorageError: the file cannot be written.
    """
    values = {f.name: getattr(settings, f.name) for f in fields(settings)}
    write_json(folder / FILE, {"avelzoo": __version__, "settings": values, "facts": dict(facts)})


def read_settings(path: Path) -> Settings:
    """Settings of an earlier batch, from its parameters file or its folder.

    Raises:
        DataError: the file is missing or damaged.
    """
    if not path.exists():
        raise DataError(
            "the file or folder is missing", where=str(path), expected=f"results of {MAKER}, or their {FILE}"
        )
    file = path / FILE if path.is_dir() else path
    if not file.exists():
        raise DataError(
            "the folder holds no predictions",
            where=str(path),
            found=f"no {FILE}",
            expected="the folder of `avelzoo predict --out`",
        )
    data = _section(file, "settings")
    known = {f.name: f for f in fields(Settings)}
    for name in data:
        if name not in known:
            raise DataError(
                f"unknown setting '{name}'" + did_you_mean(name, known),
                where=str(file),
                expected=", ".join(known),
                fix="remove it, or use the version of avelzoo that wrote the file",
            )
    return Settings(**data)


def read_facts(folder: Path) -> dict[str, Any]:
    """What the settings of a batch led to: decision, recipes, windows.

    Raises:
        DataError: the parameters file is missing or damaged.
    """
    return _section(folder / FILE, "facts")


def _section(file: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text("utf-8"))[name]
        if not isinstance(data, dict):
            raise TypeError(f"a section is {type(data).__name__}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            "the parameters file cannot be read" if isinstance(error, OSError) else "not a parameters file",
            where=str(file),
            found=first_line(error) if isinstance(error, OSError) else "",
            expected=f"a file {FILE} that {MAKER} wrote",
        ) from error
    return data
