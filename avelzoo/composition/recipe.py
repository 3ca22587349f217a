"""A recipe: one value for everything a system needs, with the paper it comes from and the scores it published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from avelzoo.builtin.optimizers.configs import AdamConfig
from avelzoo.builtin.samplers.configs import ShuffledConfig
from avelzoo.builtin.schedules.configs import CosineConfig
from avelzoo.builtin.transforms.configs import NoTransformConfig
from avelzoo.components import (
    KINDS,
    ComponentConfig,
    DatasetConfig,
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

MOVED: dict[str, str] = {
    "train.learning_rate": "optimizer.learning_rate",
    "train.schedule": "the part 'schedule': --schedule NAME, or `name` in the table [schedule]",
    "train.milestones": "schedule.milestones",
    "train.gamma": "schedule.gamma",
    "train.order": "the part 'sampler': --sampler NAME, or `name` in the table [sampler]",
    "train.precision": "compute.precision",
    "train.resident": "compute.cache_on_device",
    "train.compile": "compute.compile",
    "train.eval_batch_size": "compute.eval_batch_size",
}
"""Options that had another path, and where they are now."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """What is trained: the budget, and how steps are put together.

    >>> TrainConfig(epochs=5).epochs
    5
    """

    kind: ClassVar[str] = "train"

    epochs: Annotated[int, Help("passes over the training split"), Bounds(min=1)] = 300
    batch_size: Annotated[int, Help("videos per batch"), Bounds(min=1)] = 128
    accumulate: Annotated[int, Help("batches whose gradients make up one optimizer step"), Bounds(min=1)] = 1
    clip_norm: Annotated[float | None, Help("largest global gradient norm; none = no clipping"), Bounds(above=0)] = None
    drop_last: Annotated[bool, Help("leave out an epoch's last, smaller batch (kept when it is the only one)")] = True
    ema_decay: Annotated[
        float | None,
        Help("decay of the weights' moving average, evaluated and saved; none = off"),
        Bounds(min=0, below=1),
    ] = None
    patience: Annotated[
        int | None, Help("epochs without a better val score before training stops; none = all epochs"), Bounds(min=1)
    ] = None
    seed: Annotated[int, Help("seed of initial weights, data order and dropout"), Bounds(min=0, max=2**31 - 1)] = 0
    test_curve: Annotated[bool, Help("measure test accuracy after every epoch, for the optimism gap")] = True
    limit_batches: Annotated[
        int | None, Help("stop every epoch after this many batches; none = all"), Bounds(min=1)
    ] = None


@dataclass(frozen=True, kw_only=True)
class ComputeConfig(Config):
    """How it is computed: number formats, what is kept where.

    >>> ComputeConfig(precision="bf16-mixed").precision
    'bf16-mixed'
    """

    kind: ClassVar[str] = "compute"

    precision: Annotated[Literal["32", "64", "bf16-mixed", "16-mixed"], Help("number format of the computation")] = "32"
    cache_on_device: Annotated[
        Literal["off", "float32", "float16", "bfloat16"],
        Help("number format of features kept on the device; off = read each batch anew"),
    ] = "off"
    compile: Annotated[bool, Help("compile the encoder with torch.compile (worth it on GPUs)")] = False
    eval_batch_size: Annotated[int, Help("videos per batch in evaluation"), Bounds(min=1)] = 128
    workers: Annotated[
        int | None,
        Help("processes that read batches ahead; none = the data set decides"),
        Bounds(min=0),
    ] = None


RECORDS: dict[str, type[Config]] = {"train": TrainConfig, "compute": ComputeConfig}
"""Slots that no component fills."""

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
    """Weights that the authors of a system published.

    Attributes:
        settings: the settings they were trained in.
        where: their place, as the publisher's page names it.
        accuracy: published segment accuracy in percent, by setting; empty where none is stated for them.

    >>> PublishedCheckpoint(("full",), "the authors' page", "80.796").settings
    ('full',)
    """

    settings: tuple[Supervision, ...]
    where: str
    accuracy: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named composition. Every slot is a full config.

    Data and model are stated; training has defaults: Adam at 3e-4 under a cosine, shuffled batches of 128, 300 epochs.

    Python users change a slot with ``dataclasses.replace(recipe, encoder=MeanPoolConfig())``.

    Attributes:
        name: as registered.
        summary: one line.
        paper: key of the paper it follows.
        supervision: full or weak.
        dataset, encoder, memory, head, objective: data and model.
        sampler, transform, optimizer, schedule, train: how it is trained.
        compute: how that is computed.
        published: scores its paper or others report.
        assumptions: what no published source states of this composition and is chosen here, one sentence each.
        limits: what the composition cannot do by construction, and why, one sentence each.

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
    train: TrainConfig = field(default_factory=TrainConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    published: tuple[Published, ...] = ()
    assumptions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def weak_protocol(self) -> str | None:
        """The weak labels it is trained with; None under full supervision."""
        return self.dataset.weak_protocol if self.supervision == "weak" else None

    def slot(self, name: str) -> Config:
        """The config in a slot."""
        config: Config = getattr(self, name)
        return config

    def components(self) -> dict[str, ComponentConfig]:
        """The slots that a registered component fills, in order."""
        return {kind: getattr(self, kind) for kind in KINDS}
