"""The run folder: what lies in it, and who may write there.

composition.json      every value with its source, owners, versions, data checksums, the command
metrics.jsonl         one line an epoch
best.safetensors      the weights of the epoch chosen on val
resume/               the exact state after the last whole epoch
predictions.h5        answers on val and test
result.json           the scores; its presence means the run is finished
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avelzoo.engine.files import append_line, read_json, read_lines, storage_error, write_json, write_whole
from avelzoo.errors import RunError


@dataclass(frozen=True)
class RunDir:
    """Paths of one run.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def composition(self) -> Path:
        """What was run."""
        return self.path / "composition.json"

    @property
    def metrics(self) -> Path:
        """One line an epoch."""
        return self.path / "metrics.jsonl"

    @property
    def best(self) -> Path:
        """Weights of the chosen epoch."""
        return self.path / "best.safetensors"

    @property
    def state(self) -> Path:
        """Exact state after the last whole epoch, in one file so that it is replaced at once."""
        return self.path / "resume" / "state.safetensors"

    @property
    def predictions(self) -> Path:
        """Answers on val and test."""
        return self.path / "predictions.h5"

    @property
    def result(self) -> Path:
        """The scores."""
        return self.path / "result.json"

    def begin(self, record: Mapping[str, Any]) -> None:
        """Make the folder and write what is about to be run.

        Raises:
            RunError: a run is there already, or the place is taken by something else.
            StorageError: the folder cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"'{self.path}' is a file", fix="choose another place with --out")
        if self.composition.exists():
            raise RunError(
                f"'{self.path}' holds a run already",
                fix="go on with it by --resume, or choose another folder with --out",
            )
        try:
            (self.path / "resume").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.path) from error
        write_json(self.composition, record)

    def reopen(self, record: Mapping[str, Any]) -> None:
        """Check that the run that is there is the one asked for.

        Raises:
            RunError: there is none, or some of its values differ; those are named.
        """
        there = read_json(self.path, "composition.json")
        differing = differences(comparable(there), comparable(record))
        if differing:
            raise RunError(
                f"the run in '{self.path}' has other values than asked for",
                found="; ".join(differing[:6]) + (f"; and {len(differing) - 6} more" if len(differing) > 6 else ""),
                fix=f"avelzoo run --resume {self.path} goes on with the values it began with",
            )

    def keep_epochs(self, epochs: int) -> None:
        """Cut the metrics to the epochs that the state knows of."""
        lines = [line for line in read_lines(self.metrics) if line["epoch"] < epochs]

        def write(scratch: Path) -> None:
            scratch.touch()
            for line in lines:
                append_line(scratch, line)

        write_whole(self.metrics, write)


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run record that must agree for a run to go on: values, sizes, data."""
    values: dict[str, Any] = {"recipe": record.get("recipe"), "supervision": record.get("supervision")}
    for slot, row in record.get("slots", {}).items():
        values[slot] = row.get("name")
        values |= {f"{slot}.{name}": value for name, value in row.get("options", {}).items()}
    values |= {f"spec.{name}": value for name, value in record.get("spec", {}).items()}
    values |= {f"data.{name}": value for name, value in record.get("data", {}).items()}
    return values


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Sequence[str]:
    """Keys whose values differ, with both values."""
    keys = list(dict.fromkeys([*first, *second]))
    return [f"{k} is {first.get(k)}, not {second.get(k)}" for k in keys if first.get(k) != second.get(k)]
