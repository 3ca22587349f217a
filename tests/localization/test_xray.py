"""Modality X-ray: the axioms of the Shapley value, and on worlds the modality that leads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.contracts import Encoder
from avelzoo.localization.xray import Baseline, preferences, shapley, xray
from avelzoo.records import Batch, Encoded
from avelzoo.testing.harness import random_batch
from tests.exporting.models import SPEC, stepped


@pytest.fixture(scope="module", params=["ead-b", "single-branch", "psp", "cmran"])
def model(request):
    return stepped(request.param).model


def values(model, batch, baseline):
    """Relevance and category scores of the four coalitions by four plain predictions."""
    found = {}
    with torch.no_grad():
        view = model.view()
        for heard in (True, False):
            for seen in (True, False):
                one = Batch(
                    audio=batch.audio if heard else baseline.audio.expand_as(batch.audio),
                    visual=batch.visual if seen else baseline.visual.expand_as(batch.visual),
                    rows=batch.rows,
                )
                found[heard, seen] = model.decode(model.predict(one, view))
    return found


def test_shares_sum_to_the_difference_of_the_model_with_and_without_both(model):
    batch, baseline = random_batch(SPEC, 4, seed=3), Baseline.zeros(SPEC)
    found = values(model, batch, baseline)
    shares = xray(model, model.view(), batch.audio, batch.visual, baseline)
    both, none = found[True, True], found[False, False]
    np.testing.assert_allclose(shares.audio + shares.visual, both.relevance - none.relevance, atol=1e-6)
    np.testing.assert_allclose(shares.base, none.relevance, atol=1e-6)
    np.testing.assert_array_equal(shares.category, both.category)
    lead = both.category_scores.max(dim=1).values - both.category_scores.mean(dim=1)
    total = shares.category_audio + shares.category_visual + shares.category_base
    np.testing.assert_allclose(total, lead, rtol=1e-5, atol=1e-5)


def test_each_share_is_the_mean_of_both_orders_of_arrival(model):
    batch, baseline = random_batch(SPEC, 2, seed=5), Baseline.zeros(SPEC)
    v = {key: one.relevance.numpy() for key, one in values(model, batch, baseline).items()}
    shares = xray(model, model.view(), batch.audio, batch.visual, baseline)
    first, last = v[True, False] - v[False, False], v[True, True] - v[False, True]
    np.testing.assert_allclose(shares.audio, (first + last) / 2, atol=1e-6)


def test_axioms_on_random_games():
    rng = np.random.default_rng(0)
    both, audio, visual, none = rng.standard_normal((4, 100))
    heard, seen = shapley(both, audio, visual, none)
    np.testing.assert_allclose(heard + seen, both - none)  # efficiency
    np.testing.assert_allclose(shapley(both, visual, audio, none), (seen, heard))  # symmetry under exchange
    same = shapley(both, audio, audio, none)
    np.testing.assert_allclose(same[0], same[1])  # equal players, equal shares
    np.testing.assert_allclose(shapley(audio, audio, none, none)[1], 0)  # a dummy gets nothing
    more = rng.standard_normal((4, 100))
    total = shapley(*(np.stack([both, audio, visual, none]) + more))
    np.testing.assert_allclose(total, np.add(shapley(both, audio, visual, none), shapley(*more)))  # additivity


class Deaf(Encoder):
    """An encoder that ignores the sound."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.widths = inner, inner.widths

    def forward(self, audio, visual):
        found: Encoded = self.inner(torch.zeros_like(audio), visual)
        return found


def test_a_modality_that_the_model_ignores_has_no_share():
    model = stepped("single-branch").model
    model.encoder = Deaf(model.encoder)
    batch = random_batch(SPEC, 3, seed=1)
    shares = xray(model, None, batch.audio, batch.visual, Baseline.zeros(SPEC))
    assert np.abs(shares.audio).max() == 0 and np.abs(shares.category_audio).max() == 0
    assert np.abs(shares.visual).max() > 0


class LedByOne(Encoder):
    """An encoder that follows sound alone in the first videos of a batch, and sight alone in the others."""

    def __init__(self, inner, heard):
        super().__init__()
        self.inner, self.widths, self.heard = inner, inner.widths, heard

    def forward(self, audio, visual):
        led = torch.arange(len(audio)) < self.heard
        found: Encoded = self.inner(audio * led[:, None, None], visual * ~led[:, None, None, None, None])
        return found


def test_shares_follow_the_modality_that_leads_each_video():
    model = stepped("single-branch").model
    model.encoder = LedByOne(model.encoder, heard=2)
    batch = random_batch(SPEC, 5, seed=2)
    shares = xray(model, None, batch.audio, batch.visual, Baseline.zeros(SPEC))
    assert np.abs(shares.visual[:2]).max() == 0 and np.abs(shares.audio[2:]).max() == 0
    assert np.abs(shares.audio[:2]).min() > 0 and np.abs(shares.visual[2:]).min() > 0


def test_the_baseline_is_the_mean_over_real_segments():
    data = WorldsConfig(train_videos=6, spread=3, segments=6).open("full")
    batch, _ = data.split("train").fetch(range(6))
    found = Baseline.mean(data)
    np.testing.assert_allclose(found.audio, batch.audio[batch.mask].mean(dim=0), atol=1e-5)
    np.testing.assert_allclose(found.visual, batch.visual[batch.mask].mean(dim=0), atol=1e-5)
    assert found.words == "mean over the segments of 6 training videos"


def test_the_baseline_counts_a_video_of_several_rows_once():
    """In AVE a video with events of two categories has two rows."""
    data = WorldsConfig(train_videos=6).open("full")
    split = data.split("train")
    split.video_ids = ["a", "a", "b", "b", "b", "c"]
    data.split = lambda name: split
    assert Baseline.mean(data).words == "mean over the segments of 3 training videos"
    split.video_ids = ["a"] * 6
    assert Baseline.mean(data).words == "mean over the segments of 1 training video"


def test_without_training_data_the_baseline_is_zeros_and_says_why():
    run = stepped("ead-b")  # its data set has other sizes
    found = Baseline.of_run(run)
    assert not found.audio.any() and found.words == "feature value zero: the training data have changed"


def test_preferences_need_stored_features():
    run = stepped("single-branch")
    assert preferences(run.model, None, SPEC.categories, Baseline.zeros(SPEC)) == {}


def test_preferences_are_the_shares_of_the_stored_segments():
    model = stepped("ead-b").model
    view, baseline = model.view(), Baseline.zeros(SPEC)
    found = preferences(model, view, SPEC.categories, baseline)
    audio, visual, filled = model.memory.stored()
    count = int(filled[1].sum())
    shares = xray(model, view, audio[1:2, :count], visual[1:2, :count], baseline)
    row = found[SPEC.categories[1]]
    assert row["audio"] == pytest.approx(float(shares.audio.mean()))
    assert row["preference"] == pytest.approx(row["audio"] / (abs(row["audio"]) + abs(row["visual"])))
