"""A finished run with a memory, trained in a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from avelzoo import run

SMALL = {
    "dataset.train_videos": 24,
    "dataset.val_videos": 12,
    "dataset.test_videos": 18,
    "dataset.negatives": 4,
    "encoder.width": 8,
    "memory.size": 3,
    "train.epochs": 2,
}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """Run folder of a small event-aware system."""
    folder = tmp_path_factory.mktemp("report-runs") / "ead"
    run("ead-b", encoder="mean-pool", options=SMALL, seed=1, out=folder, device="cpu")
    return folder
