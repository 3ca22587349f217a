"""A folder's features as scores of its categories, by the classifiers of the networks that made the features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avelzoo.contracts import Dataset, Split
from avelzoo.data.checking.findings import warn
from avelzoo.errors import DataError
from avelzoo.extractors import Extractor, recipe_id
from avelzoo.names import NamedCategory, category_scores, resolve
from avelzoo.plugin.default import default_host
from avelzoo.records import Batch, Targets
from avelzoo.weights.store import WeightStore

EXTRACT = "avelzoo extract VIDEOS --out DIR --audio yamnet --visual timm:tf_efficientnet_lite0"


class NamedScores(Dataset):
    """Scores of the n categories: audio (b t n), visual (b t 1 1 n), in [0, 1].

    Args:
        folder: the folder as a data set of features.
        root: the folder's path.

    Raises:
        DataError: the folder does not say how its features were made, a network has no classes, or weights are
            missing.
        UsageError: no class stands for one of the categories.
    """

    def __init__(self, folder: Dataset, root: Path) -> None:
        if folder.extraction is None:
            raise DataError(
                "the folder does not say which networks made its features",
                where=str(root),
                fix=f"make the folder with `{EXTRACT}`",
            )
        self._folder, self.extraction = folder, folder.extraction
        self._audio, self._visual = (_extractor(folder.extraction[name], root) for name in ("audio", "visual"))
        categories = folder.spec.categories
        self._names = resolve(categories, self._audio.classes, self._visual.classes, where=str(root))
        for category in self._names:
            if category.notice:
                warn(category.notice)
        n = len(categories)
        self.spec = replace(folder.spec, audio_dim=n, grid=(1, 1), visual_dim=n)
        self.hidden = folder.hidden

    def split(self, name: str) -> Split:
        return ScoredSplit(self._folder.split(name), self._audio, self._visual, self._names)

    def fingerprint(self) -> Mapping[str, str]:
        """That of the folder, and the recipes of both networks."""
        recipes = {"audio recipe": recipe_id(self._audio.recipe), "visual recipe": recipe_id(self._visual.recipe)}
        return dict(self._folder.fingerprint()) | recipes


class ScoredSplit(Split):
    """A split whose features are replaced by scores when they are fetched.

    Args:
        inner: split of features.
        audio: extractor that made the audio features.
        visual: extractor that made the visual features.
        names: classes of each category.
    """

    def __init__(self, inner: Split, audio: Extractor, visual: Extractor, names: Sequence[NamedCategory]) -> None:
        self.name, self.video_ids = inner.name, inner.video_ids
        self._inner, self._audio, self._visual, self._names = inner, audio, visual, names

    def __len__(self) -> int:
        return len(self._inner)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        batch, targets = self._inner.fetch(indices)
        audio, visual = category_scores(
            self._audio.class_scores(batch.audio.float().numpy()),
            self._visual.class_scores(batch.visual.float().numpy()),
            self._names,
            self._audio.classes,
            self._visual.classes,
        )
        real = np.ones((), np.float32) if batch.mask is None else batch.mask.unsqueeze(-1).numpy()
        heard, seen = (torch.from_numpy(scores * real) for scores in (audio, visual))
        return replace(batch, audio=heard, visual=seen[:, :, None, None]), targets

    def labels(self) -> np.ndarray:
        return self._inner.labels()

    def lengths(self) -> np.ndarray:
        return self._inner.lengths()

    def events(self) -> np.ndarray:
        return self._inner.events()


def _extractor(source: Mapping[str, Any], root: Path) -> Extractor:
    """The extractor that made a folder's features of one modality, with its weights."""
    config = default_host().registry.get("extractor", source["extractor"]).target.from_dict(source["options"])
    made: Extractor = config.build(WeightStore())
    found, wanted = recipe_id(made.recipe), source["recipe_id"]
    if found != wanted:
        raise DataError(
            "the weights or options differ from those that made the features",
            where=str(root),
            found=f"recipe {found}",
            expected=f"recipe {wanted}",
            fix="use the weights that made the features, or extract again",
        )
    if not made.classes:
        raise DataError(
            f"the network '{source['extractor']}' has no classes to name events with",
            where=str(root),
            fix=f"make the folder with `{EXTRACT}`",
        )
    return made
