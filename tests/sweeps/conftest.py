"""Runs that take a blink, and the fixtures of the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import call, shell

__all__ = ["call", "shell"]

SMALL = {
    "dataset.train_videos": 16,
    "dataset.val_videos": 8,
    "dataset.test_videos": 8,
    "dataset.segments": 4,
    "dataset.negatives": 0,
    "encoder.width": 8,
    "memory.size": 2,
    "train.epochs": 2,
    "train.batch_size": 8,
}


@pytest.fixture
def small():
    """Keyword arguments of `avelzoo.sweep` for runs that take a blink."""
    return {"choices": {"encoder": "mean-pool"}, "options": dict(SMALL), "device": "cpu"}


@pytest.fixture
def words():
    """The same for the command line."""
    return ["--encoder", "mean-pool", "--device", "cpu", *(f"--set={name}={value}" for name, value in SMALL.items())]
