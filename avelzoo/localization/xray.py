"""Modality X-ray: how much of a decision came from sound and how much from sight.

The two modalities are players of a cooperative game. The value v(S) is the model's answer when only the modalities in S
are present; a baseline replaces an absent one. With two players, the Shapley values are exact after four passes::

    audio  = 1/2 [v(a) - v()] + 1/2 [v(av) - v(v)]
    visual = 1/2 [v(v) - v()] + 1/2 [v(av) - v(a)]
    audio + visual = v(av) - v()                       efficiency
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avelzoo.composition.model import Model
from avelzoo.contracts import Dataset
from avelzoo.engine import LoadedRun
from avelzoo.errors import AvelzooError
from avelzoo.records import Batch, FeatureSpec, MemoryView, Predictions

SAMPLED = 256
"""Training videos, evenly spaced over the split, whose mean is the baseline."""


@dataclass(frozen=True)
class Baseline:
    """Features of an absent modality.

    Attributes:
        audio: (a).
        visual: (h w v).
        words: what they are, for the record.
    """

    audio: Tensor
    visual: Tensor
    words: str

    @classmethod
    def zeros(cls, spec: FeatureSpec, why: str = "") -> Baseline:
        """Zeros, for runs whose training data are not at hand."""
        words = "feature value zero" + (f": {why}" if why else "")
        return cls(torch.zeros(spec.audio_dim), torch.zeros(*spec.grid, spec.visual_dim), words)

    @classmethod
    def mean(cls, dataset: Dataset, videos: int = SAMPLED) -> Baseline:
        """Mean over all segments of up to ``videos`` training rows, evenly spaced over the split."""
        split, spec = dataset.split("train"), dataset.spec
        count = min(videos, len(split))
        audio = torch.zeros(spec.audio_dim, dtype=torch.float64)
        visual = torch.zeros(*spec.grid, spec.visual_dim, dtype=torch.float64)
        segments, names = 0, set()  # rows of one video share its name
        for position in np.linspace(0, len(split) - 1, count).round().astype(np.int64):
            batch, _ = split.fetch([int(position)])
            real = torch.ones(batch.audio.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask
            audio += batch.audio[real].double().sum(dim=0)
            visual += batch.visual[real].double().sum(dim=0)
            segments += int(real.sum())
            names.add(split.video_ids[int(position)])
        words = f"mean over the segments of {len(names)} training video{'' if len(names) == 1 else 's'}"
        return cls((audio / segments).float(), (visual / segments).float(), words)

    @classmethod
    def of_run(cls, run: LoadedRun) -> Baseline:
        """The mean over the run's training data; zeros if they cannot be read or no longer fit the run."""
        try:
            dataset = run.composition.recipe.dataset.open("full")
            if (dataset.spec.audio_dim, dataset.spec.grid, dataset.spec.visual_dim) != (
                run.spec.audio_dim,
                run.spec.grid,
                run.spec.visual_dim,
            ):
                return cls.zeros(run.spec, "the training data have changed")
            return cls.mean(dataset)
        except AvelzooError as error:
            return cls.zeros(run.spec, f"the training data cannot be read ({error.problem})")


@dataclass(frozen=True)
class Shares:
    """Shapley values of sound and sight for b videos.

    Attributes:
        audio: (b t), part of the relevance that came from sound.
        visual: (b t), part that came from sight.
        base: (b t), relevance without both; audio + visual + base is the model's relevance.
        category: (b), the predicted category with both modalities.
        category_audio: (b), part of that category's lead that came from sound. The lead is its score minus the mean
            score of all categories.
        category_visual: (b), part that came from sight.
        category_base: (b), lead without both.
    """

    audio: np.ndarray
    visual: np.ndarray
    base: np.ndarray
    category: np.ndarray
    category_audio: np.ndarray
    category_visual: np.ndarray
    category_base: np.ndarray


def shapley(both: np.ndarray, audio: np.ndarray, visual: np.ndarray, none: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shapley values of sound and sight from the values of the four coalitions, element by element.

    >>> shapley(np.array(1.0), np.array(0.5), np.array(0.25), np.array(0.25))
    (0.5, 0.25)
    """
    return (audio - none + both - visual) / 2, (visual - none + both - audio) / 2


@torch.no_grad()
def xray(model: Model, view: MemoryView | None, audio: Tensor, visual: Tensor, baseline: Baseline) -> Shares:
    """Shapley values of both modalities by four passes of a model in evaluation mode.

    Args:
        model: the model; features must be on its device.
        view: the memory's content, read once.
        audio: (b t a).
        visual: (b t h w v).
        baseline: features of an absent modality.
    """
    silent = baseline.audio.to(audio).expand_as(audio)
    dark = baseline.visual.to(visual).expand_as(visual)
    rows = torch.arange(len(audio), device=audio.device)

    def answer(heard: Tensor, seen: Tensor) -> Predictions:
        return model.decode(model.predict(Batch(audio=heard, visual=seen, rows=rows), view))

    found = [answer(*pair) for pair in ((audio, visual), (audio, dark), (silent, visual), (silent, dark))]
    relevance = [np.asarray(one.relevance.double().cpu()) for one in found]
    scores = [np.asarray(one.category_scores.double().cpu()) for one in found]
    category = np.asarray(found[0].category.cpu())
    leads = [np.take_along_axis(s, category[:, None], axis=1)[:, 0] - s.mean(axis=1) for s in scores]
    by_sound, by_sight = shapley(*relevance)
    category_sound, category_sight = shapley(*leads)
    return Shares(by_sound, by_sight, relevance[3], category, category_sound, category_sight, leads[3])


def preferences(
    model: Model, view: MemoryView | None, categories: Sequence[str], baseline: Baseline
) -> dict[str, dict[str, float]]:
    """The modality preference of each category as the memory holds it; empty if no features are stored.

    The X-ray of the memory itself: a category's stored segments are one video, best first, and the shares are the means
    of phi over these l segments::

        audio = mean_q phi_audio(q),  visual = mean_q phi_visual(q)
        preference = audio / (|audio| + |visual|), near 1 if sound makes them events, near 0 if sight does

    Args:
        model: the model, in evaluation mode.
        view: the memory's content, read once.
        categories: the n event names, by id.
        baseline: features of an absent modality.
    """
    stored = model.memory.stored()
    if stored is None:
        return {}
    found = {}
    for name, audio, visual, filled in zip(categories, *stored, strict=True):
        count = int(filled.sum())
        if not count:
            continue
        shares = xray(model, view, audio[None, :count], visual[None, :count], baseline)
        heard, seen = float(shares.audio.mean()), float(shares.visual.mean())
        whole = abs(heard) + abs(seen)
        found[name] = {"audio": heard, "visual": seen, "preference": heard / whole if whole else 0.5}
    return found
