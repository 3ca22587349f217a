"""Audits against AVE's own annotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avelzoo import AveConfig
from avelzoo.auditing import audit
from avelzoo.errors import DataError
from avelzoo.metrics import SplitLabels


@pytest.fixture(scope="module")
def ave(shared: Path) -> Path:
    return shared / "ave"


@pytest.fixture(scope="module")
def test_split(ave: Path) -> SplitLabels:
    return AveConfig(root=ave).read_labels()["test"]


def test_floors_of_the_protocol(ave: Path) -> None:
    found = audit(data=ave, claim="82.18")
    labels = found.labels
    assert (labels.videos, labels.segments, labels.categories) == (402, 4020, 28)
    assert round(100 * labels.background, 1) == 17.8
    assert round(100 * labels.true_category, 1) == 82.2
    assert round(100 * labels.average_window, 1) == 81.5  # type: ignore[operator]
    assert (labels.partial_videos, labels.leaked_videos) == (141, 8)
    assert found.claim is not None
    by_name = {one.name: one for one in found.claim.reach}
    assert by_name["segments"].rounded is None
    assert by_name["segments"].cut == (3304, 3304)
    assert by_name["segments of videos that are not in train"].total == 3940
    assert "No number of correct segments of 4,020 rounds to 82.18 %" in " ".join(found.verdict)
    val = audit(data=ave, split="val").labels
    assert (val.videos, val.leaked_videos) == (402, 10)


def test_the_truth_scores_100(ave: Path, test_split: SplitLabels, tmp_path: Path) -> None:
    names = (*test_split.truth.categories, "Background")
    path = tmp_path / "oracle.jsonl"
    rows = zip(test_split.rows.tolist(), test_split.video_ids, test_split.truth.segments.tolist(), strict=True)
    path.write_text(
        "".join(
            json.dumps({"row": row, "video": video, "segments": [names[i] for i in ids]}) + "\n"
            for row, video, ids in rows
        ),
        "utf-8",
    )
    found = audit(path, data=ave)
    assert found.whole is not None
    assert found.scores is not None
    assert (found.whole.right, found.whole.segments) == (4020, 4020)
    assert found.scores.event_f1_iou50 == 1
    assert found.leak_free is not None
    assert (found.leak_free.videos, found.leak_free.segments) == (394, 3940)
    assert found.groups["run length"][-1].videos == 261  # an event in all ten segments
    with pytest.raises(DataError, match="those of the test split"):
        audit(path, data=ave, split="val")


def test_arrays_of_every_row_and_of_the_split(ave: Path, test_split: SplitLabels, tmp_path: Path) -> None:
    """402 entries are the split in order; 4,143 are all rows of the annotations."""
    truth = test_split.truth
    everywhere = np.repeat(truth.events[:, None], 10, axis=1)
    np.save(tmp_path / "split.npy", everywhere)
    every = np.full((4143, 10), 28)
    every[test_split.rows] = everywhere
    np.save(tmp_path / "rows.npy", every)
    for name in ("split.npy", "rows.npy"):
        found = audit(tmp_path / name, data=ave)
        assert found.whole is not None
        assert found.whole.interval.value == found.labels.true_category
    alphabetical = sorted(truth.categories)
    ids = np.array([alphabetical.index(name) for name in truth.categories])[everywhere]
    np.save(tmp_path / "alphabetical.npy", ids)
    with pytest.raises(DataError, match="another order"):
        audit(tmp_path / "alphabetical.npy", data=ave)
    np.save(tmp_path / "shifted.npy", everywhere + 1)
    with pytest.raises(DataError, match="background = 0"):
        audit(tmp_path / "shifted.npy", data=ave)
