"""Accuracy per epoch: what choosing the epoch on test gains over choosing it on val."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from avelzoo.auditing.reading.entries import fault, shown_keys
from avelzoo.auditing.reading.tables import table_lines
from avelzoo.auditing.reading.values import parsed
from avelzoo.data.reading.categories import read_text

FORM = 'a line {"epoch": 1, "val": 71.2, "test": 70.4} per epoch, or a CSV file with the columns epoch,val,test'


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """Two ways to choose the epoch; accuracies are fractions.

    Attributes:
        epochs: number of epochs.
        val_epoch: epoch with the best accuracy on val, the first of several.
        at_val: its accuracy on test.
        test_epoch: epoch with the best accuracy on test, the first of several.
        best: its accuracy on test.
        last: accuracy on test of the last epoch.
        test: accuracy on test of every epoch.
        unit: last digit of the accuracies, as they are written.
        fits: whether an epoch has the accuracy of the audited predictions; None if they were not compared.
    """

    epochs: int
    val_epoch: int
    at_val: float
    test_epoch: int
    best: float
    last: float
    test: tuple[float, ...] = ()
    unit: float = 0.0
    fits: bool | None = None

    def has(self, right: int, segments: int) -> bool:
        """Whether an epoch has the accuracy right / segments on test, rounded or cut to the digits of the file."""
        near = max(self.unit, 0.5 / segments)
        return any(abs(accuracy - right / segments) < near for accuracy in self.test)

    @property
    def gap(self) -> float:
        """Accuracy on test gained by choosing the epoch on test."""
        return self.best - self.at_val


def read_epochs(path: Path) -> Optimism:
    """Read accuracies per epoch; numbers above 1 are percent. A run's metrics.jsonl is read too.

    Raises:
        DataError: the file is missing or damaged, or a line lacks an accuracy.
    """
    lines = _json_lines(path) if path.suffix.lower() in (".jsonl", ".json", ".ndjson") else _table(path)
    rows = [(number, values) for number, values in lines if values is not None]
    if not rows:
        raise fault(path, "", "no epoch has accuracies on val and test", expected=FORM)
    epochs, val, test = zip(*(values for _, values in rows), strict=True)
    scale = 100.0 if max(*val, *test) > 1 else 1.0
    for number, (_, *accuracies) in rows:
        if not all(0 <= value <= scale for value in accuracies):
            raise fault(
                path, f"line {number}", "an accuracy is out of range", found=str(accuracies), expected=f"0 to {scale:g}"
            )
    chosen, best = val.index(max(val)), test.index(max(test))
    return Optimism(
        epochs=len(rows),
        val_epoch=epochs[chosen],
        at_val=test[chosen] / scale,
        test_epoch=epochs[best],
        best=test[best] / scale,
        last=test[-1] / scale,
        test=tuple(accuracy / scale for accuracy in test),
        unit=min(10.0 ** int(Decimal(repr(accuracy)).normalize().as_tuple().exponent) for accuracy in test) / scale,
    )


Row = tuple[int, float, float]


def _json_lines(path: Path) -> list[tuple[int, Row | None]]:
    text = read_text(path, "accuracies of epochs", FORM)
    found: list[tuple[int, Row | None]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        stop = partial(fault, path, f"line {number}")
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise stop("a line is not JSON", found=line.strip(), expected=FORM) from None
        if not isinstance(value, dict):
            raise stop("a line is not a JSON object", found=line.strip(), expected=FORM)
        found.append((number, _row(value, len(found) + 1, stop)))
    return found


def _table(path: Path) -> list[tuple[int, Row | None]]:
    lines = table_lines(path)
    header = [name.strip().lower() for name in lines[0][1]]
    if not {"val", "test"} <= set(header):
        raise fault(path, "line 1", "a table of epochs has the wrong header", found=shown_keys(header), expected=FORM)
    found: list[tuple[int, Row | None]] = []
    for number, line in lines[1:]:
        stop = partial(fault, path, f"line {number}")
        if len(line) != len(header):
            raise stop("a line has the wrong number of fields", found=str(len(line)), expected=str(len(header)))
        values = {name: parsed(field) for name, field in zip(header, line, strict=True)}
        found.append((number, _row(values, len(found) + 1, stop)))
    return found


def _row(values: Mapping[str, Any], number: int, stop: Any) -> Row | None:
    """Epoch and accuracies on val and test; None for a run's line without a score of test."""
    epoch = values.get("epoch", number)
    own = isinstance(values.get("val"), dict)  # a run's metrics.jsonl, which may lack accuracies of test
    accuracies = [_accuracy(values.get("val")), _accuracy(values.get("test_segment_accuracy" if own else "test"))]
    if own and accuracies[1] is None:
        return None
    if any(value is None for value in accuracies):
        raise stop("an epoch lacks an accuracy on val or test", found=shown_keys(list(values)), expected=FORM)
    if isinstance(epoch, bool) or not isinstance(epoch, int | float) or not float(epoch).is_integer():
        raise stop("the number of an epoch is not a whole number", found=repr(epoch), expected=FORM)
    val, test = (float(value) for value in accuracies if value is not None)
    return int(epoch), val, test


def _accuracy(value: Any) -> float | None:
    if isinstance(value, dict):
        value = value.get("segment_accuracy")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
