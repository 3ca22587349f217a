"""A run's model on features that the caller holds: arrays in, predictions out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
import torch

from avelzoo.composition.model import Model
from avelzoo.engine.deciding import decided
from avelzoo.engine.device import Fabric, make_fabric
from avelzoo.engine.processes import SingleProcess
from avelzoo.engine.rundir import RunWarning
from avelzoo.errors import DataError, OptionError
from avelzoo.metrics import PredictionArrays
from avelzoo.records import Batch, FeatureSpec, MemoryView
from avelzoo.system.isolation import isolated

_FIX = "extract the features as in training, channels last"


class Predictor:
    """A model in evaluation mode on one device; the memory is read once. A context manager.

    At the end of the context, the parameters are back where they were.

    Args:
        model: the model.
        spec: sizes and category names of its features.
        processes: device and number format.
    """

    def __init__(self, model: Model, spec: FeatureSpec, processes: SingleProcess) -> None:
        self.model, self.spec = model, spec
        self._processes = processes
        self._home = next((value.device for value in model.state_dict().values()), torch.device("cpu"))
        self._view: MemoryView | None = None
        self._viewed = False

    def __enter__(self) -> Predictor:
        self._processes.fabric.setup_module(self.model)
        self._viewed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.model.to(self._home)

    @property
    def device(self) -> torch.device:
        """Device of the computation."""
        return self._processes.fabric.device

    @isolated()
    def memory(self) -> MemoryView | None:
        """The memory's content, read once."""
        model = self.model.eval()
        with torch.no_grad(), self._processes.fabric.autocast():
            if not self._viewed:
                self._view, self._viewed = model.view(), True
        return self._view

    @isolated()
    def head(self, audio: Any, visual: Any, *, lengths: Sequence[int] | None = None) -> PredictionArrays:
        """Predictions by the head's own rule, without the decoder. Arguments as in `LoadedRun.predict`.

        Raises:
            DataError: the features do not fit the model, or are not finite.
        """
        batch = self._batch(audio, visual, lengths)
        model, view = self.model.eval(), self.memory()
        with torch.no_grad(), self._processes.fabric.autocast():
            found = model.decode(model.predict(batch, view)).to("cpu")
        return PredictionArrays.from_predictions([found], None if lengths is None else np.asarray(lengths))

    def __call__(self, audio: Any, visual: Any, *, lengths: Sequence[int] | None = None) -> PredictionArrays:
        """Final predictions. Arguments and errors as in `LoadedRun.predict`."""
        return decided(self.model, self.head(audio, visual, lengths=lengths))

    def _batch(self, audio: Any, visual: Any, lengths: Sequence[int] | None) -> Batch:
        spec = self.spec
        sound = _array(audio, "audio", ("t", "a"))
        sight = _array(visual, "visual", ("t", "h", "w", "v"))
        found = (sound.shape[2], sight.shape[2:4], sight.shape[4])
        expected = (spec.audio_dim, spec.grid, spec.visual_dim)
        if found == expected and sound.shape[1] != sight.shape[1]:
            raise DataError(
                "audio and visual features have different numbers of segments",
                where="audio, visual",
                found=f"{sound.shape[1]} audio segments, {sight.shape[1]} visual segments",
                expected="the same number t",
                fix="cut both to the same segments",
            )
        if found != expected or sound.shape[:2] != sight.shape[:2] or not sound.size:
            raise DataError(
                "the features do not fit the run",
                where="audio, visual",
                found=f"{_shape(sound)} and {_shape(sight)}",
                expected=f"(b t {spec.audio_dim}) and (b t {spec.grid[0]} {spec.grid[1]} {spec.visual_dim}), b, t >= 1",
                fix=_FIX,
            )
        mask = None
        if lengths is not None:
            mask = torch.from_numpy(_mask(lengths, *sound.shape[:2]))
        batch = Batch(
            audio=torch.from_numpy(sound),
            visual=torch.from_numpy(sight),
            rows=torch.arange(len(sound)),
            mask=mask,
        )
        some = next(self.model.parameters(), None)
        return batch.to(self.device, dtype=None if some is None else some.dtype)


def evaluation_fabric(device: str, precision: str) -> tuple[Fabric, str]:
    """The training's precision and its name; on a CPU, float32 replaces a GPU's half precision."""
    try:
        return make_fabric(device, precision), precision
    except OptionError:
        fabric = make_fabric(device, "32")
    warnings.warn(
        f"trained in {precision}, evaluated in 32 because CPUs do not support {precision}: scores may differ slightly",
        RunWarning,
        stacklevel=4,
    )
    return fabric, "32"


def _array(value: Any, name: str, axes: tuple[str, ...]) -> np.ndarray:
    """Features as float32 with a first axis of videos."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.ndim not in (len(axes), len(axes) + 1):
        raise DataError(
            f"{name} features have the wrong form",
            where=name,
            found=f"{array.dtype} {_shape(array)}",
            expected=f"floats ({' '.join(axes)}) or (b {' '.join(axes)})",
            fix=_FIX,
        )
    array = array if array.ndim > len(axes) else array[None]
    if not np.isfinite(array).all():
        raise DataError(f"{name} features hold NaN or infinity", where=name, expected="finite numbers")
    return np.ascontiguousarray(array, dtype=np.float32)


def _mask(lengths: Sequence[int], videos: int, t: int) -> np.ndarray:
    found = np.asarray(lengths)
    if found.shape != (videos,) or found.dtype.kind not in "iu" or found.min() < 1 or found.max() > t:
        raise DataError(
            "the lengths do not fit the features",
            where="lengths",
            found=str(found.tolist()),
            expected=f"{videos} whole numbers from 1 to {t}",
        )
    mask: np.ndarray = np.arange(t) < found[:, None]
    return mask


def _shape(array: np.ndarray) -> str:
    return f"({' '.join(map(str, array.shape))})"
