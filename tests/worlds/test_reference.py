"""Reference predictors against the plainest computation of the same: explicit densities, every pair of runs in turn."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from avelzoo import HardWorldsConfig, WorldsConfig
from avelzoo.builtin.datasets.worlds_generator import World
from avelzoo.builtin.datasets.worlds_reference import Reference

TINY = WorldsConfig(
    audio_led=1,
    visual_led=1,
    balanced=1,
    segments=4,
    run_lengths="uniform",
    train_videos=3,
    val_videos=3,
    test_videos=45,
)
NOISY = {"noise": 0.8, "cue_noise": 0.6, "jitter": 0.4, "mislead": 0.7}
LAWS = [{}, {"rest": 0.5, "cue": 0.4}, {"rest": 0.0, "cue": 0.0}, {"rest": 1.0, "cue": 2.0}]


def density(x, signature, cue, state, config):
    """log N(x; strength S + level u, noise^2 I + jitter^2 S S^T + cue_noise^2 u u^T), state = (strength, level)."""
    strength, level = state
    covariance = config.noise**2 * np.eye(len(cue))
    covariance += config.jitter**2 * np.outer(signature, signature) + config.cue_noise**2 * np.outer(cue, cue)
    law = MultivariateNormal(torch.from_numpy(strength * signature + level * cue), torch.from_numpy(covariance))
    return law.log_prob(torch.from_numpy(x)).numpy()


@pytest.mark.parametrize("law", LAWS)
def test_evidence_of_sound_is_the_density_at_rest_and_what_activity_adds(law):
    config = replace(TINY, **NOISY, **law)
    world = World(config)
    audio, _ = TINY.open("full").split("test").features(np.arange(5))
    found = Reference(world).hear(audio)
    for c, signature in enumerate(world.sounds):
        x = audio.astype(np.float64)
        quiet = density(x, signature, world.audio_cue, (config.rest, 1.0), config)
        active = density(x, signature, world.audio_cue, (1.0, 1.0 + config.cue), config)
        np.testing.assert_allclose(found.quiet[:, c], quiet, rtol=1e-9)
        np.testing.assert_allclose(found.gain[:, c], active - quiet, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("law", LAWS)
def test_evidence_of_sight_is_the_mean_over_places_against_what_stands_there_otherwise(law):
    config = replace(TINY, **NOISY, **law, grid_height=1, grid_width=2, distractors=1, distraction=0.5)
    world = World(config)
    _, visual = config.open("full").split("test").features(np.arange(5))
    found = Reference(world).see(visual)
    x = visual.reshape(5, config.segments, 2, -1).astype(np.float64)

    def seen(c, state, relative=1.0):
        return density(x, world.looks[c], relative * world.visual_cue, state, config)

    states = ((config.rest, 1.0), (1.0, 1.0 + config.cue))
    # with two cells and one silent object, the other cell always holds that object
    silent = np.mean([np.exp(seen(c, state, 0.5)) for c, state in product(range(3), states)], axis=0)
    for c in range(3):
        quiet, active = (np.log((np.exp(seen(c, state)) / silent).mean(axis=-1)) for state in states)
        np.testing.assert_allclose(found.quiet[:, c], quiet, rtol=1e-6)
        np.testing.assert_allclose(found.gain[:, c], active - quiet, rtol=1e-6, atol=1e-6)


def runs(t):
    """Every run of t segments as (t) bool, with its probability when all lengths 1..t are equally likely."""
    for start in range(t):
        for end in range(start + 1, t + 1):
            inside = (np.arange(t) >= start) & (np.arange(t) < end)
            yield inside, 1 / t / (t - (end - start) + 1)


def naive(world, reference, audio, visual, biases):
    """Ids (b t): category and run chosen by going through every event and every decoy of every category."""
    heard, seen = reference.hear(audio), reference.see(visual)
    t, n, mislead = world.config.segments, len(world.names), world.config.mislead
    predictions = np.full((len(audio), t), n)
    for b in range(len(audio)):
        joint = np.zeros((n, len(list(runs(t)))))
        for c, bias in product(range(n), ("audio-led", "visual-led", "balanced")):
            for i, (event, chance) in enumerate(runs(t)):
                for decoy, other in runs(t):
                    for loose, share in ((decoy, mislead), (event, 1 - mislead)):
                        sound = loose if bias == "visual-led" else event
                        look = loose if bias == "audio-led" else event
                        score = (heard.quiet + sound * heard.gain + seen.quiet + look * seen.gain)[b, c].sum()
                        joint[c, i] += biases(c, bias) * chance * other * share * np.exp(score)
        best = joint.sum(axis=1).argmax()
        posterior = joint[best] / joint[best].sum()
        expected = [
            sum(p * (event == chosen).sum() for p, (event, _) in zip(posterior, runs(t), strict=True))
            for chosen in [np.zeros(t, dtype=bool), *(run for run, _ in runs(t))]
        ]
        place = int(np.argmax(expected))
        if place:
            predictions[b, list(runs(t))[place - 1][0]] = best
    return predictions


@pytest.mark.parametrize("law", LAWS)
def test_references_weigh_every_event_and_every_decoy(law):
    config = replace(TINY, **NOISY, **law)
    world = World(config)
    reference = Reference(world)
    features = config.open("full").split("test").features(np.arange(12))
    found = reference.predict(*features)
    own = naive(world, reference, *features, lambda c, bias: float(world.biases[c] == bias))
    blind = naive(world, reference, *features, lambda c, bias: 1 / 3)
    assert np.array_equal(found["bias_aware"], own)
    assert np.array_equal(found["category_blind"], blind)
    assert not np.array_equal(own, blind)


def test_references_know_that_signatures_fade():
    config = replace(TINY, segments=10, rest=0.0, cue=0.3, cue_noise=0.4, test_videos=150)
    split = config.open("full").split("test")
    features = split.features(np.arange(len(split)))
    knows, thinks_they_stay = (Reference(World(c)) for c in (config, replace(config, rest=1.0)))
    right = [(r.predict(*features)["bias_aware"] == split.labels()).mean() for r in (knows, thinks_they_stay)]
    assert right[0] > right[1] + 0.05


@pytest.mark.parametrize("seed", [0, 1])
def test_the_harder_edition_leaves_more_to_lose(seed):
    dataset = HardWorldsConfig(seed=seed).open("full")
    split = dataset.split("test")
    labels = split.labels()
    right = {name: (ids == labels).mean() for name, ids in dataset.references("test").items()}
    floor = (labels == split.events()[:, None]).mean()
    assert dataset.spec.n == 28
    assert 0.97 < right["bias_aware"] < 1.0
    assert right["category_blind"] < right["bias_aware"] - 0.08
    assert floor < right["category_blind"] - 0.05
