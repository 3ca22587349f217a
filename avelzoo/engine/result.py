"""Result of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from avelzoo.components import LEAK_MARK
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import RunError, first_line
from avelzoo.metrics import Scores
from avelzoo.system.files import DAMAGED, read_json, write_json


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The content of ``result.json``.

    Attributes:
        recipe: qualified name of the recipe.
        supervision: full or weak.
        scores: split (val, test) -> its scores, all accuracies as fractions.
        best_epoch: the epoch chosen on val, counted from 1.
        epochs: epochs trained.
        optimism_gap: best test segment accuracy of any epoch minus that of the chosen one; None if test was not
            measured after every epoch.
        seed: seed of weights, order and dropout.
        run_dir: run folder.
        parameters: number of learnable parameters.
        seconds: time of training and evaluation, including earlier parts of a resumed run.
        seconds_per_epoch: mean time of an epoch's training steps, without evaluation.
        peak_memory_mb: peak memory of the last process in MiB, of the device on a GPU; None if unknown.
        device: device of the computation.
        precision: number format.
        versions: versions of python, torch, avelzoo and the plugins used.
        data: fingerprint of the data.
        weak_protocol: weak labels of the training; None under full supervision.
        leaks_duration: the weak labels contain the event's share of the video, so the scores are not comparable with
            those of other protocols.
        compile_failure: reason why ``compute.compile`` failed and the encoder ran uncompiled; None if it did not fail.
        stopped_early: training ended early because val did not improve for ``train.patience`` epochs.
        signature: how the test score was measured, as `avelzoo.metrics.signature.Signature` writes it; None for runs of
            earlier versions.

    >>> result = run("single-branch", encoder="mean-pool", options={"train.epochs": 1})
    >>> 0 < result.scores["test"].segment_accuracy < 1
    True
    """

    recipe: str
    supervision: str
    scores: Mapping[str, Scores]
    best_epoch: int
    epochs: int
    optimism_gap: float | None
    seed: int
    run_dir: str
    parameters: int
    seconds: float
    seconds_per_epoch: float
    peak_memory_mb: float | None
    device: str
    precision: str
    versions: Mapping[str, str]
    data: Mapping[str, str]
    weak_protocol: str | None = None
    leaks_duration: bool = False
    compile_failure: str | None = None
    stopped_early: bool = False
    signature: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        scores = {split: found.to_dict() for split, found in self.scores.items()}
        return values | {"scores": scores, "versions": dict(self.versions), "data": dict(self.data)}

    def save(self, folder: RunDir) -> None:
        """Write ``result.json``."""
        write_json(folder.result, self.to_dict())

    @classmethod
    def load(cls, folder: RunDir) -> RunResult:
        """Read ``result.json``; ``run_dir`` is set to the folder of the file.

        Raises:
            RunError: the file is missing or damaged.
        """
        data = read_json(folder.path, "result.json")
        missing = [f.name for f in fields(cls) if f.name not in data and f.default is MISSING]
        if missing:
            raise RunError(
                "result.json is incomplete", where=str(folder.result), found="no " + ", ".join(missing), fix=DAMAGED
            )
        return cls.from_dict(data | {"run_dir": str(folder.path)}, where=str(folder.result))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "") -> RunResult:
        """Inverse of ``to_dict``.

        Raises:
            RunError: a score is missing.
        """
        try:
            scores = {split: Scores.from_dict(found) for split, found in data["scores"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(
                "the scores of the run are incomplete",
                where=where,
                found=f"no {error}" if isinstance(error, KeyError) else first_line(error),
                fix="`avelzoo evaluate RUN_DIR` computes them again",
            ) from error
        return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data} | {"scores": scores})

    def __str__(self) -> str:
        test = self.scores["test"]
        mark = f" {LEAK_MARK}" if self.leaks_duration else ""
        return (
            f"{self.recipe} ({self.supervision}){mark}: test segment accuracy {100 * test.segment_accuracy:.1f}"
            f" (floor {100 * test.floors.category_oracle_all_event:.1f}), {self.run_dir}"
        )
