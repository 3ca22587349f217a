"""Fused features, the memory's content and its distances, against the model's own modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo import load_run
from avelzoo.engine.embeddings import bank_content, embeddings
from avelzoo.errors import UsageError
from avelzoo.reporting.projection import project


@pytest.fixture(scope="module")
def loaded(finished):
    return load_run(finished)


@pytest.fixture(scope="module")
def train(loaded):
    return loaded.composition.recipe.dataset.open("full").split("train")


def test_features_are_those_of_the_encoder(loaded):
    found = embeddings(loaded, "val")
    split = loaded.composition.recipe.dataset.open("full").split("val")
    with torch.no_grad():
        for i in (0, 7, 11):
            batch, _ = split.fetch([i])
            alone = loaded.model.encoder(batch.audio, batch.visual).fused[0].numpy()
            np.testing.assert_allclose(found.fused[i], alone, rtol=1e-5, atol=1e-6)
    assert found.video_ids == tuple(split.video_ids) and (found.segments == split.labels()).all()


def test_points_know_their_category_and_whether_they_are_events(loaded):
    found = embeddings(loaded, "val")
    points, category, event = found.points()
    n = len(found.categories)
    rows = [(v, t) for v in range(len(found.fused)) for t in range(found.lengths[v])]
    assert len(points) == len(rows)
    for k in range(0, len(rows), 13):
        v, t = rows[k]
        own = [c for c in found.segments[v] if c != n]
        assert category[k] == (own[0] if own else n) and event[k] == (found.segments[v, t] != n)
        assert (points[k] == found.fused[v, t]).all()


def test_an_unknown_split_is_refused(loaded):
    with pytest.raises(UsageError, match="unknown split 'dev'"):
        embeddings(loaded, "dev")


def test_slots_name_the_segments_whose_features_they_store(loaded, train):
    audio, _, filled = loaded.model.memory.stored()
    content = bank_content(loaded, train=train)
    assert len(content.slots) == int(filled.sum()) > 0
    for slot in content.slots:
        batch, targets = train.fetch([train.video_ids.index(slot.video)])
        assert torch.equal(batch.audio[0, slot.segment], audio[slot.category, slot.slot])
        assert int(targets.event[0]) == slot.category
        assert slot.event == bool(targets.segments[0, slot.segment] != targets.background)
    unnamed = bank_content(loaded)
    assert all(slot.video.startswith("row ") and slot.event is None for slot in unnamed.slots)


def test_prototypes_are_means_of_slots_and_distances_those_of_the_head(loaded):
    content = bank_content(loaded)
    with torch.no_grad():
        view = loaded.model.view()
    for k in np.flatnonzero(content.filled.any(axis=1)):
        np.testing.assert_allclose(
            content.prototypes[k], view.items[k][view.filled[k]].mean(dim=0).numpy(), rtol=1e-4, atol=1e-6
        )
    distances = content.distances()
    a, b = np.flatnonzero(content.filled.any(axis=1))[:2]
    expected = np.sqrt(((content.prototypes[a] - content.prototypes[b]) ** 2).sum()) / np.sqrt(8)
    assert distances[a, b] == pytest.approx(expected, rel=1e-5) and content.margin == 0.7
    empty = ~content.filled.any(axis=1)
    assert np.isnan(distances[empty]).all() and np.isnan(distances[:, empty]).all()


def test_rows_by_default_are_those_of_the_batches(train):
    from avelzoo.contracts import Split

    assert (Split.rows(train) == train.rows()).all()


def test_pca_keeps_distances_of_a_plane():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(40, 2)) @ np.linalg.qr(rng.normal(size=(7, 2)))[0].T
    found = project(plane, method="pca")
    before = np.linalg.norm(plane[:, None] - plane[None], axis=-1)
    after = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1)
    np.testing.assert_allclose(after, before, atol=1e-9)
    assert found.words == "PCA, 100\u00a0% of the variance, of 40 points"
    assert (project(np.zeros((3, 4)), method="pca").points == 0).all()


def test_t_sne_separates_clusters():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(size=(20, 5)), rng.normal(size=(20, 5)) + 40])
    found = project(two)
    assert found.method == "t-sne"
    inside = max(np.ptp(found.points[:20], axis=0).max(), np.ptp(found.points[20:], axis=0).max())
    assert np.linalg.norm(found.points[:20].mean(axis=0) - found.points[20:].mean(axis=0)) > inside


def test_without_scikit_learn_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr("avelzoo.reporting.projection.import_module", _missing)
    with pytest.raises(UsageError, match=r"t-SNE needs scikit-learn") as caught:
        project(np.eye(12), method="t-sne")
    assert "avelzoo[report]" in str(caught.value)


def _missing(name):
    raise ImportError(f"No module named '{name}'")
