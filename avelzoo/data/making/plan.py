"""Content of a simulation: annotations, splits and negatives. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from avelzoo.data import facts
from avelzoo.data.reading.annotation_rows import Annotation
from avelzoo.data.reading.annotations import AnnotationLines, Annotations, read_annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import ANNOTATIONS, NEGATIVE_AUDIO, SPLITS, AudioKind
from avelzoo.data.reading.orders import order_files, read_orders
from avelzoo.errors import OptionError

AUDIO_DIMS: dict[AudioKind, int] = {"vggish": 128, "cnn14": 2048}
DEFAULT_VIDEOS = 200


@dataclass(frozen=True)
class Plan:
    """Content of a simulated folder, without the features.

    Attributes:
        annotations: annotations of the kept videos.
        rows: (videos) int64, row numbers in the full set.
        category_ids: (videos) int64, category ids in the full set.
        categories: number of categories of the full set.
        segments: t.
        orders: row numbers of the kept videos by split.
        negatives: number of negatives.
        negative_audio: audio features of the real negatives; None if not available.
        real_annotations: whether the annotations are real.
        real_splits: whether the splits are real.
    """

    annotations: Annotations
    rows: np.ndarray
    category_ids: np.ndarray
    categories: int
    segments: int
    orders: dict[str, np.ndarray]
    negatives: int
    negative_audio: H5Array | None
    real_annotations: bool
    real_splits: bool


def make_plan(
    *,
    annotations: Path | None = None,
    videos: int | None = DEFAULT_VIDEOS,
    negatives: int | None = None,
    audio: AudioKind = "vggish",
    seed: int = 0,
) -> Plan:
    """Choose videos, splits and negatives.

    Args:
        annotations: path of real annotations; order files and negatives' audio in the same folder are also used. None
            for generated annotations, with AVE's categories, category frequencies and event lengths.
        videos: number of videos; None for all annotated videos, or AVE's number. Subsets keep the proportions of
            splits and categories.
        negatives: number of negatives; None for all real ones, or AVE's number per training video.
        audio: kind of audio features.
        seed: random seed.

    Raises:
        DataError: the annotations or another file in their folder is wrong.
        OptionError: too many videos or negatives requested.
    """
    rng = np.random.default_rng([seed, 100])
    if annotations is None:
        wanted = facts.ROWS if videos is None else max(videos, len(SPLITS))
        full, orders = _made_up(wanted, rng), None
    else:
        full = read_annotations(annotations)
        folder = annotations.parent
        beside = any((folder / name).is_file() for name in order_files(folder).values())
        orders = read_orders(folder, full) if beside else None
    real_splits = orders is not None
    if orders is None:
        orders = _split(full.events, rng)
    there = sum(map(len, orders.values()))
    count = there if videos is None else videos
    if not len(SPLITS) <= count <= there:
        raise OptionError(
            f"{count} videos cannot be chosen",
            where="--videos",
            found=f"{there} videos in {annotations}" if annotations else "",
            expected=f"from {len(SPLITS)}, one per split, to {there}",
        )
    kept = _choose(full.events, orders, count, rng)
    rows = np.sort(np.concatenate(list(kept.values())))
    segments = max(facts.SEGMENTS, int(full.ends.max()))
    real = _real_negatives(annotations.parent, audio, segments) if annotations else None
    per_video = facts.NEGATIVES / facts.SPLITS["train"]
    if negatives is None:
        negatives = len(real) if real else max(1, round(per_video * len(kept["train"])))
    if negatives < 0 or (real and negatives > len(real)):
        raise OptionError(
            f"{negatives} negatives cannot be chosen",
            where="--negatives",
            found=f"{len(real)} rows in {real.path}" if real else "",
            expected=f"a number from 0 to {len(real)}" if real else "0 or more",
        )
    names = full.categories if full.fixed else None
    part = AnnotationLines(Path(ANNOTATIONS), (full.rows[row] for row in rows.tolist()), names)
    return Plan(
        annotations=part,
        rows=rows,
        category_ids=full.events[rows],
        categories=len(full.categories),
        segments=segments,
        orders={name: np.searchsorted(rows, order) for name, order in kept.items()},
        negatives=negatives,
        negative_audio=real,
        real_annotations=annotations is not None,
        real_splits=real_splits,
    )


def apportion(total: int, weights: np.ndarray, rng: np.random.Generator, least: int = 0) -> np.ndarray:
    """Divide ``total`` into whole numbers proportional to, and at most, the weights: largest remainders first.

    Args:
        total: sum of the result, at most the sum of the weights.
        weights: (k) sizes of the groups.
        rng: generator that breaks ties.
        least: minimum for every non-empty group, as far as ``total`` allows.
    """
    floor = np.minimum(weights, least)
    if floor.sum() > total:
        floor = np.zeros_like(weights)
    shares = np.maximum(total * weights / max(1, weights.sum()), floor)
    counts: np.ndarray = np.maximum(np.floor(shares).astype(np.int64), floor)
    while counts.sum() != total:
        step = 1 if counts.sum() < total else -1
        open_to = counts < weights if step > 0 else counts > floor
        lack = np.where(open_to, step * (shares - counts) + 1e-6 * rng.random(len(weights)), -np.inf)
        counts[lack.argmax()] += step
    return counts


def _made_up(videos: int, rng: np.random.Generator) -> Annotations:
    """Generate annotations with AVE's categories and event lengths, grouped by category like AVE's."""
    counts = apportion(videos, _scaled(np.array(list(facts.CATEGORIES.values())), videos), rng)
    lengths, frequency = np.array(list(facts.RUN_LENGTHS)), np.array(list(facts.RUN_LENGTHS.values()))
    rows: list[Annotation] = []
    for name, count in zip(facts.CATEGORIES, counts.tolist(), strict=True):
        for length in rng.choice(lengths, count, p=frequency / frequency.sum()).tolist():
            start = int(rng.integers(0, facts.SEGMENTS - length + 1))
            line = len(rows) + 1
            rows.append(Annotation(line, name, f"sim{line:08d}", "good", start, start + length))
    return AnnotationLines(Path(ANNOTATIONS), tuple(rows))


def _scaled(weights: np.ndarray, total: int) -> np.ndarray:
    """Multiply the weights until their sum reaches ``total``."""
    scaled: np.ndarray = weights * -(-total // int(weights.sum()))
    return scaled


def _split(events: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw splits with AVE's proportions in every category; sorted by category and shuffled within, like AVE's."""
    counts = np.bincount(events)
    held_out = {name: max(1, round(len(events) * facts.SPLITS[name] / facts.ROWS)) for name in ("val", "test")}
    taken: dict[str, np.ndarray] = {}
    free = counts
    for name, size in held_out.items():
        taken[name] = apportion(min(size, int(free.sum())), free, rng)
        free = free - taken[name]
    taken["train"] = free
    pools = [rng.permutation(np.flatnonzero(events == category)).tolist() for category in range(len(counts))]
    orders: dict[str, np.ndarray] = {}
    for name in SPLITS:
        parts = [[pool.pop() for _ in range(count)] for pool, count in zip(pools, taken[name].tolist(), strict=True)]
        orders[name] = np.array(list(chain.from_iterable(parts)), dtype=np.int64)
    return orders


def _choose(
    events: np.ndarray, orders: dict[str, np.ndarray], count: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw a subset of every split, in the split's order, keeping the proportions of splits and categories."""
    sizes = apportion(count, np.array([len(orders[name]) for name in SPLITS]), rng, least=1)
    kept = {}
    for name, size in zip(SPLITS, sizes.tolist(), strict=True):
        categories = events[orders[name]]
        quota = apportion(size, np.bincount(categories), rng)
        places = [
            rng.choice(np.flatnonzero(categories == category), number, replace=False)
            for category, number in enumerate(quota.tolist())
            if number
        ]
        kept[name] = orders[name][np.sort(np.concatenate(places))]
    return kept


def _real_negatives(folder: Path, audio: AudioKind, segments: int) -> H5Array | None:
    path = folder / NEGATIVE_AUDIO[audio]
    if not path.is_file():
        return None
    array = H5Array(path, axes=("rows", "t", "a"))
    fits = array.shape[1:] == (segments, AUDIO_DIMS[audio])
    return array if fits else None
