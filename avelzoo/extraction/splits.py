"""Splits of a user's own videos: all rows of a video in one split, every category in each as far as possible."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from avelzoo.data.reading.layout import SPLITS
from avelzoo.errors import OptionError
from avelzoo.extraction.table import TableRow

SHARES = (0.8, 0.1, 0.1)
"""Shares of train, val and test, as in AVE."""


def parse_shares(text: str) -> tuple[float, float, float]:
    """Shares from ``train,val,test``, scaled to sum 1.

    Raises:
        OptionError: the text is not three positive numbers.

    >>> parse_shares("8,1,1")
    (0.8, 0.1, 0.1)
    """
    try:
        train, val, test = (float(part) for part in text.split(","))
        total = train + val + test
        if not (min(train, val, test) > 0 and total < float("inf")):
            raise ValueError
    except ValueError:
        raise OptionError(
            "not the shares of three splits",
            where="--split",
            found=text,
            expected="three numbers above 0 for train, val and test, such as 0.8,0.1,0.1",
        ) from None
    return train / total, val / total, test / total


def assign(rows: Sequence[TableRow], shares: Sequence[float] = SHARES, seed: int = 0) -> dict[str, str]:
    """Split of every video, by name: as the table says, else drawn.

    Videos are grouped by the category of their first row and shuffled within the group by a hash of seed and name. Each
    video in turn goes to the split that lacks most. The result depends on the table, the shares and the seed alone.
    With three videos or more, no split is empty.

    Args:
        rows: rows of the data set.
        shares: shares of train, val and test.
        seed: seed of the shuffle.
    """
    named = {row.video: row.split for row in rows if row.split}
    if named:
        return named
    group: dict[str, str] = {}
    for row in rows:
        group.setdefault(row.video, row.category)
    order = list(dict.fromkeys(group.values()))
    videos = sorted(group, key=lambda video: (order.index(group[video]), _shuffled(seed, video)))
    found: dict[str, str] = {}
    counts = dict.fromkeys(SPLITS, 0)
    for number, video in enumerate(videos, 1):
        name = max(SPLITS, key=lambda split: shares[SPLITS.index(split)] * number - counts[split])
        found[video] = name
        counts[name] += 1
    _fill(found, counts)
    return found


def sizes(assigned: Mapping[str, str]) -> dict[str, int]:
    """Number of videos in each split."""
    return {name: list(assigned.values()).count(name) for name in SPLITS}


def _shuffled(seed: int, video: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{video}".encode(errors="surrogateescape")).digest()


def _fill(found: dict[str, str], counts: dict[str, int]) -> None:
    """Give an empty split a video of the largest one."""
    for name in SPLITS:
        largest = max(SPLITS, key=lambda split: counts[split])
        if not counts[name] and counts[largest] > 1:
            video = next(video for video in reversed(found) if found[video] == largest)
            found[video] = name
            counts[name], counts[largest] = 1, counts[largest] - 1
