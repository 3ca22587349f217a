"""A recipe: one value for everything a system needs, with the paper it comes from and the scores it published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from avelzoo.components import (
    ComponentConfig,
    DatasetConfig,
    EncoderConfig,
    HeadConfig,
    MemoryConfig,
    ObjectiveConfig,
    Supervision,
)
from avelzoo.config import Bounds, Config, Help

SLOTS: tuple[str, ...] = ("dataset", "encoder", "memory", "head", "objective", "train")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """How a composition is trained: Adam, a schedule, a budget."""

    kind: ClassVar[str] = "train"

    epochs: Annotated[int, Help("passes over the training split"), Bounds(min=1)] = 300
    batch_size: Annotated[int, Help("videos per step"), Bounds(min=1)] = 128
    learning_rate: Annotated[float, Help("Adam's initial step size"), Bounds(above=0)] = 3e-4
    schedule: Annotated[
        Literal["cosine", "constant", "steps"],
        Help("learning rate over epochs: cosine to 0, constant, or times gamma at each milestone"),
    ] = "cosine"
    milestones: Annotated[tuple[int, ...], Help("epochs at which schedule 'steps' decays"), Bounds(min=1)] = ()
    gamma: Annotated[float, Help("factor of schedule 'steps'"), Bounds(above=0, max=1)] = 0.1
    clip_norm: Annotated[float | None, Help("largest global gradient norm; none = no clipping"), Bounds(above=0)] = None
    order: Annotated[
        Literal["shuffled", "sequential", "first-batch"],
        Help("training videos: shuffled every epoch, as in the split, or so but for a first batch drawn from all"),
    ] = "shuffled"
    drop_last: Annotated[bool, Help("leave out an epoch's last, smaller batch (kept when it is the only one)")] = True
    seed: Annotated[int, Help("seed of initial weights, data order and dropout"), Bounds(min=0, max=2**31 - 1)] = 0
    precision: Annotated[Literal["32", "64", "bf16-mixed", "16-mixed"], Help("number format of the computation")] = "32"
    resident: Annotated[
        Literal["off", "float32", "float16", "bfloat16"],
        Help("keep all features on the device, in this number format; off = read each batch anew"),
    ] = "off"
    compile: Annotated[bool, Help("have torch.compile rewrite the encoder (worth it on GPUs)")] = False
    eval_batch_size: Annotated[int, Help("videos per step in evaluation"), Bounds(min=1)] = 128
    limit_batches: Annotated[
        int | None, Help("stop every epoch after this many steps, for a quick look; none = all"), Bounds(min=1)
    ] = None


@dataclass(frozen=True)
class Published:
    """One published score, as a fraction: segment accuracy on AVE's test split."""

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
    """

    settings: tuple[Supervision, ...]
    where: str
    accuracy: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named composition. Every slot is a full config, so nothing is left to defaults elsewhere.

    Python users change a slot with ``dataclasses.replace(recipe, encoder=MeanPoolConfig())``.

    Attributes:
        name: as registered.
        summary: one line.
        paper: key of the paper it follows.
        supervision: full or weak.
        dataset, encoder, memory, head, objective, train: the slots.
        published: scores its paper or others report.
        assumptions: what no published source states of this composition and is chosen here, one sentence each.
        limits: what the composition cannot do by construction, and why, one sentence each.
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
    train: TrainConfig
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
        """The five component slots, in order."""
        return {
            "dataset": self.dataset,
            "encoder": self.encoder,
            "memory": self.memory,
            "head": self.head,
            "objective": self.objective,
        }
