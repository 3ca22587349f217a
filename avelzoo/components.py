"""Config base classes, one per kind, that plugins register. A config holds a component's options and builds it.

These classes must be importable without torch; ``build`` imports the module of the component.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from avelzoo.channels import Channel, Need
from avelzoo.config import Bounds, Config, Help
from avelzoo.extractors import ExtractorConfig
from avelzoo.formats import FormatConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from avelzoo.contracts import Dataset, Decoder, Encoder, Head, LossFunction, Memory, Transform
    from avelzoo.jobs import Launcher
    from avelzoo.records import FeatureSpec, Widths

Supervision = Literal["full", "weak"]
WeakProtocol = Literal["onehot+neg", "onehot", "soft-duration"]

LEAKING_PROTOCOLS: frozenset[str] = frozenset({"soft-duration"})
"""Weak labels that contain the event's share of the video. Scores of systems trained with them have `LEAK_MARK`."""
LEAK_MARK = "\u2020"
LEAK_NOTE = (
    "trained with soft-duration labels, which contain the event's share of the video: not comparable with scores from"
    " category labels"
)

KINDS: tuple[str, ...] = (
    "dataset",
    "sampler",
    "transform",
    "encoder",
    "memory",
    "head",
    "objective",
    "optimizer",
    "schedule",
    "decoder",
)
"""Slots of a composition that are filled by components. `BASES` lists all kinds of configs."""


@dataclass(frozen=True, kw_only=True)
class ComponentConfig(Config, ABC):
    """Base of every component's config.

    Class attributes:
        kind: slot of the component.
        paper: key of its paper, as in `avelzoo.plugin.papers`; empty for a component without a paper.
        supervisions: supported supervisions.
        fidelity: agreement with the paper: parity, faithful, equation-level, approximate, sketch; empty for a
            component without a paper.
        assumptions: choices of this library that no published source states, one sentence each.
        has_parameters: whether the component has parameters to train.

    Components exchange tensors as channels, which are checked before anything is allocated.
    """

    paper: ClassVar[str] = ""
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full", "weak")
    fidelity: ClassVar[str] = ""
    assumptions: ClassVar[tuple[str, ...]] = ()
    has_parameters: ClassVar[bool] = True

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Channels that the component gives in training; for an encoder, in addition to its three sequences."""
        return frozenset()

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """Channels of other parts that the component reads; for loss terms, see `Term.needs`."""
        return frozenset()


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(ComponentConfig):
    """Settings of a data set.

    All data sets share the options defined here, so a recipe's values for them survive a change of data set.

    Class attributes:
        reads_folder: whether the option ``root`` is the data folder, which ``--data`` sets.

    >>> WorldsConfig.reads_folder, AveConfig.reads_folder
    (False, True)
    """

    kind: ClassVar[str] = "dataset"
    reads_folder: ClassVar[bool] = False

    weak_protocol: Annotated[
        WeakProtocol,
        Help("weak labels: category and negatives, category only, or event's share (leaks duration)"),
    ] = "onehot+neg"

    @property
    def single_runs(self) -> bool | None:
        """Whether every event is one run of segments; None if only the labels can tell."""
        return None

    def train_defaults(self, supervision: Supervision) -> Mapping[str, Any]:
        """Training values for this data's size; they replace the recipe's values, with the data set as source."""
        return {}

    @abstractmethod
    def open(self, supervision: Supervision) -> Dataset:
        """Open the data. Features are not read yet.

        Raises:
            DataError: a file is missing, damaged or has unexpected content.
        """


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(ComponentConfig):
    """Settings of an encoder.

    >>> MeanPoolConfig(width=8).build(WorldsConfig().open("full").spec).widths
    Widths(fused=8, audio=8, visual=8)
    """

    kind: ClassVar[str] = "encoder"

    @abstractmethod
    def build(self, spec: FeatureSpec) -> Encoder:
        """The encoder for features of ``spec``'s sizes."""


@dataclass(frozen=True, kw_only=True)
class MemoryConfig(ComponentConfig):
    """Settings of a memory strategy.

    >>> sorted(map(str, JsdBankConfig().gives("full")))
    ['audio_logits', 'memory', 'visual_logits']
    """

    kind: ClassVar[str] = "memory"

    @abstractmethod
    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Memory:
        """The memory for features of ``spec``'s sizes and an encoder of these ``widths``."""


@dataclass(frozen=True, kw_only=True)
class HeadConfig(ComponentConfig):
    """Settings of a branch head.

    >>> [str(channel) for channel in EventAwareConfig().reads("full")]
    ['memory']
    """

    kind: ClassVar[str] = "head"

    @abstractmethod
    def build(self, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Head:
        """The head for an encoder of these ``widths``."""


@dataclass(frozen=True)
class Term:
    """A loss term.

    A term trains if its weight is above 0 and other parts of the composition give all its inputs.

    Attributes:
        name: name of the term.
        weight: weight of the term in the loss.
        needs: all channels from which the term is computed.
        build: builds the function of the term for a feature spec; a module if it has state or parameters.
        options: options of the config that affect only this term.
        own: the objective was made for this term. A composition without its input is refused, unless the objective
            came with a recipe whose other parts were replaced.
        late: the input may be missing in the first epochs; the term is then skipped.

    >>> mean = lambda spec: lambda output, targets, view: output.event_logits.mean()
    >>> Term("mean", 0.1, (avelzoo.channels.EVENT_LOGITS,), mean).weight
    0.1
    """

    name: str
    weight: float
    needs: tuple[Need, ...]
    build: Callable[[FeatureSpec], LossFunction]
    options: tuple[str, ...] = ()
    own: bool = False
    late: bool = False


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig(ComponentConfig):
    """Settings of an objective, a weighted sum of terms: the weights are options.

    Class attributes:
        only_under: options that apply to only one supervision.

    >>> [term.name for term in GeneralConfig().terms("weak")][:3]
    ['event', 'relevance', 'unimodal']
    """

    kind: ClassVar[str] = "objective"
    only_under: ClassVar[Mapping[str, Supervision]] = {}

    @abstractmethod
    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """All terms of the objective under a supervision."""


@dataclass(frozen=True, kw_only=True)
class SamplerConfig(ComponentConfig):
    """Settings of a sampler: training videos of an epoch and their order.

    >>> SequentialConfig().positions(3, 2, np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """

    kind: ClassVar[str] = "sampler"

    @abstractmethod
    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """Positions in a split of ``videos`` videos, in the order of batches of ``batch_size``.

        Args:
            videos: number of videos in the split.
            batch_size: videos per batch.
            rng: generator seeded with the run's seed and epoch; the only source of randomness, so that any epoch can
                be repeated.
        """


@dataclass(frozen=True, kw_only=True)
class TransformConfig(ComponentConfig):
    """Settings of a transform: augmentation of training batches before the encoder.

    >>> NoTransformConfig().build(WorldsConfig().open("full").spec, "full") is None
    True
    """

    kind: ClassVar[str] = "transform"

    @abstractmethod
    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform | None:
        """The transform; None if it does not change batches."""


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig(ComponentConfig):
    """Settings of an optimizer.

    All optimizers share the learning rate, so a recipe's value survives a change of optimizer.

    >>> AdamConfig(weight_decay=0.01).to_dict()["weight_decay"]
    0.01
    """

    kind: ClassVar[str] = "optimizer"

    learning_rate: Annotated[float, Help("base learning rate, multiplied by the schedule"), Bounds(above=0)] = 3e-4

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimizer of these parameters. The schedule sets the learning rate of all its groups."""


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig(ComponentConfig):
    """Settings of a schedule: the learning rate over epochs.

    All schedules share the warm-up: in epoch e < w, the rate is multiplied by (e + 1) / (w + 1).

    >>> CosineConfig(warmup_epochs=5).warmup_epochs
    5
    """

    kind: ClassVar[str] = "schedule"

    warmup_epochs: Annotated[int, Help("epochs of linear warm-up, w"), Bounds(min=0)] = 0

    @abstractmethod
    def build(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """The PyTorch scheduler, without warm-up, stepped once after each of ``epochs`` epochs.

        Rates may depend only on the epoch, because a resumed run computes them again.
        """


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(ComponentConfig):
    """Settings of a decoder, the rule from scores to events. A rule on both modalities reads `channels.UNIMODAL`.

    Class attributes:
        single_runs: whether the rule needs data whose events are single runs of segments.

    >>> ThresholdConfig.single_runs, SingleSpanConfig.single_runs
    (False, True)
    """

    kind: ClassVar[str] = "decoder"
    single_runs: ClassVar[bool] = False

    @abstractmethod
    def build(self, spec: FeatureSpec, head: Head | None) -> Decoder | None:
        """The decoder beside ``head`` (None for scores without a model); None to keep the head's own rule."""


@dataclass(frozen=True, kw_only=True)
class LauncherConfig(Config, ABC):
    """Settings of a launcher, which runs jobs. It does not affect results, so it fills no slot.

    Class attributes:
        isolated: whether other jobs and this process survive the death of a job.

    >>> LocalConfig.isolated, InlineConfig.isolated
    (True, False)
    """

    kind: ClassVar[str] = "launcher"
    isolated: ClassVar[bool] = True

    @abstractmethod
    def build(self) -> Launcher:
        """The launcher. It starts no processes before it gets jobs."""


BASES: dict[str, type[Config]] = {
    "dataset": DatasetConfig,
    "sampler": SamplerConfig,
    "transform": TransformConfig,
    "encoder": EncoderConfig,
    "memory": MemoryConfig,
    "head": HeadConfig,
    "objective": ObjectiveConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
    "decoder": DecoderConfig,
    "launcher": LauncherConfig,
    "extractor": ExtractorConfig,
    "format": FormatConfig,
}
