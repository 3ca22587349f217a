"""Measured figures in docs/how-to/scale.md, from docs/results/scale.json.

The page has blocks ``<!-- scale: NAME -->``. ``scripts/scale.py`` measures; ``gen_docs.py`` writes the blocks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.machine import described
from docs_markdown import filled, table

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, RESULTS = DOCS / "how-to" / "scale.md", DOCS / "results" / "scale.json"
STAGES = {
    "open": "open the folder: annotations, splits, headers",
    "split": "the train and the test split",
    "checksums": "checksums for the run record",
    "copy to a reading process": "copy of the split for a reading process",
    "shuffle": "order of an epoch",
    "read": "read {batches} shuffled batches of 128",
    "pack": "pack into {shards} shards",
    "open shards": "open the shards",
    "read shards": "read {batches} shuffled batches of 128 from the shards",
    "scores and bootstrap": "all scores of {test_videos:,} test videos, with the bootstrap",
    "write predictions": "write their predictions",
    "read predictions": "read their predictions",
}


def scale_pages(page: Path = PAGE, results: Path = RESULTS) -> dict[Path, str]:
    """The page with the present figures."""
    found = json.loads(results.read_text("utf-8")) if results.exists() else {}

    def block(name: str) -> str:
        part = found.get(name)
        if part is None:
            return f"Not measured yet: `python scripts/scale.py --only {name}`."
        return "\n".join([*BLOCKS[name](part["found"]), f"{described(part['machine'])}."])

    return {page: filled(page, "scale", block)}


def slices(found: list[Mapping[str, Any]]) -> Iterator[str]:
    """The bank in slices: memory and time."""
    head = ("categories", "slots", "`memory.slice_mb`", "stored features", "memory in addition", "time")
    yield from table(
        head,
        [
            (
                f"{row['categories']:,}",
                f"{row['slots']:,}",
                str(row["slice_mb"] or "0: at once"),
                f"{row['stored_mb']:,.0f} MiB",
                f"{row['extra_mb']:,.0f} MiB",
                f"{row['seconds']:.1f} s",
            )
            for row in found
        ],
    )


def million(found: Mapping[str, Any]) -> Iterator[str]:
    """Stages of a million videos: time and memory."""
    rows = [
        (
            text.format(**found),
            f"{found['stages'][name]['seconds']:.2f} s",
            f"{found['stages'][name]['kept_mb']:,.0f} MiB",
        )
        for name, text in STAGES.items()
    ]
    yield from table((f"{found['videos']:,} videos, {found['categories']:,} categories", "time", "memory kept"), rows)
    yield (
        f"Peak memory of all stages: {found['peak_mb']:,.0f} MiB. Predictions take "
        f"{found['predictions_bytes_per_video']:,.0f} bytes for each test video on disk."
    )
    yield ""


def units(found: Mapping[str, Any]) -> Iterator[str]:
    """Unit costs."""
    yield from table(("item", "cost", "details"), unit_costs(found))


def unit_costs(found: Mapping[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """Item, cost and details; of the committed measurement by default."""
    found = found or json.loads(RESULTS.read_text("utf-8"))["units"]["found"]
    smaller, bank = found["banks"][-2:]
    # of slots beyond those whose activations are kept because there is room
    kept = [each["slots"] * each["kept_for_backward_bytes_per_slot"] for each in (smaller, bank)]
    slope = (kept[1] - kept[0]) / (bank["slots"] - smaller["slots"])
    rate = found["bytes_per_video_float64"] / found["read_seconds_per_video"] / 1e9
    return [
        (
            "features of a video, float64 as published",
            f"{found['bytes_per_video_float64']:,} bytes",
            "t (h w v + a) numbers",
        ),
        ("the same in float32", f"{found['bytes_per_video_float32']:,} bytes", ""),
        (
            "the same in half precision, [packed](../data.md#packing-a-folder)",
            f"{found['bytes_per_video_half']:,} bytes",
            "",
        ),
        (
            "reading a video of the float64 files in random order",
            f"{1000 * found['read_seconds_per_video']:.1f} ms, {rate:.1f} GB/s",
            "from the system's cache",
        ),
        (
            "training on a segment, `double-branch`",
            f"{1000 * found['step_seconds_per_segment']:.1f} ms, 0.345 GFLOP",
            "forward and backward",
        ),
        (
            "storing a bank slot (`jsd-bank`)",
            f"{found['bank_bytes_1000_categories'] / 16000:,.0f} bytes",
            "raw float32 features: h w v + a numbers, and 17 bytes",
        ),
        (
            "encoding a slot, evaluation",
            f"{1000 * bank['encode_seconds_per_slot']:.1f} ms",
            "once per evaluation",
        ),
        (
            "encoding a slot and its gradient, training",
            f"{1000 * bank['encode_and_backward_seconds_per_slot']:.1f} ms",
            "once per step",
        ),
        (
            "activations kept for a slot's gradient",
            f"{slope / 1e6:.1f} MB",
            "between forward and backward, beside 256 MiB that are not recomputed; 1.4 MB on GPUs, all kept",
        ),
    ]


BLOCKS: Mapping[str, Callable[[Any], Iterator[str]]] = {"units": units, "slices": slices, "million": million}
