"""Signatures: one line of text that states how a score was measured."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avelzoo.errors import UsageError, printable
from avelzoo.metrics.predictions import Truth
from avelzoo.version import __version__

UNKNOWN = "?"
TRUTH = "truth"
"""Label variant of a data set that has no variants, such as worlds."""
LABELS = ("annotations", "labels", "right_labels", TRUTH)
SELECTIONS = ("val", "test", "last")
FORM = "NAME-SPLITVIDEOS|SUPERVISION|labels=LABELS|sel=SELECTION|seeds=N|ci=METHOD|avelzoo=VERSION|data=HASH"

_FORMS = {
    "dataset": (r"[\w.+/:-]*[\w.+/:]|\?", "letters, digits and . _ + / : -"),
    "split": (r"[A-Za-z_]+|\?", "letters and _"),
    "supervision": (r"full|weak(?::[\w.+-]+)?|none|\?", "full, weak, weak:PROTOCOL, none or ?"),
    "labels": (r"[A-Za-z_][\w.-]*|\?", "annotations, labels, right_labels, truth or ?"),
    "selection": ("|".join(SELECTIONS) + r"|\?", "val, test, last or ?"),
    "interval": (r"[\w.+-]+|\?", "the method of an interval, none or ?"),
    "version": (r"[\w.+!-]+|\?", "a version or ?"),
    "data_hash": (r"[0-9a-f]{8}|\?", "8 hexadecimal digits or ?"),
}
"""Field -> pattern of its values, and the same in words."""
_COUNTS = ("videos", "seeds")
_KEYS = {
    "labels": "labels",
    "selection": "sel",
    "seeds": "seeds",
    "interval": "ci",
    "version": "avelzoo",
    "data_hash": "data",
}
"""Field -> key in the text, of the parts after the first two."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a score was measured, as one line of text; unknown parts are ``?``.

    Two scores can be compared if their signatures agree in data, split, labels and hash. The idea is sacreBLEU's.

    Attributes:
        dataset: name of the data set, such as ``ave`` or ``worlds``.
        split: train, val or test.
        videos: number of scored videos; None if unknown.
        supervision: full, weak, ``weak:PROTOCOL``, or none for predictions without training.
        labels: label variant: annotations, labels or right_labels; truth for a data set without variants, as worlds.
        selection: how the epoch was chosen: on val, on test, or the last.
        seeds: number of training runs; None if unknown.
        interval: method of the interval, such as ``video-bootstrap-10k``; ``none`` without an interval.
        version: version of avelzoo that computed the score.
        data_hash: `data_hash` of the scored labels, 8 hexadecimal digits.

    Raises:
        UsageError: a part has the wrong form.

    >>> str(Signature(dataset="ave", split="test", videos=402, supervision="full", seeds=5, version="0.1.0"))
    'ave-test402|full|labels=?|sel=?|seeds=5|ci=?|avelzoo=0.1.0|data=?'
    """

    dataset: str = UNKNOWN
    split: str = UNKNOWN
    videos: int | None = None
    supervision: str = UNKNOWN
    labels: str = UNKNOWN
    selection: str = UNKNOWN
    seeds: int | None = None
    interval: str = UNKNOWN
    version: str = __version__
    data_hash: str = UNKNOWN

    def __post_init__(self) -> None:
        for name, (pattern, words) in _FORMS.items():
            value = getattr(self, name)
            if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
                raise _wrong(name, str(value), words)
        for name in _COUNTS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise _wrong(name, str(value), "a whole number of 1 or more")

    def __str__(self) -> str:
        head = f"{self.dataset}-{self.split}{_count(self.videos)}"
        pairs = (f"{key}={_text(getattr(self, name))}" for name, key in _KEYS.items())
        return "|".join((head, self.supervision, *pairs))

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Inverse of ``str``; spaces around the parts are ignored.

        Raises:
            UsageError: the text is not a signature; the error names the wrong part.
        """
        parts = [part.strip() for part in text.strip().split("|")]
        if len(parts) != 2 + len(_KEYS):
            raise UsageError(
                "a signature has the wrong number of parts",
                where="signature",
                found=f"{len(parts)} parts: {printable(text.strip())[:160]}",
                expected=FORM,
                fix="copy the whole line, in quotation marks",
            )
        head = re.fullmatch(r"(.*)-([A-Za-z_]+|\?)([0-9]+|\?)", parts[0], re.ASCII)
        if head is None:
            raise _wrong("data", parts[0], "NAME-SPLITVIDEOS, such as ave-test402")
        values: dict[str, str] = {}
        for part, (name, key) in zip(parts[2:], _KEYS.items(), strict=True):
            found, equals, value = part.partition("=")
            if not equals or found.strip() != key:
                raise _wrong(key, part, f"{key}=...")
            values[name] = value.strip()
        return cls(
            dataset=head[1],
            split=head[2],
            videos=_number("videos", head[3]),
            supervision=parts[1],
            labels=values["labels"],
            selection=values["selection"],
            seeds=_number("seeds", values["seeds"]),
            interval=values["interval"],
            version=values["version"],
            data_hash=values["data_hash"],
        )


def data_hash(video_ids: Sequence[str], truth: Truth) -> str:
    """Hash of a split's labels: 8 hexadecimal digits.

    SHA-256 over one line per video, sorted: its name, its category and the category of every segment, by name. So it
    depends neither on the order of the videos nor on the numbering of the categories, and the same labels read from
    another file give the same hash.

    Args:
        video_ids: (v) names.
        truth: labels of the same videos.
    """
    names = np.array([*truth.categories, ""], dtype=object)
    segments = names[truth.segments]
    rows = zip(video_ids, names[truth.events], segments, truth.lengths.tolist(), strict=True)
    lines = sorted("\t".join((name, event, *row[:length])) for name, event, row, length in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def _number(name: str, text: str) -> int | None:
    if text == UNKNOWN:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise _wrong(name, text, "a whole number of 1 or more, or ?")
    return int(text)


def _text(value: str | int | None) -> str:
    return value if isinstance(value, str) else _count(value)


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def _wrong(name: str, found: str, expected: str) -> UsageError:
    return UsageError(
        f"a signature has a wrong part: {name}", where=f"signature, {name}", found=printable(found), expected=expected
    )
