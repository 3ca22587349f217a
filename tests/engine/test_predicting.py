"""A run's model on arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo import WorldsConfig, load_run, run
from avelzoo.errors import DataError
from avelzoo.metrics.stored import load_predictions

FEW = {"train.epochs": 2, "dataset.train_videos": 60, "dataset.val_videos": 20, "dataset.test_videos": 20}
RECIPES = {
    "margin": ("ead-b", {"encoder": "mean-pool"}, {"encoder.width": 16, "memory.size": 3}),
    "decoder": ("double-branch", {"encoder": "mean-pool"}, {"encoder.width": 16}),
}


@pytest.fixture(scope="module", params=RECIPES)
def trained(request, tmp_path_factory):
    name, parts, options = RECIPES[request.param]
    out = tmp_path_factory.mktemp("run") / "run"
    result = run(name, **parts, options=options | FEW, out=out)
    return load_run(result.run_dir)


@pytest.fixture(scope="module")
def features(trained):
    split = trained.composition.recipe.dataset.open("full").split("test")
    batch, _ = split.fetch(np.arange(len(split)))
    return batch.audio.numpy(), batch.visual.numpy()


def test_arrays_get_the_predictions_of_the_evaluation(trained, features):
    found = trained.predict(*features)
    _, stored, _ = load_predictions(trained.path / "predictions.h5", "test")
    assert np.array_equal(found.segments, stored.segments)
    assert np.allclose(found.relevance, stored.relevance, atol=1e-6)
    assert np.allclose(found.category_scores, stored.category_scores, atol=1e-5)


def test_one_video_and_tensors(trained, features):
    audio, visual = features
    one = trained.predict(audio[0], torch.from_numpy(visual[0]))
    assert one.segments.shape == (1, audio.shape[1])
    assert np.allclose(one.relevance, trained.predict(*features).relevance[:1], atol=1e-5)


def test_padding_is_masked(trained, features):
    audio, visual = (part[:2].copy() for part in features)
    short = trained.predict(audio[:1, :4], visual[:1, :4])
    audio[0, 4:], visual[0, 4:] = 1e3, -1e3
    found = trained.predict(audio, visual, lengths=[4, audio.shape[1]])
    assert np.allclose(found.relevance[0, :4], short.relevance[0], atol=1e-5)
    assert np.array_equal(found.segments[0, :4], short.segments[0])
    assert (found.segments[0, 4:] == trained.spec.background).all()


def test_the_caller_keeps_its_state(trained, features):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    trained.model.train()
    trained.predict(*features)
    assert torch.equal(torch.get_rng_state(), before)
    assert next(trained.model.parameters()).device.type == "cpu"
    trained.model.eval()


@pytest.mark.parametrize("seconds", [1, 23])
def test_any_number_of_segments(trained, seconds):
    spec = WorldsConfig().open("full").spec
    rng = np.random.default_rng(0)
    audio = rng.standard_normal((seconds, spec.audio_dim)).astype(np.float32)
    visual = rng.standard_normal((seconds, *spec.grid, spec.visual_dim)).astype(np.float32)
    assert trained.predict(audio, visual).relevance.shape == (1, seconds)


def test_features_that_do_not_fit_are_refused(trained, features):
    audio, visual = features
    broken = audio.copy()
    broken[0, 0, 0] = np.nan
    for wrong, match in (
        ((audio[..., :-1], visual), "do not fit the run"),
        ((audio[:, :3], visual), "different numbers of segments"),
        ((audio, np.moveaxis(visual, -1, 2)), "do not fit the run"),
        ((audio[0, 0], visual), "audio features have the wrong form"),
        ((audio, visual.astype(str)), "visual features have the wrong form"),
        ((audio[:0], visual[:0]), "do not fit the run"),
        ((broken, visual), "NaN or infinity"),
    ):
        with pytest.raises(DataError, match=match):
            trained.predict(*wrong)
    for lengths in ([1], [0] * len(audio), [99] * len(audio), [1.5] * len(audio)):
        with pytest.raises(DataError, match="lengths"):
            trained.predict(audio, visual, lengths=lengths)
