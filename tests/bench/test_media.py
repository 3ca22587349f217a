"""The part for videos at toy size: what it measures, not how fast anything is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench import media
from bench.parts import Options
from bench.sizes import TINY
from torch import nn

from avelzoo.extractors import Extractor, FrameSampling

pytest.importorskip("av")


def test_extraction_beside_its_floors(tmp_path, monkeypatch):
    monkeypatch.setattr(media, "ENLARGED", 1)
    monkeypatch.setattr(media, "REPEATED", 1)
    section = media.measure(Options(sizes=TINY, curve=TINY, threads=1, repeats=1, scratch=tmp_path))
    (row,) = section.rows
    turns = section.facts[row.name]["turns"]
    assert row.floor == pytest.approx(min(turns["decoding"][0], turns["computing"][0]))
    assert row.value == pytest.approx(section.facts[row.name]["throughput"]["times_real_time"])
    assert 0 < row.share < 1
    assert (section.name, row.unit, row.better) == ("media", "x real time", "higher")


def test_products_are_the_convolutions_of_all_segments():
    class Convolved(Extractor):
        modality = "visual"
        sampling = FrameSampling(per_segment=1, prepare=lambda frame: frame)
        shape = (2, 2, 3)
        network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1)).requires_grad_(False)

        def features(self, segments: np.ndarray) -> np.ndarray:
            return self.network(torch.from_numpy(segments)).permute(0, 2, 3, 1).numpy()

    parts = media._products(Convolved(), np.zeros((5, 3, 2, 2), np.float32))
    assert [tuple(part().shape) for part in parts] == [(1, 4, 2, 2), (1, 3, 2, 2)] * 5
