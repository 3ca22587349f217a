"""An extractor of sound from a module: checks samples, pads short segments, computes in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from avelzoo.builtin.extractors.devices import number_format, require_device, require_precision
from avelzoo.errors import DataError
from avelzoo.extractors import AudioSampling, Extractor, FeatureRecipe, Modality

BATCH = 16
"""Seconds of sound in a batch; at least one segment."""


class AudioExtractor(Extractor):
    """Features of sound by a module (b samples) -> (b a).

    Args:
        module: computes the features.
        width: a.
        rate: samples per second.
        shortest: samples that the module needs; shorter segments get zeros at their end.
        recipe: everything that changes the numbers.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``32``, or ``bf16`` for matrix products and convolutions in bfloat16.
        classifier: probabilities of classes from features; None for none.
        classes: names of the classes.

    Raises:
        UsageError: this machine has no such device, or the number format is unknown.
    """

    modality: Modality = "audio"

    def __init__(
        self,
        module: nn.Module,
        *,
        width: int,
        rate: int,
        shortest: int,
        recipe: Mapping[str, Any],
        device: str = "cpu",
        precision: str = "32",
        classifier: nn.Module | None = None,
        classes: tuple[str, ...] = (),
    ) -> None:
        self.sampling: AudioSampling = AudioSampling(rate=rate)
        self.shape = (width,)
        self.recipe: FeatureRecipe = {**recipe, "padding": f"zeros to {shortest} samples"}
        self.classes = classes
        self._device = require_device(device)
        self._precision = require_precision(precision)
        self._shortest = shortest
        self._module = module.eval().to(self._device)
        self._classifier = classifier.eval().to(self._device) if classifier is not None else None

    @torch.inference_mode()
    def features(self, segments: np.ndarray) -> np.ndarray:
        """Features (b a) of b segments (b samples).

        Raises:
            DataError: the samples are not two-dimensional, not numbers, or not finite.
        """
        waves = _checked(segments)
        if len(waves) == 0:
            return np.zeros((0, *self.shape), np.float32)
        if waves.shape[1] < self._shortest:
            waves = np.pad(waves, ((0, 0), (0, self._shortest - waves.shape[1])))
        step = max(1, BATCH * self.sampling.rate // waves.shape[1])
        found = [self._batch(waves[start : start + step]) for start in range(0, len(waves), step)]
        return np.concatenate(found)

    @torch.inference_mode()
    def class_scores(self, features: np.ndarray) -> np.ndarray:
        """Probabilities (... classes) from features (... a)."""
        if self._classifier is None:
            return super().class_scores(features)
        rows = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32)).to(self._device)
        return _array(self._classifier(rows))

    def _batch(self, waves: np.ndarray) -> np.ndarray:
        inputs = torch.from_numpy(np.array(waves)).to(self._device)
        with number_format(self._device, self._precision):
            return _array(self._module(inputs))


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.float().cpu().numpy()
    return array


def _checked(segments: np.ndarray) -> np.ndarray:
    """The samples in float32, refused unless they are (b samples) of finite numbers."""
    segments = np.asarray(segments)
    if segments.ndim == 2 and segments.shape[1] == 0:
        raise DataError(
            "segments of sound have no samples", found="0 samples per segment", fix="choose longer segments"
        )
    if segments.ndim != 2 or not np.issubdtype(segments.dtype, np.floating):
        raise DataError(
            "audio of an extractor has the wrong form",
            found=f"{segments.dtype} {segments.shape}",
            expected="floating-point samples in [-1, 1], (segments samples)",
            fix="convert integers to floats, with one row per segment",
        )
    waves = segments.astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(waves).all(axis=1))
    if broken.size:
        raise DataError(
            "audio has samples that are not finite numbers",
            where=f"segment {broken[0]}",
            found=f"NaN or infinite samples in {broken.size} of {len(waves)} segments",
            fix="write the sound again as integers, or replace these samples by 0",
        )
    return waves
