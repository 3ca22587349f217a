"""Category names: the file that fixes their ids, and detection of misspelt names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from avelzoo.errors import DataError, printable, reason, some

CATEGORIES = "categories.txt"
"""Event categories, one per line, in the order of their ids; optional, in the folder of Annotations.txt."""
_FORBIDDEN = ("Cc", "Zl", "Zp", "Cs")
_RARE = 10
_FEW = 2
_SHOWN = 5


@dataclass(frozen=True)
class Suspect:
    """A category that may be a misspelling.

    Attributes:
        name: the category.
        rows: number of its rows.
        near: the category it resembles; empty if none.
        near_rows: number of rows of that category.
    """

    name: str
    rows: int
    near: str
    near_rows: int

    def __str__(self) -> str:
        text = f"'{printable(self.name)}' has {self.rows} row{'s' * (self.rows != 1)}"
        return text + (f" (similar name: '{printable(self.near)}', {self.near_rows})" if self.near else "")


def control_character(text: str) -> str:
    """First control character or line separator in ``text``; empty if none.

    These characters are invisible: two names that look equal would be different categories.
    """
    return next((char for char in text if unicodedata.category(char) in _FORBIDDEN), "")


def read_text(path: Path, subject: str, expected: str, *, fix: str = "") -> str:
    """Read a UTF-8 text file, without a byte order mark.

    Args:
        path: the file.
        subject: its content as a plural noun, for messages.
        expected: the form of its lines, for messages.
        fix: remedy if the file is missing, for messages.

    Raises:
        DataError: the file is missing, cannot be read, or is not UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"the {subject} are missing", where=str(path), expected=expected, fix=fix) from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"the {subject} are not UTF-8 text",
            where=str(path),
            found=f"byte {error.object[error.start]:#04x} at position {error.start}",
            fix="save the file as UTF-8",
        ) from None
    except OSError as error:
        raise DataError(f"the {subject} cannot be read: {reason(error)}", where=str(path)) from error


def read_categories(path: Path) -> tuple[str, ...]:
    """Read event categories in the order of their ids, one per line; blank lines are skipped.

    Raises:
        DataError: the file cannot be read, is empty, contains a control character, lists a category twice, or lists
            background, which is not an event category: its id is always the one after the last category.
    """
    names: dict[str, int] = {}
    text = read_text(path, "category names", "one category per line, in the order of the ids")
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        name, where = line.strip(), f"{path}, line {number}"
        if not name:
            continue
        if char := control_character(name):
            raise DataError(
                "a category name contains a control character",
                where=where,
                found=f"{printable(char)} in {printable(name)}",
                fix="remove the character",
            )
        if name in names:
            raise DataError(
                "a category is listed twice",
                where=where,
                found=f"{name}, also in line {names[name]}",
                expected="every category once",
                fix="remove one of the lines",
            )
        if name.casefold() == "background":
            raise DataError(
                "background is not an event category",
                where=where,
                found=name,
                expected=f"event categories only; background's id follows the last one: {len(names)} here",
                fix="remove the line",
            )
        names[name] = number
    if not names:
        raise DataError(
            "the category names are empty",
            where=str(path),
            expected="one category per line, in the order of the ids",
            fix="add the names, or remove the file: ids then follow first appearance in Annotations.txt",
        )
    return tuple(names)


def check_names(names: Sequence[str], events: np.ndarray) -> Iterator[tuple[str, str, str]]:
    """Yield (problem, found, fix) for names that may be mistakes; arguments as for `suspects`."""
    for group in alike(names):
        yield (
            "category names that differ only in spelling count as different categories",
            " | ".join(map(printable, group)),
            "use one spelling if they mean the same category",
        )
    found = suspects(names, events)
    if found:
        yield (
            "categories with very few rows may be misspelt",
            some(found, _SHOWN),
            "correct the name in Annotations.txt; no action needed if the category is intended",
        )


def suspects(names: Sequence[str], events: np.ndarray) -> list[Suspect]:
    """Categories that may be misspellings of another category.

    A category is reported if it has at most a tenth of the median category's rows; or if it is at most two edits (one
    for short names) away from a category with at least as many rows, and has at most two rows or at most a quarter of
    that category's rows. Names that `alike` reports are excluded.

    Args:
        names: categories by id.
        events: (rows) category ids.
    """
    counts = np.bincount(events, minlength=len(names))
    median = float(np.median(counts[counts > 0])) if counts.any() else 0.0
    reported = {name for group in alike(names) for name in group}
    found: dict[str, Suspect] = {}
    for i in np.argsort(counts, kind="stable").tolist():
        rows = int(counts[i])
        others = [j for j in range(len(names)) if (counts[j], -j) > (rows, -i) and names[j] not in found]
        if not rows or not others or names[i] in reported:
            continue
        fewer = others if rows <= _FEW else [j for j in others if 4 * rows <= counts[j]]
        close = [j for j in fewer if _close(names[i], names[j])]  # slow: only where it matters
        if not close and _RARE * rows > median:
            continue
        near = close or [names.index(name) for name in get_close_matches(names[i], [names[j] for j in others], n=1)]
        found[names[i]] = Suspect(names[i], rows, *((names[near[0]], int(counts[near[0]])) if near else ("", 0)))
    return list(found.values())


def alike(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Groups of names that differ only in capitals, spaces, punctuation or invisible characters."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(folded(name), []).append(name)
    for group in groups.values():
        if len(group) > 1:
            yield tuple(sorted(group))


def folded(name: str) -> str:
    """Normalise a name: remove capitals, spaces, punctuation and invisible characters."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def _close(one: str, other: str) -> bool:
    a, b = folded(one), folded(other)
    limit = min(2, min(len(a), len(b)) // 3)
    return abs(len(a) - len(b)) <= limit and edits(a, b) <= limit


def edits(a: str, b: str) -> int:
    """Edit distance: insertions, deletions, substitutions and swaps of neighbours that turn one text into the other.

    >>> edits("brak", "bark"), edits("helicoptre", "helicopter"), edits("cat", "goat")
    (1, 1, 2)
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
