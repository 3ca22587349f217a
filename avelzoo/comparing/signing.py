"""Signatures of scores, from the content of ``composition.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avelzoo.metrics import Truth
from avelzoo.metrics.signature import UNKNOWN, Signature, data_hash
from avelzoo.version import __version__


def signature_of(
    composition: Mapping[str, Any],
    split: str,
    video_ids: Sequence[str],
    truth: Truth,
    *,
    interval: str = UNKNOWN,
    seeds: int = 1,
    version: str = __version__,
) -> Signature:
    """The signature of a run's score; its epoch and thresholds were chosen on val.

    Args:
        composition: content of ``composition.json``.
        split: the scored split.
        video_ids: names of its v videos.
        truth: labels of the same videos.
        interval: method of the score's interval.
        seeds: number of runs behind the score.
        version: version of avelzoo behind the score.
    """
    dataset = composition["slots"]["dataset"]
    options = dataset["options"]
    supervision = composition["supervision"]
    if supervision == "weak" and "weak_protocol" in options:
        supervision = f"weak:{options['weak_protocol']}"
    return Signature(
        dataset=str(dataset["name"]).rpartition("/")[2],
        split=split,
        videos=len(video_ids),
        supervision=supervision,
        labels=options.get("labels", UNKNOWN),
        selection="val",
        seeds=seeds,
        interval=interval,
        data_hash=data_hash(video_ids, truth),
        version=version,
    )
