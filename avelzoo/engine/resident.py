"""A data set whose features stay on the device from the first epoch to the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from avelzoo.contracts import Dataset, Split
from avelzoo.errors import OptionError
from avelzoo.records import Batch, Targets

_PIECE = 32
"""Videos that are read at a time: what is held besides the features themselves."""
_WHERE = "train.resident"


class ResidentDataset(Dataset):
    """Another data set, each of its splits read once, when it is first asked for.

    What a fetch returns is what the data set returns, rounded to the number format it is kept in, and on the device
    already. In float16 AVE's 4,143 videos take 2.1 GB.

    Args:
        dataset: where the features are read.
        device: where they are kept.
        dtype: in which number format; float32 changes nothing.
    """

    def __init__(self, dataset: Dataset, device: torch.device, dtype: torch.dtype) -> None:
        self.spec = dataset.spec
        self._dataset = dataset
        self._device = device
        self._dtype = dtype
        self._splits: dict[str, ResidentSplit] = {}

    def split(self, name: str) -> Split:
        """The split, on the device.

        Raises:
            OptionError: it does not fit there, or does not fit into the number format.
        """
        if name not in self._splits:
            self._splits[name] = ResidentSplit(self._dataset.split(name), self._device, self._dtype)
        return self._splits[name]

    def references(self, name: str) -> Mapping[str, np.ndarray]:
        """The data set's own."""
        return self._dataset.references(name)

    def fingerprint(self) -> Mapping[str, str]:
        """The data set's own."""
        return self._dataset.fingerprint()


class ResidentSplit(Split):
    """One split on a device; see `ResidentDataset`.

    Args:
        split: where the features are read.
        device: where they are kept.
        dtype: in which number format.
    """

    def __init__(self, split: Split, device: torch.device, dtype: torch.dtype) -> None:
        self.name = split.name
        self.video_ids: Sequence[str] = split.video_ids
        self._split = split
        self._device = device
        self._batch, self._targets = self._read(dtype)

    def __len__(self) -> int:
        return len(self._split)

    def fetch(self, indices: Sequence[int] | np.ndarray) -> tuple[Batch, Targets]:
        """Features (float32) and targets of the videos at these positions, on the device."""
        places = torch.from_numpy(np.asarray(indices, dtype=np.int64)).to(self._device)
        targets = self._targets
        batch = Batch(
            audio=self._batch.audio[places].float(),
            visual=self._batch.visual[places].float(),
            rows=self._batch.rows[places],
        )
        return batch, replace(
            targets,
            event=targets.event[places],
            presence=targets.presence[places],
            segments=None if targets.segments is None else targets.segments[places],
        )

    def labels(self) -> np.ndarray:
        """The split's own."""
        return self._split.labels()

    def events(self) -> np.ndarray:
        """The split's own."""
        return self._split.events()

    def _read(self, dtype: torch.dtype) -> tuple[Batch, Targets]:
        """All of it, a few videos at a time."""
        kept: dict[str, Tensor] = {}
        known: list[Targets] = []
        for start in range(0, len(self._split), _PIECE):
            places = np.arange(start, min(start + _PIECE, len(self._split)))
            batch, targets = self._split.fetch(places)
            known.append(targets)
            for name in ("audio", "visual", "rows"):
                given = getattr(batch, name)
                own = dtype if given.is_floating_point() else given.dtype
                if name not in kept:
                    kept[name] = self._room(name, given, own)
                part = given.to(own)
                if own == torch.float16:
                    self._require_range(name, given, part)
                kept[name][start : start + len(places)].copy_(part)
        if not known:
            return self._split.fetch([])
        return Batch(**kept), _joined(known).to(self._device)

    def _room(self, name: str, given: Tensor, dtype: torch.dtype) -> Tensor:
        """Memory for a modality of all videos."""
        shape = (len(self), *given.shape[1:])
        need = float(np.prod(shape)) * dtype.itemsize / 2**20
        try:
            return torch.empty(shape, dtype=dtype, device=self._device)
        except (RuntimeError, MemoryError) as error:  # torch has one class for either device
            raise OptionError(
                f"the split '{self.name}' does not fit on the device",
                where=_WHERE,
                found=f"{need:,.0f} MiB of {name} features for {len(self)} videos",
                fix="use train.resident=float16, or off to read every batch anew",
            ) from error

    def _require_range(self, name: str, given: Tensor, kept: Tensor) -> None:
        """Refuse to make infinities out of numbers."""
        if bool((kept.isinf() & given.isfinite()).any()):
            raise OptionError(
                f"{name} features of the split '{self.name}' are too large for float16",
                where=_WHERE,
                found=f"{float(given.abs().max()):.4g}",
                expected=f"at most {torch.finfo(torch.float16).max:g}",
                fix="use train.resident=bfloat16 or float32",
            )


def resident(dataset: Dataset, device: torch.device, kept: str) -> Dataset:
    """The data set as ``train.resident`` wants it: itself, where that is ``off``."""
    if kept == "off":
        return dataset
    return ResidentDataset(dataset, device, cast("torch.dtype", getattr(torch, kept)))


def _joined(parts: Sequence[Targets]) -> Targets:
    segments = [part.segments for part in parts]
    return replace(
        parts[0],
        event=torch.cat([part.event for part in parts]),
        presence=torch.cat([part.presence for part in parts]),
        segments=None if None in segments else torch.cat(cast("list[Tensor]", segments)),
    )
