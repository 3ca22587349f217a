"""Systems that score segments: a trained run, or published classifiers of sound and pictures by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from avelzoo.composition.model import Model
from avelzoo.engine import LoadedRun
from avelzoo.engine.predicting import Predictor
from avelzoo.errors import UsageError
from avelzoo.extractors import Extractor
from avelzoo.localization.deciding import Rule, threshold_rule
from avelzoo.localization.windows import Features
from avelzoo.localization.xray import Baseline, preferences, xray
from avelzoo.metrics import PredictionArrays
from avelzoo.names import AGREEMENT, category_scores, predictions, resolve
from avelzoo.nn.decision import Decision
from avelzoo.plugin.registry import Registry
from avelzoo.records import FeatureSpec

NAMED_SCORES = "named-scores"
"""Data set whose features are scores of named categories."""
NAMED_SEGMENTS = 10
"""Segments per window without training: a window has one category, so it should not be long."""


class System(Protocol):
    """Scores of segments from their features.

    Attributes:
        categories: the n event names, by id.
        segments: segments of a window, unless asked otherwise.
        rule: how the system decides.
        identity: what makes its scores, as plain text; another identity means other scores.
        preference: modality preference of each category as the memory holds it; empty if not asked for.
    """

    categories: tuple[str, ...]
    segments: int
    rule: Rule
    identity: str
    preference: Mapping[str, Any]

    def __call__(self, audio: np.ndarray, visual: np.ndarray) -> PredictionArrays:
        """Predictions (b t) before a decoder, from audio (b t a) and visual features (b t h w v)."""

    def shares(self, audio: np.ndarray, visual: np.ndarray) -> Sequence[np.ndarray]:
        """Shares (b t) of the decision that came from sound and from sight; empty if not asked for."""


class TrainedSystem:
    """A run's model.

    Args:
        run: the run.
        predictor: its model on a device, as an entered context.
        named: scores of the categories, which the model reads instead of features; None for features.
        xray: compute which share of each decision came from sound and from sight, by four passes instead of one.
    """

    def __init__(
        self, run: LoadedRun, predictor: Predictor, *, named: NamedScores | None = None, xray: bool = False
    ) -> None:
        self.categories = run.spec.categories
        self.segments = run.spec.segments
        self.rule = rule_of(run.model)
        self.identity = weights_identity(run.model)
        self.preference: Mapping[str, Any] = {}
        self.notices: tuple[str, ...] = ()
        self._predictor, self._named = predictor, named
        self._baseline = Baseline.of_run(run) if xray else None
        if self._baseline is not None:
            self.identity += f", X-ray against {self._baseline.words}"
            self.notices = (f"X-ray: an absent modality is replaced by the {self._baseline.words}",)
            self.preference = preferences(run.model, predictor.memory(), self.categories, self._baseline)

    def __call__(self, audio: np.ndarray, visual: np.ndarray) -> PredictionArrays:
        """Predictions (b t) by the head."""
        return self._predictor.head(*self._inputs(audio, visual))

    def _inputs(self, audio: np.ndarray, visual: np.ndarray) -> Features:
        if self._named is None:
            return audio, visual
        heard, seen = self._named(audio, visual)
        return heard, seen[:, :, None, None]

    def shares(self, audio: np.ndarray, visual: np.ndarray) -> Sequence[np.ndarray]:
        """Shapley values of sound and sight for each segment's relevance."""
        if self._baseline is None:
            return ()
        model = self._predictor.model
        some = next(model.parameters(), None)
        heard, seen = (
            torch.from_numpy(np.ascontiguousarray(part)).to(
                self._predictor.device, None if some is None else some.dtype
            )
            for part in self._inputs(audio, visual)
        )
        found = xray(model.eval(), self._predictor.memory(), heard, seen, self._baseline)
        return found.audio, found.visual


class NamedScores:
    """Scores of named categories from features of networks with classes.

    Args:
        names: event names.
        audio: extractor of sound with classes.
        visual: extractor of pictures with classes.

    Raises:
        UsageError: an extractor has no classes, or no class stands for a name.
    """

    def __init__(self, names: str | Sequence[str], audio: Extractor, visual: Extractor) -> None:
        for extractor in (audio, visual):
            if not extractor.classes:
                raise UsageError(
                    f"the {extractor.modality} extractor has no classes to name events with",
                    found=str(extractor.recipe["encoder"]),
                    fix="use --audio yamnet --visual timm:tf_efficientnet_lite0",
                )
        self._audio, self._visual = audio, visual
        self.categories = resolve(names, audio.classes, visual.classes)

    def __call__(self, audio: np.ndarray, visual: np.ndarray) -> Features:
        """Scores by modality, (b t n) each, from audio (b t a) and visual features (b t h w v)."""
        return category_scores(
            self._audio.class_scores(audio),
            self._visual.class_scores(visual),
            self.categories,
            self._audio.classes,
            self._visual.classes,
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know of the categories."""
        return tuple(category.notice for category in self.categories if category.notice)


class NamedSystem:
    """Events by name, without training: an event where sound and pictures name the same category.

    Args:
        scores: scores of the categories.
        registry: registry of the decoder ``agreement``.
    """

    def __init__(self, scores: NamedScores, registry: Registry) -> None:
        self._scores = scores
        self.segments = NAMED_SEGMENTS
        self.preference: Mapping[str, Any] = {}
        self.categories = tuple(category.name for category in scores.categories)
        self.identity = "names: " + "; ".join(
            f"{c.name} = {', '.join(c.audio)} | {', '.join(c.visual)}" for c in scores.categories
        )
        spec = FeatureSpec(segments=10, audio_dim=1, grid=(1, 1), visual_dim=1, categories=self.categories)
        decoder = registry.get("decoder", "agreement").target(**AGREEMENT).build(spec, None)
        self.rule = Rule(decoder.describe(), decoder.decide)

    def __call__(self, audio: np.ndarray, visual: np.ndarray) -> PredictionArrays:
        """Predictions (b t) from the scores of both modalities."""
        return predictions(*self._scores(audio, visual))

    def shares(self, audio: np.ndarray, visual: np.ndarray) -> Sequence[np.ndarray]:
        """Empty: both modalities must agree, none decides alone."""
        return ()


def rule_of(model: Model) -> Rule:
    """The rule by which a run's model decides, with the values it carries."""
    if model.decoder is not None:
        return Rule(model.decoder.describe(), model.decoder.decide)
    decision = model.head.decision
    if decision is None:
        return Rule("the best category of each segment, background included (no threshold)")
    return decision_rule(decision, tuned=decision.use_tuned)


def tuned_rule(model: Model) -> Rule:
    """The threshold that was chosen on val, which a run carries even if its own rule is another.

    Raises:
        UsageError: the head has no threshold.
    """
    if model.head.decision is None:
        raise UsageError(
            "the run's head has no threshold that val could choose",
            found="the threshold 'val'",
            fix="name a threshold of the relevance, such as 0.5",
        )
    return decision_rule(model.head.decision, tuned=True)


def decision_rule(decision: Decision, *, tuned: bool) -> Rule:
    """The rule of a head with one score and one threshold."""
    threshold = float(decision.tuned) if tuned else decision.threshold
    distance = decision.distance_at(threshold) if decision.distances else float("inf")
    if np.isfinite(distance):
        words = f"the threshold chosen on val, distance {distance:.2f}" if tuned else f"the margin {distance:.2f}"
        return threshold_rule(threshold, f"{words} (relevance above {threshold:.2f})")
    words = "threshold chosen on val" if tuned else "fixed threshold"
    return threshold_rule(threshold, f"relevance above {threshold:.2f} ({words})")


def weights_identity(model: Model) -> str:
    """Identity of a model's weights."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode() + np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
    return f"weights {digest.hexdigest()[:16]}"
