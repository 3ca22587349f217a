"""Embeddings of a run's model: fused features of a split, the memory's content, distances between prototypes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from avelzoo.components import DatasetConfig
from avelzoo.composition.lengths import encode
from avelzoo.contracts import Split
from avelzoo.engine.loader import Loader
from avelzoo.engine.loading import LoadedRun
from avelzoo.engine.predicting import evaluation_fabric
from avelzoo.engine.processes import SingleProcess
from avelzoo.errors import UsageError
from avelzoo.system.isolation import isolated


@dataclass(frozen=True, eq=False)
class EmbeddedSplit:
    """Fused features of a split.

    Attributes:
        video_ids: ids of the v videos.
        fused: (v t d) float32, the encoder's fused features; zeros in padding.
        segments: (v t) int64 true ids in 0..n, n = background.
        lengths: (v) int64 real segments of each video.
        categories: the n event names, by id.

    >>> folder = run("single-branch", encoder="mean-pool", options={"train.epochs": 1}).run_dir
    >>> embeddings(load_run(folder), "val").fused.shape
    (120, 10, 256)
    """

    video_ids: tuple[str, ...]
    fused: np.ndarray
    segments: np.ndarray
    lengths: np.ndarray
    categories: tuple[str, ...]

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Real segments as points: features (k d), the video's category (k), whether the segment is an event (k).

        Videos without an event have category n.
        """
        n, t = len(self.categories), self.segments.shape[1]
        real = np.arange(t) < self.lengths[:, None]
        event = self.segments != n
        category = np.where(event, self.segments, n).min(axis=1)
        return self.fused[real], np.broadcast_to(category[:, None], real.shape)[real], event[real]


@dataclass(frozen=True, eq=False)
class BankSlot:
    """A filled slot of a memory.

    Attributes:
        category: id of the category.
        slot: rank in the category, from 0.
        video: id of the training video; a row number if the video is not in the training split.
        segment: segment of the video, from 0.
        score: the memory's score.
        event: whether the segment is labelled as an event; None if unknown.
    """

    category: int
    slot: int
    video: str
    segment: int
    score: float
    event: bool | None


@dataclass(frozen=True, eq=False)
class BankContent:
    """Content of a memory.

    Attributes:
        prototypes: (n d) float32, mean of each category's filled slots (eq. 5 of Ge et al. 2023).
        filled: (n l) bool.
        slots: filled slots with their training segments; None if the memory does not know them.
        scale: factor on Euclidean distances in the head's space, such as 1 / sqrt(d); 1 for heads without distances.
        margin: largest distance of an event; None for heads without distances.
    """

    prototypes: np.ndarray
    filled: np.ndarray
    slots: tuple[BankSlot, ...] | None
    scale: float = 1.0
    margin: float | None = None

    def distances(self, points: np.ndarray | None = None) -> np.ndarray:
        """Scaled distances (k n) of points (k d) to prototypes, by default (n n) between these; NaN for empty ones."""
        given = self.prototypes if points is None else points
        x, y = (torch.from_numpy(np.asarray(array, dtype=np.float64)) for array in (given, self.prototypes))
        found: np.ndarray = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").numpy() * self.scale
        empty = ~self.filled.any(axis=1)
        found[:, empty] = np.nan
        if points is None:
            found[empty] = np.nan
        return found


@isolated()
def embeddings(
    run: LoadedRun, split: str = "test", *, dataset: DatasetConfig | None = None, device: str = "auto"
) -> EmbeddedSplit:
    """Fused features of a split by a run's model, as in figure 6 of Ge et al. 2023.

    Args:
        run: the run; it is not changed.
        split: ``train``, ``val`` or ``test``.
        dataset: other data; by default those of the run.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        UsageError: the split does not exist.
        DataError: the data cannot be read.
    """
    if split not in ("train", "val", "test"):
        raise UsageError(f"unknown split '{split}'", expected="train, val or test")
    opened = (dataset or run.composition.recipe.dataset).open("full")
    part = opened.split(split)
    fabric, precision = evaluation_fabric(device, run.precision)
    processes = SingleProcess(fabric, precision)
    home = next((value.device for value in run.model.state_dict().values()), torch.device("cpu"))
    size = run.composition.recipe.compute.eval_batch_size
    positions = np.arange(len(part))
    found: list[torch.Tensor] = []
    try:
        fabric.setup_module(run.model)
        run.model.eval()
        batches = [positions[i : i + size] for i in range(0, len(positions), size)]
        loader = Loader({split: part}, processes, workers=0)
        with torch.no_grad(), fabric.autocast(), loader.shares(split, batches) as shares:
            found = [encode(run.model.encoder, share.batch).fused.float().cpu() for share in shares]
    finally:
        run.model.to(home)
    return EmbeddedSplit(
        video_ids=tuple(part.video_ids),
        fused=torch.cat(found).numpy(),
        segments=part.labels(),
        lengths=part.lengths(),
        categories=opened.spec.categories,
    )


@isolated()
def bank_content(run: LoadedRun, *, train: Split | None = None) -> BankContent | None:
    """The content of a run's memory; None for a model without one.

    Args:
        run: the run; its model is not changed.
        train: training split, for ids and labels of the stored segments; without it, ids are row numbers.
    """
    with torch.no_grad():
        view = run.model.eval().view()
    if view is None:
        return None
    metric = getattr(run.model.head, "metric", None)
    return BankContent(
        prototypes=view.prototypes().float().cpu().numpy(),
        filled=view.filled.cpu().numpy(),
        slots=_slots(run, train),
        scale=1.0 if metric is None else float(metric.scale),
        margin=None if metric is None else float(metric.margin),
    )


def _slots(run: LoadedRun, train: Split | None) -> tuple[BankSlot, ...] | None:
    origins = run.model.memory.origins()
    if origins is None:
        return None
    rows, segments, scores, filled = (part.cpu().numpy() for part in origins)
    known: dict[int, tuple[str, np.ndarray]] = {}
    if train is not None:
        known = dict(zip(train.rows().tolist(), zip(train.video_ids, train.labels(), strict=True), strict=True))
    found = []
    for category, slot in np.argwhere(filled).tolist():
        row, segment = int(rows[category, slot]), int(segments[category, slot])
        name, labels = known.get(row, (f"row {row}", None))
        found.append(
            BankSlot(
                category=category,
                slot=slot,
                video=name,
                segment=segment,
                score=float(scores[category, slot]),
                event=None if labels is None else bool(labels[segment] != run.spec.background),
            )
        )
    return tuple(found)
