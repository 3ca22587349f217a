"""A tiny folder in AVE's public layout, written with h5py alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

NAMES = ("Bell, church", "Dog", "Flute")
LINES = (
    "Bell, church&v0&good&0&5",
    "Bell, church&v1&good&1&3",
    "Bell, church&v2&good&0&0",
    "Bell, church&v3&good&2&5",
    "Dog&v4&good&0&2",
    "Dog&v5&good&3&5",
    "Dog&v0&good&0&5",
    "Flute&v7&good&4&5",
    "Flute&v8&good&0&4",
    "Flute&v9&good&1&4",
)
SEGMENTS = np.array(
    [
        [0, 0, 0, 0, 0],
        [3, 0, 0, 3, 3],
        [3, 3, 3, 3, 3],
        [3, 3, 0, 0, 0],
        [1, 1, 3, 3, 3],
        [3, 3, 3, 1, 1],
        [1, 1, 1, 1, 1],
        [3, 3, 3, 3, 2],
        [2, 2, 2, 2, 3],
        [3, 2, 2, 2, 3],
    ]
)
EVENTS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
ORDERS = {"train": [9, 0, 4, 2, 5], "val": [1, 6], "test": [8, 3, 7]}


def write(path: Path, values: Any, key: str = "avadataset", **how: Any) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=np.asarray(values), **how)


@dataclass
class Folder:
    """The folder, and what was written into it."""

    root: Path
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def put(self, name: str, values: Any, key: str = "avadataset", **how: Any) -> None:
        self.arrays[name] = np.asarray(values)
        write(self.root / name, values, key, **how)

    def annotate(self, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        (self.root / "Annotations.txt").write_bytes(data)

    def cut(self, name: str, missing: int = 100) -> None:
        data = (self.root / name).read_bytes()
        (self.root / name).write_bytes(data[:-missing])

    def labels(self) -> Mapping[str, np.ndarray]:
        """Every label file as the rules have it, spelled out here once more."""
        one_hot = np.zeros((10, 5, 4), np.float32)
        for row in range(10):
            for t in range(5):
                one_hot[row, t, SEGMENTS[row, t]] = 1
        mil = np.zeros((10, 4), np.float32)
        for row, event in enumerate(EVENTS):
            mil[row, event] = 1
        closs = 1 - one_hot[:, :, 3]
        return {
            "labels.h5": one_hot,
            "right_labels.h5": one_hot,
            "mil_labels.h5": mil,
            "labels_closs.h5": closs,
            "prob_label.h5": one_hot.mean(axis=1),
        }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """10 videos of 5 segments in 3 categories, 2x3 grid, 4 visual and 6 audio channels, 2 negatives."""
    rng = np.random.default_rng(0)
    made = Folder(tmp_path / "ave")
    made.root.mkdir()
    made.annotate("".join(f"{line}\n" for line in LINES))
    for name, rows in ORDERS.items():
        made.put(f"{name}_order.h5", np.array(rows), "order")
    made.put("visual_feature.h5", rng.random((10, 5, 2, 3, 4)))
    made.put("audio_feature.h5", rng.random((10, 5, 6)))
    made.put("visual_feature_noisy.h5", rng.random((2, 5, 2, 3, 4)))
    made.put("audio_feature_noisy.h5", rng.random((2, 5, 6)))
    made.put("labels_noisy.h5", np.eye(4, dtype=np.float32)[[3, 3]])
    return made


@pytest.fixture
def shell_limited(root: Path):
    """Runs a simulation in a process that may write files of 200 kB at most; returns exit code and stderr."""
    resource = pytest.importorskip("resource")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    def run(out: Path) -> tuple[int, str]:
        argv = [sys.executable, "-m", "avelzoo", "data", "simulate", str(out), "--videos", "20", "--grid", "2x2"]
        environ = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(argv, preexec_fn=limit, capture_output=True, text=True, env=environ, check=False)
        return done.returncode, done.stderr

    return run
