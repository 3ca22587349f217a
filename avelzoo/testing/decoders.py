"""Checks for decoders."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import torch

from avelzoo.builtin.heads.configs import DoubleConfig
from avelzoo.channels import UNIMODAL, channels_of
from avelzoo.components import DecoderConfig
from avelzoo.contracts import Decoder
from avelzoo.errors import DataWarning
from avelzoo.metrics import PredictionArrays, Truth
from avelzoo.records import Widths
from avelzoo.testing.harness import SPEC

_SIZES = ((7, 5), (4, 1), (3, 12))
"""(videos, segments)."""


def random_predictions(
    config: DecoderConfig, videos: int = 7, t: int = 5, *, seed: int = 0
) -> tuple[PredictionArrays, Truth]:
    """Random predictions with the decoder's inputs, and correlated labels; lengths differ."""
    rng, n = np.random.default_rng(seed), SPEC.n
    lengths = rng.integers(1, t + 1, videos)
    real = np.arange(t) < lengths[:, None]
    category = rng.integers(0, n, videos)
    first, last = np.sort(rng.integers(0, t, (2, videos)), axis=0)[:, :, None]
    on = (np.arange(t) >= first) & (np.arange(t) <= last) & real
    truth = Truth(
        segments=np.where(on, category[:, None], n), events=category, lengths=lengths, categories=SPEC.categories
    )
    own = np.eye(n)[category][:, None] * on[..., None]
    relevance = np.clip(0.3 + 0.3 * on + 0.2 * rng.standard_normal(on.shape), 0, 1).astype(np.float32)
    ranked = (np.eye(n)[category] + 0.5 * rng.standard_normal((videos, n))).astype(np.float32)
    answer = ranked.argmax(axis=1)
    scores = {}
    if channels_of(UNIMODAL) & channels_of(*config.reads("full")):
        for name in ("audio_scores", "visual_scores"):
            noisy = np.clip(0.2 + 0.5 * own + 0.2 * rng.standard_normal(own.shape), 0, 1)
            scores[name] = (noisy * real[..., None]).astype(np.float32)
    predictions = PredictionArrays(
        segments=np.where((relevance > 0.5) & real, answer[:, None], n),
        category=answer,
        category_scores=ranked,
        relevance=relevance * real,
        lengths=lengths,
        **scores,
    )
    return predictions, truth


def _built(config: DecoderConfig) -> Decoder | None:
    head = DoubleConfig().build(SPEC, Widths(fused=8, audio=8, visual=8), "full")
    return config.build(SPEC, head)


def _fit(decoder: Decoder, val: PredictionArrays, truth: Truth) -> None:
    """Choose the decoder's values; random predictions may give reasons to warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        decoder.fit(val, truth)


def _cases(config: DecoderConfig) -> Iterator[tuple[Decoder, PredictionArrays]]:
    """The decoder before and after fitting, with predictions of several sizes."""
    for seed, (videos, t) in enumerate(_SIZES):
        for fitted in (False, True):
            decoder = _built(config)
            if decoder is None:
                return
            if fitted:
                _fit(decoder, *random_predictions(config, videos, t, seed=seed))
            yield decoder, random_predictions(config, videos, t, seed=seed + 10)[0]


def _same(one: PredictionArrays, other: PredictionArrays, real: np.ndarray | None = None) -> bool:
    """Whether decisions and scores agree, in real segments if these are given."""
    here = np.ones(one.segments.shape, dtype=np.bool_) if real is None else real
    rows = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("category", "category_scores"))
    cells = (np.array_equal(getattr(one, name)[here], getattr(other, name)[here]) for name in ("segments", "relevance"))
    return rows and all(cells)


def check_decides_into_the_categories(config: DecoderConfig) -> None:
    """Ids are 0..n; categories are 0..n-1 and have the highest score; shapes are kept; padding is background."""
    for decoder, given in _cases(config):
        found = decoder.decide(given)
        assert isinstance(found, PredictionArrays), f"`decide` returned a {type(found).__name__}"
        assert found.segments.shape == given.segments.shape, f"segments are {found.segments.shape}"
        assert found.category_scores.shape == given.category_scores.shape, "category_scores are not (v n)"
        assert np.array_equal(found.category_scores.argmax(1), found.category), "category is not the best score's"
        assert (found.segments[~given.real] == given.n).all(), "padding is not background"


def check_videos_are_independent(config: DecoderConfig) -> None:
    """The decision for a video does not depend on other videos."""
    for decoder, given in _cases(config):
        together = decoder.decide(given)
        for i in range(len(given.category)):
            rows = {f.name: v[i : i + 1] for f in fields(given) if (v := getattr(given, f.name)) is not None}
            alone = decoder.decide(PredictionArrays(**rows))
            assert np.array_equal(alone.segments[0], together.segments[i]), f"video {i} is decided differently alone"
            assert np.array_equal(alone.category[0], together.category[i]), f"video {i} has another category alone"


def check_padding_is_not_read(config: DecoderConfig) -> None:
    """The content of padding changes no decision and no fitted value."""
    for decoder, given in _cases(config):
        noise = {
            name: np.where(given.real[..., None] if value.ndim == 3 else given.real, value, np.float32(0.9))
            for name in ("relevance", "audio_scores", "visual_scores")
            if (value := getattr(given, name)) is not None
        }
        assert _same(decoder.decide(given), decoder.decide(replace(given, **noise)), given.real), "padding is read"


def check_inputs_not_changed(config: DecoderConfig) -> None:
    """Predictions and labels are not modified."""
    for decoder, given in _cases(config):
        val, truth = random_predictions(config)
        before = copy.deepcopy((given, val, truth))
        _fit(decoder, val, truth)
        decoder.decide(given)
        for now, then in zip((given, val, truth), before, strict=True):
            for name, was in vars(then).items():
                value = getattr(now, name)
                if isinstance(was, np.ndarray):
                    assert np.array_equal(was, value), f"{name} was changed in place"


def check_fits_on_val_alone(config: DecoderConfig) -> None:
    """Fitting depends on val only, not on earlier fits or random generators."""
    val, truth = random_predictions(config, 20)
    states = []
    for seed in (1, 2):
        decoder = _built(config)
        if decoder is None:
            return
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002, a decoder that reads the global generator is what this looks for
        _fit(decoder, *random_predictions(config, 9, seed=seed))
        _fit(decoder, val, truth)
        states.append(decoder.state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), f"{name} depends on something else than val"


def check_state_dict_round_trip(config: DecoderConfig) -> None:
    """A new decoder with the state of a fitted one has the same decisions and description."""
    for decoder, given in _cases(config):
        other = _built(config)
        assert other is not None
        other.load_state_dict(decoder.state_dict())
        assert _same(decoder.decide(given), other.decide(given)), "the state dict does not hold everything"
        assert decoder.describe() == other.describe(), "the state dict does not hold everything it describes"


def check_describes_itself(config: DecoderConfig) -> None:
    """The description is one line without a full stop."""
    for decoder, _ in _cases(config):
        text = decoder.describe()
        assert text == text.strip(), "spaces around the description"
        assert text, "no description"
        assert "\n" not in text, "several lines"
        assert not text.endswith("."), "a full stop"
