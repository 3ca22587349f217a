"""A folder as `avelzoo extract` writes it, made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avelzoo.data.reading.event_table import EventRow, write_event_table
from avelzoo.data.reading.features_record import FeatureSource, FeaturesRecord
from tests.data.conftest import write

ROWS = (
    EventRow("a.mp4", 4, "Dog", ((0.0, 2.0), (3.0, 4.0))),
    EventRow("a.mp4", 4, "Bell, church", ((1.0, 2.0),)),
    EventRow("b & c.mp4", 6),
    EventRow("d.mp4", 2, "Dog", ((0.4, 1.4),)),
    EventRow("e.mp4", 6, "Bell, church", ((0.0, 6.0),)),
    EventRow("f.mp4", 5),
)
SEGMENTS = np.array(
    [
        [0, 0, 2, 0, 2, 2],
        [2, 1, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2],
        [0, 2, 2, 2, 2, 2],
        [1, 1, 1, 1, 1, 1],
        [2, 2, 2, 2, 2, 2],
    ]
)
EVENTS = np.array([0, 1, 2, 0, 1, 2])
LENGTHS = np.array([4, 4, 6, 2, 6, 5])


def source(modality: str, recipe_id: str) -> FeatureSource:
    return FeatureSource(
        file=f"{modality}_feature.h5", extractor=modality, options={}, recipe={"encoder": modality}, recipe_id=recipe_id
    )


def varied_folder(root: Path, *, audio_recipe: str = "audio-1", seconds: float = 1.0) -> Path:
    """Six rows of 2 to 6 segments: several runs, rows without an event, fractional times, a repeated video."""
    root.mkdir()
    rng = np.random.default_rng(0)
    real = np.arange(6) < LENGTHS[:, None]
    write(root / "visual_feature.h5", rng.random((6, 6, 2, 3, 4), np.float32) * real[..., None, None, None])
    write(root / "audio_feature.h5", rng.random((6, 6, 5), np.float32) * real[..., None])
    write_event_table(root / "events.csv", ROWS)
    (root / "categories.txt").write_text("Dog\nBell, church\n")
    for name, rows in {"train": [0, 1, 2], "val": [3, 5], "test": [4]}.items():
        write(root / f"{name}_order.h5", np.array(rows), "order")
    record = FeaturesRecord(
        seconds=seconds,
        visual=source("visual", "visual-1"),
        audio=source("audio", audio_recipe),
        categories=("Dog", "Bell, church"),
        files={},
    )
    record.write(root)
    return root
