"""What a finished run says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from avelzoo.components import LEAK_MARK
from avelzoo.engine.rundir import RunDir
from avelzoo.errors import RunError, first_line
from avelzoo.metrics import Scores
from avelzoo.system.files import read_json, write_json


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The content of ``result.json``.

    Attributes:
        recipe: qualified name.
        supervision: full or weak.
        scores: split (val, test) -> its scores, all accuracies as fractions.
        best_epoch: the epoch chosen on val, counted from 1.
        epochs: epochs trained.
        optimism_gap: best test segment accuracy of any epoch minus that of the chosen one; None where test was not
            measured after every epoch.
        seed: of weights, order and dropout.
        run_dir: the run folder.
        parameters: learnable numbers.
        seconds: time in training and evaluation, over all processes that worked on the run.
        seconds_per_epoch: mean time of an epoch's training steps, evaluation left out.
        peak_memory_mb: most memory the last process held, on a GPU the device's, in MiB; None where unknown.
        device: where it was computed.
        precision: number format.
        versions: of python, torch, avelzoo and the plugins used.
        data: what identifies the data.
        weak_protocol: the weak labels it was trained with; None under full supervision.
        leaks_duration: those labels hold the event's share of the video, so that its scores are not comparable with
            others.
        compile_failure: why ``compute.compile`` failed and the encoder ran uncompiled; None where it did not fail.
        stopped_early: training ended before its last epoch, as val had not become better for ``train.patience`` epochs.

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
        """Read ``result.json``; the folder it names is the one it lies in.

        Raises:
            RunError: there is none, or it is damaged.
        """
        data = read_json(folder.path, "result.json")
        missing = [f.name for f in fields(cls) if f.name not in data and f.default is MISSING]
        if missing:
            raise RunError("result.json is incomplete", where=str(folder.result), found="no " + ", ".join(missing))
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
