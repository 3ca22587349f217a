"""A recipe: the complete configuration of a system, with its paper and published scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from avelzoo.builtin.decoders.head import HeadRuleConfig
from avelzoo.builtin.optimizers.configs import AdamConfig
from avelzoo.builtin.samplers.configs import ShuffledConfig
from avelzoo.builtin.schedules.configs import CosineConfig
from avelzoo.builtin.transforms.configs import NoTransformConfig
from avelzoo.components import (
    KINDS,
    ComponentConfig,
    DatasetConfig,
    DecoderConfig,
    EncoderConfig,
    HeadConfig,
    MemoryConfig,
    ObjectiveConfig,
    OptimizerConfig,
    SamplerConfig,
    ScheduleConfig,
    Supervision,
    TransformConfig,
)
from avelzoo.config import Bounds, Config, Help
from avelzoo.errors import OptionError

MOVED: dict[str, str] = {
    "train.learning_rate": "optimizer.learning_rate",
    "train.schedule": "the slot 'schedule': --schedule NAME, or `name` in the table [schedule]",
    "train.milestones": "schedule.milestones",
    "train.gamma": "schedule.gamma",
    "train.order": "the slot 'sampler': --sampler NAME, or `name` in the table [sampler]",
    "train.precision": "compute.precision",
    "train.resident": "compute.cache_on_device",
    "train.compile": "compute.compile",
    "train.eval_batch_size": "compute.eval_batch_size",
}
"""Former paths of options, and their present paths."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """Training budget and optimizer steps.

    >>> TrainConfig(epochs=5).epochs
    5
    """

    kind: ClassVar[str] = "train"

    epochs: Annotated[int, Help("passes over the training split"), Bounds(min=1)] = 300
    batch_size: Annotated[int, Help("videos per batch"), Bounds(min=1)] = 128
    accumulate: Annotated[int, Help("batches per optimizer step (gradient accumulation)"), Bounds(min=1)] = 1
    clip_norm: Annotated[float | None, Help("largest global gradient norm; none = no clipping"), Bounds(above=0)] = None
    drop_last: Annotated[bool, Help("drop an epoch's last, smaller batch, unless it is the only one")] = True
    ema_decay: Annotated[
        float | None,
        Help("decay of the weights' moving average, which is evaluated and saved; none = off"),
        Bounds(min=0, below=1),
    ] = None
    patience: Annotated[
        int | None, Help("early stopping: epochs without a better val score; none = off"), Bounds(min=1)
    ] = None
    seed: Annotated[int, Help("seed of initial weights, data order and dropout"), Bounds(min=0, max=2**31 - 1)] = 0
    test_curve: Annotated[bool, Help("measure test accuracy after every epoch, for the optimism gap")] = True
    limit_batches: Annotated[
        int | None, Help("stop every epoch after this many batches; none = all"), Bounds(min=1)
    ] = None


@dataclass(frozen=True, kw_only=True)
class ComputeConfig(Config):
    """Computation: number formats, device cache, compilation, batch loading.

    >>> ComputeConfig(precision="bf16-mixed").precision
    'bf16-mixed'
    """

    kind: ClassVar[str] = "compute"

    precision: Annotated[
        Literal["32", "64", "bf16-mixed", "16-mixed", "auto"],
        Help("number format of the computation; auto = measured on this machine"),
    ] = "32"
    cache_on_device: Annotated[
        Literal["off", "float32", "float16", "bfloat16"],
        Help("number format of features cached on the device; off = no cache"),
    ] = "off"
    compile: Annotated[bool, Help("compile the encoder with torch.compile (worth it on GPUs)")] = False
    compile_mode: Annotated[
        Literal["default", "reduce-overhead"],
        Help("mode of compile; reduce-overhead = CUDA graphs of encoder and head"),
    ] = "default"
    transfer: Annotated[
        Literal["stored", "bfloat16"],
        Help("number format of features on their way to the device"),
    ] = "stored"
    eval_batch_size: Annotated[int, Help("videos per batch in evaluation"), Bounds(min=1)] = 128
    workers: Annotated[
        int | None,
        Help("DataLoader worker processes; none = the data set's default"),
        Bounds(min=0),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compile_mode != "default" and not self.compile:
            raise OptionError(
                "compute.compile_mode needs compute.compile",
                found=f"compute.compile_mode = {self.compile_mode}, compute.compile = false",
                fix="set compute.compile to true",
            )


RECORDS: dict[str, type[Config]] = {"train": TrainConfig, "compute": ComputeConfig}
"""Slots without a component."""

SLOTS: tuple[str, ...] = (*KINDS, *RECORDS)


@dataclass(frozen=True)
class Published:
    """One published score, as a fraction: segment accuracy on AVE's test split.

    >>> Published("full", "VGG-19 + VGGish", 0.778, "Table 1").segment_accuracy
    0.778
    """

    supervision: Supervision
    features: str
    segment_accuracy: float
    source: str


@dataclass(frozen=True)
class PublishedCheckpoint:
    """Weights published by the authors of a system.

    Attributes:
        settings: training settings of the weights.
        where: location, as named on the publisher's page.
        accuracy: published segment accuracy in percent, by setting; empty if none is stated for these weights.

    >>> PublishedCheckpoint(("full",), "the authors' page", "80.796").settings
    ('full',)
    """

    settings: tuple[Supervision, ...]
    where: str
    accuracy: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named composition with a config in every slot.

    Data and model are required. Training defaults to Adam at 3e-4 with a cosine schedule, shuffled batches of 128 and
    300 epochs; the head decides by its own rule. To change a slot in Python:
    ``dataclasses.replace(recipe, encoder=MeanPoolConfig())``.

    Attributes:
        name: as registered.
        summary: one line.
        paper: key of the paper.
        supervision: full or weak.
        dataset, encoder, memory, head, objective: data and model.
        sampler, transform, optimizer, schedule, train: training.
        decoder: rule from scores to events.
        compute: computation.
        published: scores reported by its paper or later papers.
        assumptions: choices of this library that no published source states, one sentence each.
        limits: limitations by construction, with the reason, one sentence each.

    >>> avelzoo.recipes["ead-b"]("full").name
    'ead-b'
    """

    name: str
    summary: str
    paper: str
    supervision: Supervision
    dataset: DatasetConfig
    encoder: EncoderConfig
    memory: MemoryConfig
    head: HeadConfig
    objective: ObjectiveConfig
    sampler: SamplerConfig = field(default_factory=ShuffledConfig)
    transform: TransformConfig = field(default_factory=NoTransformConfig)
    optimizer: OptimizerConfig = field(default_factory=AdamConfig)
    schedule: ScheduleConfig = field(default_factory=CosineConfig)
    decoder: DecoderConfig = field(default_factory=HeadRuleConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    published: tuple[Published, ...] = ()
    assumptions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def weak_protocol(self) -> str | None:
        """The weak labels of its training; None under full supervision."""
        return self.dataset.weak_protocol if self.supervision == "weak" else None

    def slot(self, name: str) -> Config:
        """The config in a slot."""
        config: Config = getattr(self, name)
        return config

    def components(self) -> dict[str, ComponentConfig]:
        """The slots filled by registered components, in order."""
        return {kind: getattr(self, kind) for kind in KINDS}
