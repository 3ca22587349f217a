"""Pictures and tables of docs/trust.md from docs/results/trust.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_markdown import table

from avelzoo.charts import IntervalRow, Point, Reference, Series, interval_chart, line_chart

DOCS = Path(__file__).resolve().parent.parent / "docs"
RESULTS = DOCS / "results" / "trust.json"
MEASURES = {
    "segment_accuracy": "segment accuracy",
    "event_f1_iou50": "event F1 at IoU 0.5",
    "partial_event": "segment accuracy on partial events",
}
NOTE, END = "written by scripts/trust_on_worlds.py", "<!-- end -->"
METHODS = {"videos": "bootstrap over videos (avelzoo)", "segments": "binomial over segments"}


def written(results: dict[str, Any], page: Path) -> dict[str, str]:
    """Path and text of every file that shows the results."""
    text = page.read_text("utf-8")
    for block in (findings, coverage, selection, setup):
        before, mark, rest = text.partition(f"<!-- {block.__name__}: {NOTE} -->\n")
        if not mark:
            raise SystemExit(f"{page}: block '{block.__name__}' missing")
        after = rest[rest.index(END) :]
        text = before + mark + "\n" + "\n".join(block(results)).rstrip() + "\n\n" + after
    return {
        str(page): text,
        str(DOCS / "trust-intervals.svg"): intervals_picture(results),
        str(DOCS / "trust-epochs.svg"): epochs_picture(results),
    }


def percent(value: float, digits: int = 1) -> str:
    """A fraction in percent."""
    return f"{100 * value:.{digits}f}"


def findings(results: dict[str, Any]) -> Iterator[str]:
    """The numbers to remember."""
    (videos,) = (
        row for row in results["coverage"] if (row["measure"], row["method"]) == ("segment_accuracy", "videos")
    )
    (segments,) = (row for row in results["coverage"] if row["method"] == "segments")
    longest = [row for row in results["selection"] if row["epochs"] == results["epochs"]]
    worst = max(longest, key=lambda row: row["test_excess"])
    yield (
        f"- A 95 % interval over {results['videos']} videos spans ± {percent(videos['width'] / 2)} points. It held "
        f"the truth in {percent(videos['coverage'])} % of {videos['sets']:,} test sets."
    )
    yield (
        f"- The interval from {results['videos'] * 10:,} segments is {videos['width'] / segments['width']:.1f} times "
        f"shorter. It held the truth in {percent(segments['coverage'])} %."
    )
    yield (
        f"- The best of {results['epochs']} epochs on test ({worst['schedule']} learning rate) scored "
        f"{100 * worst['test_excess']:.2f} points above its truth in the mean, and above it in "
        f"{percent(worst['above'], 0)} % of cases. The epoch chosen on val was off by "
        f"{100 * worst['val_excess']:+.2f} points in the mean."
    )


def coverage(results: dict[str, Any]) -> Iterator[str]:
    """Table of intervals."""
    rows = (
        (
            MEASURES[row["measure"]],
            METHODS[row["method"]],
            f"{percent(row['truth'])} %",
            f"± {percent(row['width'] / 2)} points",
            f"**{percent(row['coverage'])} %**",
        )
        for row in results["coverage"]
    )
    yield from table(("measure", "95 % interval", "truth", "mean half-width", "holds the truth"), rows)


def selection(results: dict[str, Any]) -> Iterator[str]:
    """Table of chosen epochs."""
    rows = (
        (
            row["schedule"],
            str(row["epochs"]),
            f"{100 * row['val_excess']:+.2f}",
            f"**{100 * row['test_excess']:+.2f}**",
            f"{percent(row['above'], 0)} %",
            f"{percent(row['covered'], 0)} %",
            f"{100 * row['gap']:+.2f} ({100 * row['gap_95']:+.1f})",
        )
        for row in results["selection"]
    )
    header = (
        "learning rate",
        "epochs",
        "chosen on val: score - truth",
        "chosen on test: score - truth",
        "above its truth",
        "95 % interval holds it",
        "optimism gap, mean (95th percentile)",
    )
    yield from table(header, rows)


def setup(results: dict[str, Any]) -> Iterator[str]:
    """Sentence with the sizes."""
    yield (
        f"Population: {results['population']:,} videos. Training: {results['train_videos']} videos, "
        f"{results['epochs']} epochs, batches of {results['batch_size']}, Adam with learning rate "
        f"{results['learning_rate']:g}; {results['seeds']} seeds for each of two schedules, constant and cosine to 0. "
        f"Test and val sets: {results['videos']} videos; {2 * results['sets']:,} test sets for coverage, "
        f"{results['sets']:,} pairs of val and test set for each seed and schedule. "
        f"Bootstrap: {results['resamples']:,} resamples."
    )


def intervals_picture(results: dict[str, Any]) -> str:
    """Intervals of the first test sets, and the truth."""
    row = results["coverage"][0]
    missed = [not low <= row["truth"] <= high for _, low, high in row["first"]]
    rows = [
        IntervalRow(f"test set {i + 1}", 100 * value, 100 * low, 100 * high, note="misses" if miss else "")
        for i, ((value, low, high), miss) in enumerate(zip(row["first"], missed, strict=True))
    ]
    return interval_chart(
        rows[:30],
        title=f"Thirty test sets of {results['videos']} videos, one system",
        description=(
            f"95 % intervals of segment accuracy over videos; {30 - sum(missed[:30])} of 30 hold the truth, "
            f"{percent(row['truth'])} %."
        ),
        floors=[Reference("truth", round(100 * row["truth"], 2))],
        label="segment accuracy",
    )


def epochs_picture(results: dict[str, Any]) -> str:
    """Excess of the score over the truth, by number of epochs to choose from."""
    rows = results["selection"]
    kinds = (
        ("on test", "constant", "test_excess"),
        ("on test", "cosine", "test_excess"),
        ("on val", "constant", "val_excess"),
    )
    lines = [
        Series(
            f"{chosen}, {schedule}",
            [Point(row["epochs"], 100 * row[name]) for row in rows if row["schedule"] == schedule],
        )
        for chosen, schedule, name in kinds
    ]
    last = [line.points[-1].y for line in lines]
    return line_chart(
        lines,
        title="Score minus truth of the epoch chosen on test, and on val",
        description=(
            f"With {results['epochs']} epochs, the best on test scores {last[0]:.2f} points above its truth at a "
            f"constant learning rate and {last[1]:.2f} at a cosine; the epoch chosen on val {last[2]:.2f}."
        ),
        x_label="epochs to choose from",
        y_label="mean excess, points of segment accuracy",
        log_x=True,
    )
