"""Signatures of runs' scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from avelzoo.metrics import Truth
from avelzoo.metrics.signature import TRUTH, UNKNOWN, Signature, data_hash


def signature_of(
    slots: Mapping[str, Any],
    supervision: str,
    split: str,
    labels: tuple[Sequence[str], Truth],
    *,
    interval: str = UNKNOWN,
    seeds: int = 1,
) -> Signature:
    """The signature of a run's score, whose epoch and thresholds were chosen on val.

    Args:
        slots: slots of ``composition.json``; only the data set is read.
        supervision: full or weak.
        split: the scored split.
        labels: names of its v videos, and their truth.
        interval: method of the score's interval.
        seeds: number of runs behind the score.
    """
    dataset = slots["dataset"]
    options = dataset["options"]
    if supervision == "weak" and "weak_protocol" in options:
        supervision = f"weak:{options['weak_protocol']}"
    return Signature(
        dataset=str(dataset["name"]).rpartition("/")[2],
        split=split,
        videos=len(labels[0]),
        supervision=supervision,
        labels=label_variant(options),
        selection="val",
        seeds=seeds,
        interval=interval,
        data_hash=data_hash(*labels),
    )


def label_variant(options: Mapping[str, Any]) -> str:
    """Label variant in signatures, from the options of a data set; ``truth`` if it has no variants."""
    return str(options.get("labels", TRUTH))


def joint_signature(texts: Iterable[str | None]) -> str | None:
    """Signature of a mean over runs, from those of the runs; parts that differ are unknown, as is the interval.

    None if a run has no signature, as those of earlier versions.
    """
    known = [None if text is None else Signature.parse(text) for text in texts]
    found = [one for one in known if one is not None]
    if not found or len(found) < len(known):
        return None
    first = found[0]
    differing = [f for f in fields(Signature) if len({getattr(one, f.name) for one in found}) > 1]
    values: dict[str, Any] = {f.name: None if f.default is None else UNKNOWN for f in differing}
    return str(replace(first, **values | {"seeds": len(found), "interval": "none"}))
