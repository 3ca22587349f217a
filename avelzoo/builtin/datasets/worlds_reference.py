"""Reference predictors of a world: inference from features by a predictor that knows the world's parameters.

Each modality of a segment is modelled as Gaussian, given the category and the state of the cue. The model ignores the
rectification of the features and the object's path: it infers the object's cell independently in every segment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avelzoo.builtin.datasets.worlds_generator import BIASES, QUIET, World
from avelzoo.builtin.datasets.worlds_intervals import (
    best_run,
    run_law,
    run_sums,
    segment_marginals,
    several,
    several_sums,
)

FloatArray = NDArray[np.float64]
PLACES = 2_000_000
"""Numbers in the largest temporary array."""
LEAST_NOISE = 1e-2
"""Lower bound of the noise, so that every density exists."""


@dataclass(frozen=True)
class Evidence:
    """Log-likelihoods of one modality, up to terms shared by all categories.

    Attributes:
        quiet: (b n t), log-likelihood of each segment with an inactive cue.
        gain: (b n t), difference for an active cue.
    """

    quiet: FloatArray
    gain: FloatArray


class Reference:
    """Reference predictors of a world.

    Args:
        world: the world.
        segments: t, the videos' length; by default the usual one.
    """

    def __init__(self, world: World, segments: int | None = None) -> None:
        self._world = world
        self._segments = world.config.segments if segments is None else segments
        eventless = world.config.eventless
        repeated = world.config.repeated if several(self._segments) else 0.0
        decoy = (1 - repeated) * world.laws[self._segments]
        event = (1 - eventless) * decoy
        event[0] += eventless
        self._several = repeated > 0
        with np.errstate(divide="ignore"):
            self._runs, self._decoys = np.log(run_law(event)), np.log(run_law(decoy))
            self._more, self._more_decoys = np.log(repeated * (1 - eventless)), np.log(repeated)
            self._loose = np.log(world.config.mislead), np.log1p(-world.config.mislead)
            own = np.array([[bias == b for b in BIASES] for bias in world.biases], dtype=np.float64)
            self._weights = {
                "bias_aware": np.log(own),
                "category_blind": np.log(np.broadcast_to(own.mean(axis=0), own.shape)),
            }

    def predict(self, audio: NDArray[np.float32], visual: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
        """Predict segment ids (b t) for every reference: (b t a), (b t h w v) -> name: (b t)."""
        t, n = self._segments, len(self._world.names)
        size = max(1, PLACES // (n * max((t + 1) ** 2, t * self._world.cells)))
        parts = [self._predict(audio[i : i + size], visual[i : i + size]) for i in range(0, len(audio), size)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._weights}

    def _predict(self, audio: NDArray[np.float32], visual: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
        heard, seen = self.hear(audio), self.see(visual)
        base = heard.quiet.sum(axis=-1) + seen.quiet.sum(axis=-1)
        gains = (heard.gain, seen.gain, heard.gain + seen.gain)
        sounds, looks = run_sums(heard.gain), run_sums(seen.gain)
        more = [several_sums(gain) for gain in gains] if self._several else []
        drawn = [self._drawn(scores, more[k][0] if more else None) for k, scores in enumerate((sounds, looks))]
        return {
            name: self._decide(base, self._posterior(sounds, looks, drawn, w), self._in_several(more, drawn, w))
            for name, w in self._weights.items()
        }

    def _posterior(
        self, sounds: FloatArray, looks: FloatArray, drawn: list[FloatArray], weights: FloatArray
    ) -> FloatArray:
        """Log p(run, features | category) over all runs, (b n t+1 t+1), up to the features of inactive cues.

        Args:
            sounds: (b n t+1 t+1), log-likelihood gain of an audio cue active in each run.
            looks: the same for the visual cue.
            drawn: (b n 1 1) each, log-likelihood gain of an audio and of a visual decoy.
            weights: (n 3), log-probability of each bias given the category.
        """
        loose, tied = self._loose
        led = [
            sounds + np.logaddexp(tied + looks, loose + drawn[1]),
            looks + np.logaddexp(tied + sounds, loose + drawn[0]),
            sounds + looks,
        ]
        mixed = np.full_like(sounds, -np.inf)
        for k, scores in enumerate(led):
            mixed = np.logaddexp(mixed, weights[:, k, None, None] + scores)
        mixed += self._runs
        return mixed

    def _drawn(self, scores: FloatArray, more: FloatArray | None = None) -> FloatArray:
        """Log-likelihood gain of a cue that follows a decoy of any kind, (b n 1 1)."""
        one = _log_sum(scores + self._decoys, axes=(-2, -1))
        return one if more is None else np.logaddexp(one, self._more_decoys + more[..., None, None])

    def _in_several(
        self, more: list[tuple[FloatArray, FloatArray]], drawn: list[FloatArray], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray] | None:
        """As `_posterior`, summed over all events in several runs: (b n), and (b n t) where segment t is in one.

        Args:
            more: what `several_sums` makes of the audio's gains, of the image's and of both; empty without such events.
            drawn: as in `_posterior`.
            weights: as in `_posterior`.
        """
        if not more:
            return None
        loose, tied = self._loose
        audio, visual, both = weights.T
        factors = (
            audio + loose + drawn[1][..., 0, 0],
            visual + loose + drawn[0][..., 0, 0],
            np.logaddexp(np.logaddexp(audio, visual) + tied, both),
        )
        total = np.logaddexp.reduce([f + part[0] for f, part in zip(factors, more, strict=True)])
        inside = np.logaddexp.reduce([f[..., None] + part[1] for f, part in zip(factors, more, strict=True)])
        return self._more + total, self._more + inside

    def _decide(
        self, base: FloatArray, runs: FloatArray, more: tuple[FloatArray, FloatArray] | None
    ) -> NDArray[np.int64]:
        """The likeliest category, in the best run under it or, where events may have several, where it is likely."""
        total = _log_sum(runs, axes=(-2, -1))
        if more is not None:
            total = np.logaddexp(total, more[0][..., None, None])
        category = (base + total[..., 0, 0]).argmax(axis=-1)
        videos = np.arange(len(category))
        shares = np.exp(runs[videos, category] - total[videos, category])
        inside = segment_marginals(shares)
        if more is None:
            chosen = best_run(inside)
        else:
            chosen = inside + np.exp(more[1][videos, category] - total[videos, category][..., 0]) > 1 / 2
        return np.where(chosen, category[:, None], len(self._world.names))

    def hear(self, audio: NDArray[np.float32]) -> Evidence:
        """Evidence from audio (b t a)."""
        world = self._world
        quiet, active = self._densities(audio.astype(np.float64), world.sounds, world.audio_cue)
        return Evidence(np.moveaxis(quiet, -1, 1), np.moveaxis(active - quiet, -1, 1))

    def see(self, visual: NDArray[np.float32]) -> Evidence:
        """Evidence from images (b t h w v): mean over cells of object against ground, as one cell has the object."""
        world = self._world
        cells = visual.astype(np.float64).reshape(*visual.shape[:2], -1, visual.shape[-1])
        quiet, active = self._densities(cells, world.looks, world.visual_cue)
        ground = self._ground(cells)[..., None]
        quiet, active = (_log_sum(x - ground, axes=(2,))[:, :, 0] - math.log(world.cells) for x in (quiet, active))
        return Evidence(np.moveaxis(quiet, -1, 1), np.moveaxis(active - quiet, -1, 1))

    def _ground(self, cells: FloatArray) -> FloatArray:
        """Log-density of cells (b t hw v) without the event's object: clutter or a silent object of any category."""
        world, config = self._world, self._world.config
        mean = config.clutter / math.sqrt(2 * math.pi)
        variance = config.clutter**2 / 2 - mean**2 + max(config.noise, LEAST_NOISE) ** 2
        squares = np.square(cells - mean).sum(axis=-1)
        clutter: FloatArray = -(squares / variance + cells.shape[-1] * math.log(2 * math.pi * variance)) / 2
        if not world.silent:
            return clutter
        share = world.silent / (world.cells - 1)
        objects = np.stack(self._densities(cells, world.looks, config.distraction * world.visual_cue))
        silent = _log_sum(objects, axes=(0, -1))[0, ..., 0] - math.log(objects.shape[0] * objects.shape[-1])
        with np.errstate(divide="ignore"):
            ground: FloatArray = np.logaddexp(np.log1p(-share) + clutter, math.log(share) + silent)
        return ground

    def _densities(self, x: FloatArray, signatures: FloatArray, cue: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-densities of vectors (... c) under every category, with inactive and active cue, both (... n).

        N(x; g S + level u, noise^2 I + jitter^2 S S^T + cue_noise^2 u u^T), g the signature's strength, inverted by
        Woodbury's identity: only the products of x with S, with u and with itself are needed.
        """
        config = self._world.config
        variance = max(config.noise, LEAST_NOISE) ** 2
        scales = np.array([config.jitter, config.cue_noise])
        products = np.stack([x @ signatures.T, np.broadcast_to((x @ cue)[..., None], (*x.shape[:-1], len(signatures)))])
        squares = np.square(x).sum(axis=-1)[..., None]
        basis = np.stack([signatures, np.broadcast_to(cue, signatures.shape)])
        gram = np.einsum("inc,jnc->nij", basis, basis)
        inner = scales[:, None] * gram * scales + variance * np.eye(2)
        _, log_inner = np.linalg.slogdet(inner)
        channels = x.shape[-1]
        log_det = log_inner + (channels - 2) * math.log(variance) + channels * math.log(2 * math.pi)
        found = []
        for mean in (np.array([config.rest, QUIET]), np.array([1.0, QUIET + config.cue])):
            rest = squares - 2 * np.einsum("i,i...->...", mean, products) + np.einsum("i,nij,j->n", mean, gram, mean)
            tilt = np.moveaxis(products, 0, -1) - np.einsum("nij,j->ni", gram, mean)
            tilt = tilt * scales
            explained = np.einsum("...ni,nij,...nj->...n", tilt, np.linalg.inv(inner), tilt)
            found.append(-((rest - explained) / variance + log_det) / 2)
        return found[0], found[1]


def _log_sum(x: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    """Log-sum-exp over axes; the axes are kept with size 1."""
    top = x.max(axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: FloatArray = top + np.log(np.exp(x - top).sum(axis=axes, keepdims=True))
    return total
