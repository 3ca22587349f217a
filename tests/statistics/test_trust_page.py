"""The page on trust shows its results file, and the simulation finds what is known in closed form."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import HardWorldsConfig


def test_page_and_pictures_show_the_results(root: Path) -> None:
    results = json.loads((root / "docs" / "results" / "trust.json").read_text("utf-8"))
    files = import_module("trust_page").written(results, root / "docs" / "trust.md")
    assert len(files) == 3
    stale = [name for name, text in files.items() if Path(name).read_text("utf-8") != text]
    assert not stale, "run: python scripts/trust_on_worlds.py --write"


def test_a_page_without_a_block_is_refused(tmp_path: Path, root: Path) -> None:
    results = json.loads((root / "docs" / "results" / "trust.json").read_text("utf-8"))
    (tmp_path / "page.md").write_text("# Trust\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="'findings' missing"):
        import_module("trust_page").written(results, tmp_path / "page.md")


def test_the_best_of_independent_epochs_is_too_high_by_the_expected_maximum() -> None:
    """100 epochs of equal truth, independent videos: the largest of 100 normal numbers is 2.51 deviations."""
    rng = np.random.default_rng(0)
    right = rng.permuted(np.tile(rng.binomial(10, 0.8, size=1000), (300, 1)), axis=1)
    rows = import_module("trust_on_worlds").selection(right, 10, 200, seed=1)
    row = next(row for row in rows if row["epochs"] == 100)
    deviation = right[0].std() / 10 / np.sqrt(402)
    assert row["test_excess"] == pytest.approx(2.51 * deviation, rel=0.1)
    assert abs(row["val_excess"]) < 0.5 * deviation
    assert row["above"] == 1
    excess = [row["test_excess"] for row in rows]
    assert excess == sorted(excess)


def test_intervals_of_independent_segments_are_right_for_independent_segments() -> None:
    """Without dependence within videos, both intervals hold the truth equally often."""
    trust = import_module("trust_on_worlds")
    counts = np.zeros((2000, len(trust.VIDEO_COUNTS)))
    rng = np.random.default_rng(2)
    for column in ("segments", "predicted_events", "true_events", "partial_segments"):
        counts[:, trust.VIDEO_COUNTS.index(column)] = 10
    for column in ("right", "matched_events", "partial_right"):
        counts[:, trust.VIDEO_COUNTS.index(column)] = rng.binomial(10, 0.8, size=2000)
    found = {(row["measure"], row["method"]): row for row in trust.coverage(counts, 60, lambda text: None)}
    assert len(found) == 4
    assert found["segment_accuracy", "segments"]["width"] == pytest.approx(
        found["segment_accuracy", "videos"]["width"], rel=0.05
    )
    assert min(row["coverage"] for row in found.values()) >= 0.85


@pytest.mark.slow
def test_a_small_world_is_trained_and_counted() -> None:
    trust = import_module("trust_on_worlds")
    world = trust.World.of(HardWorldsConfig(train_videos=28, test_videos=30))
    right, counts = trust.train(world, 0, "cosine", 2)
    assert right.shape == (2, 30)
    assert (counts[:, trust.VIDEO_COUNTS.index("right")] == right[-1]).all()
