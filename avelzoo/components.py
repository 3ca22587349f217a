"""What a plugin registers: one config base per kind. A config holds a component's options and builds it.

These classes must stay importable without torch; ``build`` imports the module it makes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from avelzoo.channels import Channel, Need, channels_of
from avelzoo.config import Bounds, Config, Help
from avelzoo.errors import AvelzooError, PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from avelzoo.contracts import Dataset, Encoder, Head, LossFunction, Memory, Transform
    from avelzoo.jobs import Launcher
    from avelzoo.records import FeatureSpec, Widths

Supervision = Literal["full", "weak"]
WeakProtocol = Literal["onehot+neg", "onehot", "soft-duration"]

LEAKING_PROTOCOLS: frozenset[str] = frozenset({"soft-duration"})
"""Weak labels that hold the event's share of the video. Scores of systems trained with them carry `LEAK_MARK`."""
LEAK_MARK = "\u2020"
LEAK_NOTE = (
    "trained with soft-duration labels, which hold the event's share of the video: not comparable with scores from"
    " labels of the category alone"
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
)
"""The slots of a composition that a component fills. `BASES` has every kind that a config describes."""


@dataclass(frozen=True, kw_only=True)
class ComponentConfig(Config, ABC):
    """Base of every component's config.

    Class attributes:
        kind: the slot it fills.
        paper: key of the paper it follows, as in `avelzoo.plugin.papers`; empty for a component of our own.
        supervisions: the settings it can work in.
        fidelity: how closely it follows its paper: parity, faithful, equation-level, approximate, sketch; empty for
            a component of our own.
        assumptions: what no published source states and is chosen here, one sentence each.

    What it hands to other parts and reads of theirs are channels, compared before anything is allocated.
    """

    paper: ClassVar[str] = ""
    supervisions: ClassVar[tuple[Supervision, ...]] = ("full", "weak")
    fidelity: ClassVar[str] = ""
    assumptions: ClassVar[tuple[str, ...]] = ()

    def gives(self, supervision: Supervision) -> frozenset[Channel]:
        """Channels that it gives in training; of an encoder those beside its three sequences."""
        return frozenset()

    def reads(self, supervision: Supervision) -> frozenset[Need]:
        """Channels of other parts that it reads; what a loss term reads is in its `Term.needs`."""
        return frozenset()


@dataclass(frozen=True, kw_only=True)
class DatasetConfig(ComponentConfig):
    """Settings of a data set.

    Options defined here are shared by every data set, so a recipe's value for them survives a change of data set.

    Class attributes:
        reads_folder: whether its option ``root`` is the folder of its files, which ``--data`` sets.

    >>> WorldsConfig.reads_folder, AveConfig.reads_folder
    (False, True)
    """

    kind: ClassVar[str] = "dataset"
    reads_folder: ClassVar[bool] = False

    weak_protocol: Annotated[
        WeakProtocol,
        Help("weak video labels: category and negatives, category alone, or the event's share (leaks duration)"),
    ] = "onehot+neg"

    def train_defaults(self, supervision: Supervision) -> Mapping[str, Any]:
        """Training values that suit this data's size; they replace the recipe's, and are shown as the data set's."""
        return {}

    @abstractmethod
    def open(self, supervision: Supervision) -> Dataset:
        """Open the data. Cheap: features are read when asked for.

        Raises:
            DataError: a file is missing, damaged or not what it should be.
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

    It trains where its weight is above 0 and other parts of the composition give all it needs.

    Attributes:
        name: in the losses.
        weight: in their sum.
        needs: channels it is computed from, all of them.
        build: makes its function for features of some sizes; a module where it has state or parameters.
        options: options of the config that concern this term alone.
        own: the objective was made for it. A composition with this objective that lacks its input is refused, unless
            the objective came with a recipe whose other parts were replaced.
        late: its input may be absent in the first epochs; the term is then left out.

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
        only_under: options that count under one supervision alone.

    >>> [term.name for term in GeneralConfig().terms("weak")][:3]
    ['event', 'relevance', 'unimodal']
    """

    kind: ClassVar[str] = "objective"
    only_under: ClassVar[Mapping[str, Supervision]] = {}

    @abstractmethod
    def terms(self, supervision: Supervision) -> tuple[Term, ...]:
        """Every term it can compute under a supervision."""


def declared_by(config: ComponentConfig, supervision: Supervision) -> frozenset[Channel]:
    """Every channel that a component gives, reads or trains from.

    Raises:
        PluginError: something else is declared.
    """
    terms = config.terms(supervision) if isinstance(config, ObjectiveConfig) else ()
    needs = (*config.reads(supervision), *(need for term in terms for need in term.needs))
    for method, declared, kind in (("gives", config.gives(supervision), Channel), ("reads", needs, Need)):
        for one in declared:
            if not isinstance(one, kind):
                raise PluginError(
                    f"`{method}` of the {config.kind} declares what is no channel",
                    where=type(config).__qualname__,
                    found=repr(one),
                    expected='a set of channels, such as {Channel("speed", "(b t)", "how fast it changes")}',
                )
    return frozenset(config.gives(supervision)) | channels_of(*needs)


def declared_by_default(config: type[Config]) -> frozenset[Channel]:
    """The same under every supervision, of a config with its defaults; none of one that has options without default."""
    try:
        made = config()
    except (TypeError, AvelzooError):
        return frozenset()
    if not isinstance(made, ComponentConfig):
        return frozenset()
    return frozenset(channel for supervision in made.supervisions for channel in declared_by(made, supervision))


@dataclass(frozen=True, kw_only=True)
class SamplerConfig(ComponentConfig):
    """Settings of a sampler: which training videos an epoch takes, in which order.

    >>> SequentialConfig().positions(3, 2, np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """

    kind: ClassVar[str] = "sampler"

    @abstractmethod
    def positions(self, videos: int, batch_size: int, rng: np.random.Generator) -> np.ndarray:
        """Positions in a split of ``videos`` videos, in the order in which batches of ``batch_size`` take them.

        Args:
            videos: size of the split.
            batch_size: videos per batch.
            rng: seeded with the run's seed and the epoch; the only source of chance, so that any epoch can be repeated.
        """


@dataclass(frozen=True, kw_only=True)
class TransformConfig(ComponentConfig):
    """Settings of a transform: augmentation of training batches in front of the encoder.

    >>> NoTransformConfig().build(WorldsConfig().open("full").spec, "full") is None
    True
    """

    kind: ClassVar[str] = "transform"

    @abstractmethod
    def build(self, spec: FeatureSpec, supervision: Supervision) -> Transform | None:
        """The transform; None for one that leaves every batch as it is."""


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig(ComponentConfig):
    """Settings of an optimizer.

    The learning rate is shared by every optimizer, so a recipe's value survives a change of optimizer.

    >>> AdamConfig(weight_decay=0.01).to_dict()["weight_decay"]
    0.01
    """

    kind: ClassVar[str] = "optimizer"

    learning_rate: Annotated[float, Help("step size before the schedule's factor"), Bounds(above=0)] = 3e-4

    @abstractmethod
    def build(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimizer of these parameters. The schedule sets the learning rate of all its groups."""


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig(ComponentConfig):
    """Settings of a schedule: the learning rate over epochs.

    The warm-up is shared by every schedule: in epoch e < w the rate is multiplied by (e + 1) / (w + 1).

    >>> CosineConfig(warmup_epochs=5).warmup_epochs
    5
    """

    kind: ClassVar[str] = "schedule"

    warmup_epochs: Annotated[int, Help("epochs of linear warm-up, w"), Bounds(min=0)] = 0

    @abstractmethod
    def build(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """PyTorch's scheduler, without warm-up; it is stepped once after each of ``epochs`` epochs.

        Rates may depend on the epoch alone: a resumed run computes them again.
        """


@dataclass(frozen=True, kw_only=True)
class LauncherConfig(Config, ABC):
    """Settings of a launcher: it runs jobs, and is no part of what a job computes, so it fills no slot.

    Class attributes:
        isolated: whether a job that dies leaves the others, and this process, alone.

    >>> LocalConfig.isolated, InlineConfig.isolated
    (True, False)
    """

    kind: ClassVar[str] = "launcher"
    isolated: ClassVar[bool] = True

    @abstractmethod
    def build(self) -> Launcher:
        """The launcher. Nothing is started before it gets jobs."""


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
    "launcher": LauncherConfig,
}
