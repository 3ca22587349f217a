"""Two-dimensional maps of embeddings: t-SNE by scikit-learn, or the two principal components."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, util
from types import ModuleType
from typing import Literal

import numpy as np

from avelzoo.errors import UsageError

Method = Literal["auto", "t-sne", "pca"]

COMPONENTS = 50
"""Principal components that t-SNE starts from, as van der Maaten and Hinton (2008) advise."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Points on a plane.

    Attributes:
        points: (k 2) float64.
        method: ``t-sne`` or ``pca``.
        words: the method with its values, for captions.
    """

    points: np.ndarray
    method: str
    words: str


def project(points: np.ndarray, *, method: Method = "auto", perplexity: float = 30.0, seed: int = 0) -> Projection:
    """Points (k d) on a plane.

    Args:
        points: (k d) float.
        method: ``t-sne``; ``pca``; or ``auto``: t-SNE if scikit-learn is installed, else PCA.
        perplexity: effective number of neighbours of t-SNE; at most (k - 1) / 3 is used.
        seed: seed of t-SNE.

    Raises:
        UsageError: ``t-sne`` without scikit-learn.

    >>> project(np.eye(4), method="pca").points.shape
    (4, 2)
    """
    wide = np.asarray(points, dtype=np.float64).reshape(len(points), -1)
    if method == "auto":
        method = "t-sne" if util.find_spec("sklearn") else "pca"
    if method == "pca" or len(wide) < 8:  # too few points for neighbourhoods
        return _pca(wide)
    manifold = _manifold()
    used = min(perplexity, (len(wide) - 1) / 3)
    start, _ = _principal(wide, COMPONENTS)
    tsne = manifold.TSNE(
        n_components=2, perplexity=used, init="pca", learning_rate="auto", random_state=seed, method="barnes_hut"
    )
    found = np.asarray(tsne.fit_transform(start.astype(np.float32)), dtype=np.float64)
    return Projection(found, "t-sne", f"t-SNE, perplexity {used:g}, seed {seed}, of {len(wide):,} points")


def _manifold() -> ModuleType:
    try:
        return import_module("sklearn.manifold")
    except ImportError as error:
        raise UsageError(
            "t-SNE needs scikit-learn", found=str(error), fix="pip install 'avelzoo[report]', or choose PCA"
        ) from error


def _principal(wide: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores on the first principal components, and every component's share of the variance; signs are fixed."""
    centred = wide - wide.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    signs[signs == 0] = 1
    total = float((sizes**2).sum())
    return (left * sizes * signs)[:, :components], sizes**2 / total if total else np.zeros_like(sizes)


def _pca(wide: np.ndarray) -> Projection:
    scores, shares = _principal(wide, 2)
    found = np.zeros((len(wide), 2))
    found[:, : scores.shape[1]] = scores
    share = 100 * float(shares[:2].sum())
    return Projection(found, "pca", f"PCA, {share:.0f}\N{NO-BREAK SPACE}% of the variance, of {len(wide):,} points")
