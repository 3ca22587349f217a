"""Checks for extractors. Weights must be on this machine; checks never use the network."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from avelzoo.extractors import AudioSampling, Extractor, ExtractorConfig, FrameSampling, recipe_id
from avelzoo.weights.store import WeightStore

SIZES = ((48, 64), (65, 31), (1, 1))
"""Height and width of decoded frames."""


@lru_cache(maxsize=1)
def _built(config: ExtractorConfig) -> Extractor:
    return config.build(WeightStore(offline=True))


def _segments(extractor: Extractor, b: int, seed: int = 0) -> np.ndarray:
    """Random segments in the form of the extractor's sampling."""
    rng = np.random.default_rng(seed)
    sampling = extractor.sampling
    if isinstance(sampling, AudioSampling):
        return rng.uniform(-1, 1, (b, sampling.rate)).astype(np.float32)
    frames = rng.integers(0, 256, (b, sampling.per_segment, *SIZES[0], 3), dtype=np.uint8)
    return np.stack([np.stack([sampling.prepare(frame) for frame in segment]) for segment in frames])


def check_features_have_the_stated_shape(config: ExtractorConfig) -> None:
    """Features are finite float32 arrays of the stated shape, for any number of segments."""
    extractor = _built(config)
    assert len(extractor.shape) == (1 if extractor.modality == "audio" else 3), f"shape is {extractor.shape}"
    for b in (1, 2):
        found = extractor.features(_segments(extractor, b))
        assert found.shape == (b, *extractor.shape), f"features are {found.shape}, stated {(b, *extractor.shape)}"
        assert found.dtype == np.float32, f"features are {found.dtype}"
        assert bool(np.isfinite(found).all()), "features are not finite"


def check_segments_are_independent(config: ExtractorConfig) -> None:
    """The features of a segment do not depend on other segments."""
    extractor = _built(config)
    segments = _segments(extractor, 2)
    together = extractor.features(segments)
    alone = np.concatenate([extractor.features(segments[i : i + 1]) for i in range(len(segments))])
    scale = max(1e-6, float(np.abs(together).max()))
    assert float(np.abs(together - alone).max()) <= 1e-4 * scale, "features depend on the other segments"


def check_features_repeat(config: ExtractorConfig) -> None:
    """The same segments have the same features, bit for bit; segments are not modified."""
    extractor = _built(config)
    segments = _segments(extractor, 1)
    before = segments.copy()
    first = extractor.features(segments)
    assert np.array_equal(segments, before), "segments are changed in place"
    assert np.array_equal(first, extractor.features(segments)), "the same segments give other features"


def check_features_tell_segments_apart(config: ExtractorConfig) -> None:
    """The features of silence or black pictures differ from those of noise."""
    extractor = _built(config)
    noise = _segments(extractor, 1)
    still = extractor.features(np.zeros_like(noise))
    assert bool(np.isfinite(still).all()), "features of an empty segment are not finite"
    assert not np.array_equal(still, extractor.features(noise)), "features do not depend on the segment"


def check_frames_are_kept_small_and_apart(config: ExtractorConfig) -> None:
    """Frames of any size become arrays of one shape that do not share memory with the decoded frame."""
    sampling = _built(config).sampling
    if not isinstance(sampling, FrameSampling):
        return
    assert sampling.per_segment >= 1, f"{sampling.per_segment} frames per segment"
    shapes = set()
    for height, width in SIZES:
        frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        kept = sampling.prepare(frame)
        before = kept.copy()
        frame[:] = 0
        assert np.array_equal(kept, before), "the kept array changes with the decoded frame, which is reused"
        shapes.add((kept.shape, kept.dtype.str))
    assert len(shapes) == 1, f"kept arrays differ in shape or type: {shapes}"


def check_sound_of_any_length(config: ExtractorConfig) -> None:
    """Segments of sound may be shorter or longer than a second."""
    extractor = _built(config)
    if not isinstance(extractor.sampling, AudioSampling):
        return
    rate, second = extractor.sampling.rate, _segments(extractor, 1)
    for waves in (second[:, : rate // 10], second[:, : rate // 2], np.tile(second, 3)[:, :-7]):
        found = extractor.features(waves)
        assert found.shape == (1, *extractor.shape), f"{waves.shape[1]} samples give features {found.shape}"
        assert bool(np.isfinite(found).all()), f"features of {waves.shape[1]} samples are not finite"


def check_recipe_is_plain_and_repeats(config: ExtractorConfig) -> None:
    """The recipe is JSON data with an encoder, the same for the same settings."""
    recipe = _built(config).recipe
    assert json.loads(json.dumps(recipe)) == recipe, "the recipe does not survive JSON"
    assert recipe.get("encoder"), "the recipe has no encoder"
    assert recipe_id(recipe) == recipe_id(config.build(WeightStore(offline=True)).recipe), "the recipe changes"


def check_modality_is_that_of_the_config(config: ExtractorConfig) -> None:
    """Config, extractor and sampling agree on the modality."""
    extractor = _built(config)
    wanted = AudioSampling if config.modality == "audio" else FrameSampling
    assert extractor.modality == config.modality, f"{extractor.modality}, the config says {config.modality}"
    assert isinstance(extractor.sampling, wanted), f"sampling of {extractor.modality} is {extractor.sampling}"


def check_class_scores_are_probabilities(config: ExtractorConfig) -> None:
    """Scores of classes are probabilities, one per class; without classes there are no scores."""
    extractor = _built(config)
    features = extractor.features(_segments(extractor, 2))
    try:
        scores = extractor.class_scores(features[None])
    except NotImplementedError:
        assert not extractor.classes, "classes have no scores"
        return
    assert scores.shape == (1, 2, len(extractor.classes)), f"scores are {scores.shape}"
    assert bool(((scores >= 0) & (scores <= 1)).all()), "scores leave [0, 1]"


def check_weights_have_a_licence(config: ExtractorConfig) -> None:
    """Every file of weights states its licence and its source."""
    bare = [file.name for file in config.weights() if not (file.licence and file.source)]
    assert not bare, f"without licence or source: {', '.join(bare)}"
