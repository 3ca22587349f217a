"""Trains every registered recipe on the embedded worlds and measures what each costs; writes a table per supervision.

Scores and seconds come from `avelzoo run`, parameters and arithmetic from `avelzoo profile` at AVE's feature sizes.
Scores first, side by side; then costs, under full supervision alone, one after the other, as times mean nothing on a
busy machine. Runs and costs that are there already are not repeated, so a call goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from docs_markdown import table

from avelzoo.cli.catalogue import recipes_of
from avelzoo.components import LEAK_MARK, LEAK_NOTE
from avelzoo.plugin.default import default_host

PROFILE_BATCH = 16
SCORES = ("recipe", "test, %", "95 % interval", "gain over own category, points", "event F1, %", "best epoch")
COSTS = ("parameters", "GFLOP a video", "s / epoch")


def avelzoo(*arguments: str, threads: int | None = None) -> dict[str, Any]:
    """What a command says as JSON; a refusal as ``{"error": ...}``."""
    limit = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "avelzoo", *arguments, "--json"],
        env=os.environ | limit,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": done.stderr.strip() or f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def score(name: str, supervision: str, out: Path, extra: list[str]) -> dict[str, Any]:
    """What a whole run reaches; goes on with one that is there."""
    folder = out / f"{name}-{supervision}"
    again = ["--resume"] if (folder / "composition.json").exists() else []
    run = avelzoo("run", name, "--supervision", supervision, "--out", str(folder), *again, *extra, threads=1)
    row: dict[str, Any] = {"recipe": name, "supervision": supervision}
    if "error" in run:
        return row | run
    test = run["scores"]["test"]
    return row | {
        "segment_accuracy": test["segment_accuracy"],
        "interval": test["segment_accuracy_interval"],
        "own_category_all_event": test["floors"]["own_category_all_event"],
        "event_f1_iou50": test["event_f1_iou50"],
        "leaks_duration": run.get("leaks_duration", False),
        "best_epoch": run["best_epoch"],
        "epochs": run["epochs"],
    }


def cost(name: str, out: Path, extra: list[str]) -> dict[str, Any]:
    """What it takes: alone on the machine, two epochs of it and a few steps at AVE's sizes."""
    kept = out / f"{name}-cost.json"
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        return known
    with tempfile.TemporaryDirectory() as folder:
        run = avelzoo("run", name, "--epochs=2", "--out", f"{folder}/run", *extra)
    profile = avelzoo("profile", name, f"--batch-size={PROFILE_BATCH}", "--repeats=1")
    for found in (run, profile):
        if "error" in found:
            return found
    found = {
        "parameters": profile["parameters_total"],
        "train_gflop_per_video": profile["train_flops"] / 1e9 / PROFILE_BATCH,
        "seconds_per_epoch": run["seconds_per_epoch"],
    }
    kept.write_text(json.dumps(found) + "\n", "utf-8")
    return found


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the table."""
    low, high = row["interval"]
    gain = row["segment_accuracy"] - row["own_category_all_event"]
    scores = [
        f"`{row['recipe']}`" + (f" {LEAK_MARK}" if row["leaks_duration"] else ""),
        f"{100 * row['segment_accuracy']:.1f}",
        f"{100 * low:.1f} - {100 * high:.1f}",
        f"{100 * gain:+.1f}",
        f"{100 * row['event_f1_iou50']:.1f}",
        f"{row['best_epoch']} of {row['epochs']}",
    ]
    if "parameters" not in row:
        return scores
    gflop, seconds = row["train_gflop_per_video"], row["seconds_per_epoch"]
    return [*scores, f"{row['parameters']:,}", f"{gflop:.2f}", f"{seconds:.1f}"]


def main() -> int:
    """Run, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", help="all by default")
    parser.add_argument("--supervision", choices=["full", "weak", "both"], default="both")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes-on-worlds"), help="where the runs go")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side (default: 2)")
    parser.add_argument("--set", dest="extra", action="append", default=[], help="passed on to every run")
    parser.add_argument("--scores", action="store_true", help="only train, and measure costs another time")
    options = parser.parse_args()
    registry = default_host().registry
    names = options.recipes or [entry.name for entry in registry.entries("recipe")]
    wanted = ["full", "weak"] if options.supervision == "both" else [options.supervision]
    jobs = [(s, n) for s in wanted for n in names if s in recipes_of(registry.get("recipe", n))]
    extra = [part for value in options.extra for part in ("--set", value)]
    options.out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(lambda job: score(job[1], job[0], options.out, extra), jobs))
    if options.scores:
        return 0
    rows = [row | cost(row["recipe"], options.out, extra) if row["supervision"] == "full" else row for row in rows]
    (options.out / "table.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    text = []
    for supervision in wanted:
        done = [row for row in rows if row["supervision"] == supervision and "error" not in row]
        done.sort(key=lambda row: -row["segment_accuracy"])
        header = SCORES + COSTS if supervision == "full" else SCORES
        text += [f"## {supervision} supervision", "", *table(header, map(cells, done))]
        text += [f"{LEAK_MARK} {LEAK_NOTE}", ""] if any(row["leaks_duration"] for row in done) else []
    failed = [row for row in rows if "error" in row]
    text += [f"{row['recipe']} ({row['supervision']}): {row['error']}" for row in failed]
    (options.out / "table.md").write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
    print("\n".join(text))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
