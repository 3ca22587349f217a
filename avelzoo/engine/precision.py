"""The precision of a run that asks for ``auto``."""

from __future__ import annotations

from pathlib import Path

import torch

from avelzoo.composition.precision import AUTO, chosen_before, resolve_precision, with_precision
from avelzoo.composition.resolving import Composition
from avelzoo.engine.parallel.collectives import Collectives
from avelzoo.engine.parallel.rank import Rank, is_first


def with_chosen_precision(composition: Composition, run: Path, device: torch.device, rank: Rank | None) -> Composition:
    """The composition with a number format for ``auto``: the one that the run began with, else the device's best.

    Args:
        composition: composition of the run; returned as it is without ``auto``.
        run: run folder.
        device: device of this process.
        rank: rank of this process among several connected ones; rank 0 chooses for all.
    """
    if composition.recipe.compute.precision != AUTO:
        return composition
    chosen = ("", "")
    if is_first(rank):
        begun = chosen_before(run)
        chosen = resolve_precision(AUTO, device) if begun is None else (begun[0], begun[1] or "as when the run began")
    if rank is not None:
        chosen = Collectives(rank, device).broadcast_object(chosen)
    return with_precision(composition, *chosen)
