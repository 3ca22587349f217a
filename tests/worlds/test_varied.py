"""Worlds whose videos differ in length, may have no event, and may have several runs of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from avelzoo import VariedWorldsConfig, WorldsConfig
from avelzoo.builtin.datasets.worlds_generator import World
from avelzoo.builtin.datasets.worlds_intervals import draw_several, several, several_sums
from avelzoo.builtin.datasets.worlds_reference import Reference
from avelzoo.errors import OptionError

TINY = WorldsConfig(
    audio_led=1,
    visual_led=1,
    balanced=1,
    segments=5,
    spread=1,
    eventless=0.2,
    repeated=0.5,
    run_lengths="uniform",
    mislead=0.7,
    noise=0.8,
    cue_noise=0.6,
    jitter=0.4,
    train_videos=3,
    val_videos=3,
    test_videos=45,
)


def count_runs(row):
    return int((np.diff(np.concatenate([[0], np.asarray(row).astype(int)])) == 1).sum())


def masks(t):
    """Every (t) bool."""
    return [np.array(row) for row in product([False, True], repeat=t)]


def law_of_several(t):
    """Probability of every mask of 2 or 3 runs, by going through all."""
    found = [mask for mask in masks(t) if count_runs(mask) in several(t)]
    sizes = Counter(map(count_runs, found))
    return [(mask, 1 / sizes[count_runs(mask)] / len(several(t))) for mask in found]


@pytest.mark.parametrize("t", [1, 2, 3, 4, 5, 7])
def test_sums_over_several_runs_are_those_over_every_mask(t):
    gains = np.random.default_rng(t).normal(size=(2, 3, t)) * 3
    total, inside = several_sums(gains)
    law = law_of_several(t)
    expected = sum((p * np.exp((gains * mask).sum(axis=-1)) for mask, p in law), start=np.zeros((2, 3)))
    within = sum((p * np.exp((gains * m).sum(axis=-1))[..., None] * m for m, p in law), start=np.zeros((2, 3, t)))
    np.testing.assert_allclose(np.exp(total), expected, rtol=1e-9)
    np.testing.assert_allclose(np.exp(inside), within, rtol=1e-9)


def test_several_runs_are_drawn_by_their_law():
    rng = np.random.default_rng(0)
    drawn = Counter(draw_several(rng, 5).tobytes() for _ in range(20_000))
    law = law_of_several(5)
    assert len(drawn) == len(law)
    for mask, p in law:
        assert drawn[mask.tobytes()] / 20_000 == pytest.approx(p, abs=0.015)


def naive(world, reference, audio, visual, biases):
    """Ids (b t), by going through every event and every decoy of every category."""
    config, t, n = world.config, audio.shape[1], len(world.names)
    heard, seen = reference.hear(audio), reference.see(visual)
    one = [
        (mask, (1 - config.repeated) / t / (t - mask.sum() + 1)) for mask in masks(t) if count_runs(mask) == 1
    ]  # all lengths 1..t alike, all starts alike
    decoys = one + [(mask, config.repeated * p) for mask, p in law_of_several(t)]
    events = [(mask, (1 - config.eventless) * p) for mask, p in decoys] + [(np.zeros(t, dtype=bool), config.eventless)]
    predictions = np.full((len(audio), t), n)
    for b in range(len(audio)):
        joint = np.zeros((n, len(events)))
        for c, bias in product(range(n), ("audio-led", "visual-led", "balanced")):
            for i, (event, chance) in enumerate(events):
                for decoy, other in decoys:
                    for loose, share in ((decoy, config.mislead), (event, 1 - config.mislead)):
                        sound = loose if bias == "visual-led" else event
                        look = loose if bias == "audio-led" else event
                        score = (heard.quiet + sound * heard.gain + seen.quiet + look * seen.gain)[b, c].sum()
                        joint[c, i] += biases(c, bias) * chance * other * share * np.exp(score)
        best = joint.sum(axis=1).argmax()
        inside = sum(p * event for p, (event, _) in zip(joint[best] / joint[best].sum(), events, strict=True))
        predictions[b, inside > 0.5] = best
    return predictions


@pytest.mark.parametrize("t", [4, 5, 6])
def test_references_weigh_every_event_and_every_decoy(t):
    world = World(TINY)
    split = TINY.open("full").split("test")
    places = np.flatnonzero(split.lengths() == t)[:5]
    audio, visual = (features[:, :t] for features in split.features(places))
    reference = Reference(world, t)
    found = reference.predict(audio, visual)
    own = naive(world, reference, audio, visual, lambda c, bias: float(world.biases[c] == bias))
    blind = naive(world, reference, audio, visual, lambda c, bias: 1 / 3)
    assert np.array_equal(found["bias_aware"], own)
    assert np.array_equal(found["category_blind"], blind)


def test_every_split_has_all_three():
    config = VariedWorldsConfig()
    dataset = config.open("full")
    assert dataset.spec.segments == 10, "the usual number"
    for name in ("train", "val", "test"):
        split = dataset.split(name)
        labels, lengths, events = split.labels(), split.lengths(), split.events()
        assert set(lengths) == set(range(6, 15))
        assert labels.shape == (len(split), 14)
        assert (events == dataset.spec.n).mean() == pytest.approx(config.eventless, abs=0.06)
        assert (labels[events == dataset.spec.n] == dataset.spec.n).all()
        counts = Counter(count_runs(row != dataset.spec.n) for row in labels[events < dataset.spec.n])
        assert set(counts) == {1, 2, 3}
        assert counts[1] / counts.total() == pytest.approx(1 - config.repeated, abs=0.08)


def test_padding_is_masked_and_zero():
    split = VariedWorldsConfig(test_videos=20).open("full").split("test")
    batch, targets = split.fetch(np.arange(20))
    assert np.array_equal(batch.mask.sum(dim=1).numpy(), split.lengths())
    assert bool((batch.mask[:, :-1] >= batch.mask[:, 1:]).all()), "real segments come first"
    assert float(batch.audio[~batch.mask].abs().max()) == float(batch.visual[~batch.mask].abs().max()) == 0
    assert float(batch.audio[batch.mask].abs().amax(dim=-1).min()) > 0
    assert bool((targets.segments[~batch.mask] == targets.background).all())
    assert WorldsConfig(test_videos=2).open("full").split("test").fetch([0])[0].mask is None


def test_videos_without_an_event_are_negatives_of_weak_training():
    train = VariedWorldsConfig().open("weak").split("train")
    _, targets = train.fetch(np.arange(len(train)))
    without = targets.event == targets.background
    assert targets.segments is None
    assert 0 < int(without.sum()) < len(train)
    assert bool((targets.presence == (~without).float()).all())


def test_references_hold():
    dataset = VariedWorldsConfig().open("full")
    split = dataset.split("test")
    real = np.arange(14) < split.lengths()[:, None]
    labels = split.labels()
    right = {name: (ids == labels)[real].mean() for name, ids in dataset.references("test").items()}
    floors = [(labels == guess)[real].mean() for guess in (dataset.spec.n, split.events()[:, None])]
    assert right["bias_aware"] > 0.98
    assert max(floors) + 0.05 < right["category_blind"] < right["bias_aware"] - 0.03
    assert all((ids[~real] == dataset.spec.n).all() for ids in dataset.references("test").values())


def test_a_spread_of_all_segments_is_refused():
    with pytest.raises(OptionError, match="no segments"):
        replace(TINY, spread=5)
