"""Names and ids of a prediction file as category ids: spelling, background, and where ids begin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from avelzoo.auditing.reading.entries import Entry, Label, fault
from avelzoo.data.reading.categories import folded
from avelzoo.errors import DataError, OptionError, did_you_mean, printable

BACKGROUND = ("background", "bg", "none", "null", "noevent")
"""Spellings of background, without capitals, spaces and punctuation."""

NUMBERINGS = ("auto", "background-last", "background-first", "background-minus-one", "from-one")
"""How ids are numbered: events 0..n-1 and background n; background 0 and events 1..n; background -1; events 1..n and
background n+1."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?", re.ASCII)


class Vocabulary:
    """Category ids 0..n-1, background n, of the names and ids that a file uses.

    Args:
        categories: names by id.
        numbering: one of `NUMBERINGS`.
        order: names in the order of the file's ids; None for the order of ``categories``.

    Raises:
        OptionError: an unknown numbering, or names of ``order`` that are no permutation of the categories.
    """

    def __init__(
        self, categories: Sequence[str], *, numbering: str = "auto", order: Sequence[str] | None = None
    ) -> None:
        if numbering not in NUMBERINGS:
            raise OptionError(f"unknown numbering '{numbering}'", where="--ids", expected=", ".join(NUMBERINGS))
        self.categories = tuple(categories)
        self.n = len(categories)
        self.numbering = "background-last" if numbering == "auto" else numbering
        self.chosen = numbering != "auto"
        self.by_number = False
        self.notes: list[str] = []
        self._seen: dict[Label, int] = {}
        self._ids = self._known()
        self._order = self._permutation(order)

    @property
    def reordered(self) -> bool:
        """Whether the order of the file's ids was named."""
        return self._order != list(range(self.n))

    def learn(self, path: Path, entries: Sequence[Entry]) -> None:
        """See every name and id of a file once; decide the numbering where their range tells it.

        Raises:
            DataError: a name is not a category; an id is out of range.
        """
        numbers: dict[int, str] = {}
        aliases: dict[str, None] = {}
        for entry in entries:
            tokens = entry.segments or ()
            for token in (*dict.fromkeys(tokens), *(() if entry.category is None else (entry.category,))):
                number = self._number(token)
                if number is not None:
                    is_segment = token in tokens
                    if is_segment or number not in numbers:
                        numbers.setdefault(number, entry.where)
                elif (name := folded(str(token))) in BACKGROUND and name not in self._ids:
                    aliases[str(token)] = None
                elif name not in self._ids:
                    raise self._unknown(path, entry.where, str(token))
        if aliases and list(aliases) != ["Background"]:
            self.notes.append(f"Read as background: {', '.join(map(printable, aliases))}.")
        if numbers:
            self.by_number = True
            self._decide(path, numbers)

    def id(self, token: Label) -> int:
        """Id of a name or number that `learn` has seen."""
        if token not in self._seen:
            self._seen[token] = self._read(token)
        return self._seen[token]

    def _read(self, token: Label) -> int:
        number = self._number(token)
        if number is None:
            return self._ids.get(folded(str(token)), self.n)
        found = number
        if self.numbering == "background-minus-one":
            found = self.n if number == -1 else number
        elif self.numbering == "background-first":
            found = self.n if number == 0 else number - 1
        elif self.numbering == "from-one":
            found = number - 1
        return self._order[found] if 0 <= found < self.n else self.n

    def columns(self, names: Sequence[str] | None, count: int, path: Path) -> list[int]:
        """Ids of score columns; columns without names follow the numbering.

        Raises:
            DataError: the number of columns fits neither n categories nor n and background; an unknown name.
        """
        n = self.n
        if names is None:
            if count not in (n, n + 1):
                raise fault(
                    path, "", "scores have the wrong number of columns", found=str(count),
                    expected=f"{n + 1} ({n} categories and background) or {n}",
                )  # fmt: skip
            self.by_number = True
            if count == n:
                return list(self._order)
            if self.numbering in ("background-first", "background-minus-one"):
                return [n, *self._order]
            return [*self._order, n]
        found = []
        for name in names:
            token = folded(name)
            if token not in self._ids and token not in BACKGROUND:
                raise self._unknown(path, "line 1" if path.suffix == ".tsv" else "names of the columns", name)
            found.append(self._ids.get(token, n))
        missing = [name for i, name in enumerate(self.categories) if i not in found]
        if missing or len(set(found)) < len(found):
            raise fault(
                path, "", "score columns are missing or repeated",
                found=", ".join(map(printable, names)), expected=f"every category once; missing: {', '.join(missing)}",
            )  # fmt: skip
        return found

    def _known(self) -> dict[str, int]:
        """Folded name -> id; the part before a comma or bracket also counts where it is unique."""
        ids: dict[str, int] = {}
        short: dict[str, list[int]] = {}
        for i, name in enumerate(self.categories):
            ids[folded(name)] = i
            for mark in ",(":
                if mark in name:
                    short.setdefault(folded(name.split(mark)[0]), []).append(i)
        return {name: found[0] for name, found in short.items() if len(found) == 1 and name} | ids

    def _permutation(self, order: Sequence[str] | None) -> list[int]:
        if order is None:
            return list(range(self.n))
        found = [self._ids.get(folded(name), -1) for name in order if folded(name) not in BACKGROUND]
        if sorted(found) != list(range(self.n)):
            wrong = [name for name in order if folded(name) not in self._ids and folded(name) not in BACKGROUND]
            hint = did_you_mean(wrong[0], self.categories) if wrong else ""
            raise OptionError(
                f"the order of the categories is not one of all categories{hint}",
                where="--categories",
                found=", ".join(map(printable, wrong[:4])) or f"{len(found)} names",
                expected=f"the {self.n} categories of the labels, each once",
            )
        return found

    def _number(self, token: Label) -> int | None:
        if isinstance(token, int):
            return token
        return int(token.partition(".")[0]) if _NUMBER.fullmatch(token) and folded(token) not in self._ids else None

    def _decide(self, path: Path, numbers: dict[int, str]) -> None:
        n, low, high = self.n, min(numbers), max(numbers)
        if not self.chosen:
            if low == -1:
                self.numbering = "background-minus-one"
                self.notes.append("Id -1 occurs, so -1 is read as background and 0 as the first category.")
            elif high == n + 1 and low >= 1:
                self.numbering = "from-one"
                self.notes.append(f"Ids run from {low} to {n + 1}, so 1 is read as the first category.")
        ranges = {
            "background-last": (0, n),
            "background-first": (0, n),
            "background-minus-one": (-1, n),
            "from-one": (1, n + 1),
        }
        first, last = ranges[self.numbering]
        if low < first or high > last:
            bad = low if low < first else high
            raise fault(
                path, numbers[bad], "an id is out of range", found=str(bad),
                expected=f"{first}..{last}: the labels have {n} categories",
                fix="use predictions for the same categories, or write names instead of ids",
            )  # fmt: skip
        if self.numbering == "background-last":
            self.notes.append(f"Ids are read as in the labels: 0 is '{self.categories[0]}', {n} is background.")

    def _unknown(self, path: Path, where: str, token: str) -> DataError:
        near: Iterable[str] = [*self.categories, "Background"]
        return fault(
            path, where, f"a category is not among the labels{did_you_mean(token, near)}", found=token,
            expected=f"one of {self.n} categories, or Background",
            fix="correct the name; capitals, spaces and punctuation do not matter",
        )  # fmt: skip
