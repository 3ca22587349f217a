"""avelzoo: audio-visual event localization, every published system in one house.

Names are imported when first used, so that ``import avelzoo`` costs nothing and never loads torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from avelzoo.version import __version__

if TYPE_CHECKING:  # the same names as in _HOME, for type checkers
    from avelzoo.api import load_run as load_run, recipes as recipes, run as run
    from avelzoo.auditing import audit as audit
    from avelzoo.builtin.datasets.configs import (
        AveConfig as AveConfig,
        HardWorldsConfig as HardWorldsConfig,
        NamedScoresConfig as NamedScoresConfig,
        VariedWorldsConfig as VariedWorldsConfig,
        WorldsConfig as WorldsConfig,
    )
    from avelzoo.builtin.decoders.configs import (
        AgreementConfig as AgreementConfig,
        CompetitionConfig as CompetitionConfig,
        DynamicThresholdConfig as DynamicThresholdConfig,
        MarginConfig as MarginConfig,
        SingleSpanConfig as SingleSpanConfig,
        ThresholdConfig as ThresholdConfig,
    )
    from avelzoo.builtin.decoders.head import HeadRuleConfig as HeadRuleConfig
    from avelzoo.builtin.encoders.configs import (
        GivenScoresConfig as GivenScoresConfig,
        MeanPoolConfig as MeanPoolConfig,
        STFusionConfig as STFusionConfig,
    )
    from avelzoo.builtin.extractors.audio_configs import (
        Cnn14Config as Cnn14Config,
        LogMelConfig as LogMelConfig,
        VggishConfig as VggishConfig,
        YamnetConfig as YamnetConfig,
    )
    from avelzoo.builtin.extractors.visual_configs import (
        ColourMotionConfig as ColourMotionConfig,
        TimmConfig as TimmConfig,
        Vgg19Config as Vgg19Config,
    )
    from avelzoo.builtin.heads.configs import (
        DoubleConfig as DoubleConfig,
        EventAwareClassifiersConfig as EventAwareClassifiersConfig,
        EventAwareConfig as EventAwareConfig,
        JointScoresConfig as JointScoresConfig,
        SingleConfig as SingleConfig,
    )
    from avelzoo.builtin.launchers.configs import InlineConfig as InlineConfig, LocalConfig as LocalConfig
    from avelzoo.builtin.memory.configs import (
        FeatureBankConfig as FeatureBankConfig,
        JsdBankConfig as JsdBankConfig,
        LazyBankConfig as LazyBankConfig,
        NoMemoryConfig as NoMemoryConfig,
        RandomBankConfig as RandomBankConfig,
    )
    from avelzoo.builtin.objectives.configs import (
        GeneralConfig as GeneralConfig,
        GeneralTerms as GeneralTerms,
        MemoryTerms as MemoryTerms,
    )
    from avelzoo.builtin.optimizers.configs import (
        AdamConfig as AdamConfig,
        AdamWConfig as AdamWConfig,
        SgdConfig as SgdConfig,
    )
    from avelzoo.builtin.samplers.configs import SequentialConfig as SequentialConfig, ShuffledConfig as ShuffledConfig
    from avelzoo.builtin.schedules.configs import (
        ConstantConfig as ConstantConfig,
        CosineConfig as CosineConfig,
        StepsConfig as StepsConfig,
    )
    from avelzoo.builtin.transforms.configs import NoTransformConfig as NoTransformConfig
    from avelzoo.channels import AnyOf as AnyOf, Channel as Channel, Need as Need
    from avelzoo.comparing.runs import compare_runs as compare_runs
    from avelzoo.components import (
        DatasetConfig as DatasetConfig,
        DecoderConfig as DecoderConfig,
        EncoderConfig as EncoderConfig,
        HeadConfig as HeadConfig,
        LauncherConfig as LauncherConfig,
        MemoryConfig as MemoryConfig,
        ObjectiveConfig as ObjectiveConfig,
        OptimizerConfig as OptimizerConfig,
        SamplerConfig as SamplerConfig,
        ScheduleConfig as ScheduleConfig,
        Supervision as Supervision,
        Term as Term,
        TransformConfig as TransformConfig,
    )
    from avelzoo.composition.building import build as build
    from avelzoo.composition.experiment import (
        Experiment as Experiment,
        ExperimentEdition as ExperimentEdition,
        ExperimentRow as ExperimentRow,
        FeatureSetting as FeatureSetting,
    )
    from avelzoo.composition.model import Model as Model, StepOutput as StepOutput
    from avelzoo.composition.objective import SumOfTerms as SumOfTerms
    from avelzoo.composition.recipe import (
        ComputeConfig as ComputeConfig,
        Published as Published,
        PublishedCheckpoint as PublishedCheckpoint,
        Recipe as Recipe,
        TrainConfig as TrainConfig,
    )
    from avelzoo.config import Bounds as Bounds, Help as Help
    from avelzoo.contracts import (
        Dataset as Dataset,
        Decoder as Decoder,
        Encoder as Encoder,
        Head as Head,
        LossFunction as LossFunction,
        Memory as Memory,
        Split as Split,
        Transform as Transform,
    )
    from avelzoo.data.facts import AVE_CATEGORIES as AVE_CATEGORIES
    from avelzoo.engine import RunResult as RunResult
    from avelzoo.errors import (
        AvelzooError as AvelzooError,
        OptionError as OptionError,
        RunError as RunError,
        SupervisionError as SupervisionError,
        TrainingError as TrainingError,
        UsageError as UsageError,
    )
    from avelzoo.extractors import (
        AudioSampling as AudioSampling,
        Extractor as Extractor,
        ExtractorConfig as ExtractorConfig,
        FrameSampling as FrameSampling,
        WeightsFile as WeightsFile,
    )
    from avelzoo.formats import FormatConfig as FormatConfig
    from avelzoo.jobs import Job as Job, Launcher as Launcher, Outcome as Outcome, perform as perform
    from avelzoo.localization.localizer import Localizer as Localizer
    from avelzoo.nn.decision import Decision as Decision
    from avelzoo.plugin.decorators import (
        dataset as dataset,
        decoder as decoder,
        encoder as encoder,
        extractor as extractor,
        format as format,  # noqa: A004 - decorators are named like their kinds
        head as head,
        launcher as launcher,
        memory as memory,
        objective as objective,
        optimizer as optimizer,
        sampler as sampler,
        schedule as schedule,
        transform as transform,
    )
    from avelzoo.plugin.default import default_host as default_host
    from avelzoo.plugin.hookspecs import hookimpl as hookimpl
    from avelzoo.plugin.host import PluginHost as PluginHost
    from avelzoo.plugin.listeners import Listener as Listener, RunView as RunView
    from avelzoo.plugin.papers import Paper as Paper
    from avelzoo.plugin.registrar import Registrar as Registrar
    from avelzoo.published.official import (
        OfficialSystem as OfficialSystem,
        load_renamed as load_renamed,
        official_outputs as official_outputs,
    )
    from avelzoo.published.probes import (
        adam_step as adam_step,
        gradient_norms as gradient_norms,
        without_dropout as without_dropout,
    )
    from avelzoo.records import (
        Batch as Batch,
        Encoded as Encoded,
        FeatureSpec as FeatureSpec,
        HeadOutput as HeadOutput,
        MemoryView as MemoryView,
        Metric as Metric,
        Predictions as Predictions,
        Targets as Targets,
        Widths as Widths,
    )
    from avelzoo.sweeps import SweepResult as SweepResult, sweep as sweep
    from avelzoo.timeline.event import Event as Event
    from avelzoo.timeline.records import Localization as Localization, SegmentScores as SegmentScores
    from avelzoo.timeline.timeline import Timeline as Timeline

_HOME = {
    "avelzoo.channels": ("AnyOf", "Channel", "Need"),
    "avelzoo.components": (
        "DatasetConfig",
        "DecoderConfig",
        "EncoderConfig",
        "HeadConfig",
        "LauncherConfig",
        "MemoryConfig",
        "ObjectiveConfig",
        "OptimizerConfig",
        "SamplerConfig",
        "ScheduleConfig",
        "Supervision",
        "Term",
        "TransformConfig",
    ),
    "avelzoo.comparing.runs": ("compare_runs",),
    "avelzoo.config": ("Bounds", "Help"),
    "avelzoo.extractors": ("AudioSampling", "Extractor", "ExtractorConfig", "FrameSampling", "WeightsFile"),
    "avelzoo.formats": ("FormatConfig",),
    "avelzoo.contracts": ("Dataset", "Decoder", "Encoder", "Head", "LossFunction", "Memory", "Split", "Transform"),
    "avelzoo.records": (
        "Batch",
        "Predictions",
        "Encoded",
        "FeatureSpec",
        "MemoryView",
        "Metric",
        "HeadOutput",
        "Targets",
        "Widths",
    ),
    "avelzoo.composition.experiment": ("Experiment", "ExperimentEdition", "ExperimentRow", "FeatureSetting"),
    "avelzoo.composition.model": ("Model", "StepOutput"),
    "avelzoo.composition.objective": ("SumOfTerms",),
    "avelzoo.composition.building": ("build",),
    "avelzoo.composition.recipe": ("ComputeConfig", "Published", "PublishedCheckpoint", "Recipe", "TrainConfig"),
    "avelzoo.plugin.decorators": (
        "dataset",
        "decoder",
        "encoder",
        "extractor",
        "format",
        "head",
        "launcher",
        "memory",
        "objective",
        "optimizer",
        "sampler",
        "schedule",
        "transform",
    ),
    "avelzoo.plugin.hookspecs": ("hookimpl",),
    "avelzoo.plugin.default": ("default_host",),
    "avelzoo.plugin.host": ("PluginHost",),
    "avelzoo.plugin.registrar": ("Registrar",),
    "avelzoo.errors": ("AvelzooError", "OptionError", "RunError", "SupervisionError", "TrainingError", "UsageError"),
    "avelzoo.plugin.papers": ("Paper",),
    "avelzoo.published.official": ("OfficialSystem", "load_renamed", "official_outputs"),
    "avelzoo.localization.localizer": ("Localizer",),
    "avelzoo.nn.decision": ("Decision",),
    "avelzoo.published.probes": ("without_dropout", "adam_step", "gradient_norms"),
    "avelzoo.builtin.datasets.configs": (
        "AveConfig",
        "HardWorldsConfig",
        "NamedScoresConfig",
        "VariedWorldsConfig",
        "WorldsConfig",
    ),
    "avelzoo.builtin.decoders.configs": (
        "AgreementConfig",
        "CompetitionConfig",
        "DynamicThresholdConfig",
        "MarginConfig",
        "SingleSpanConfig",
        "ThresholdConfig",
    ),
    "avelzoo.builtin.decoders.head": ("HeadRuleConfig",),
    "avelzoo.builtin.encoders.configs": ("GivenScoresConfig", "MeanPoolConfig", "STFusionConfig"),
    "avelzoo.data.facts": ("AVE_CATEGORIES",),
    "avelzoo.builtin.extractors.audio_configs": ("Cnn14Config", "LogMelConfig", "VggishConfig", "YamnetConfig"),
    "avelzoo.builtin.extractors.visual_configs": ("ColourMotionConfig", "TimmConfig", "Vgg19Config"),
    "avelzoo.builtin.heads.configs": (
        "DoubleConfig",
        "EventAwareClassifiersConfig",
        "EventAwareConfig",
        "JointScoresConfig",
        "SingleConfig",
    ),
    "avelzoo.builtin.launchers.configs": ("InlineConfig", "LocalConfig"),
    "avelzoo.builtin.memory.configs": (
        "FeatureBankConfig",
        "JsdBankConfig",
        "LazyBankConfig",
        "NoMemoryConfig",
        "RandomBankConfig",
    ),
    "avelzoo.builtin.objectives.configs": ("GeneralConfig", "GeneralTerms", "MemoryTerms"),
    "avelzoo.builtin.optimizers.configs": ("AdamConfig", "AdamWConfig", "SgdConfig"),
    "avelzoo.builtin.samplers.configs": ("SequentialConfig", "ShuffledConfig"),
    "avelzoo.builtin.schedules.configs": ("ConstantConfig", "CosineConfig", "StepsConfig"),
    "avelzoo.builtin.transforms.configs": ("NoTransformConfig",),
    "avelzoo.jobs": ("Job", "Launcher", "Outcome", "perform"),
    "avelzoo.plugin.listeners": ("Listener", "RunView"),
    "avelzoo.engine": ("RunResult",),
    "avelzoo.auditing": ("audit",),
    "avelzoo.api": ("load_run", "recipes", "run"),
    "avelzoo.sweeps": ("SweepResult", "sweep"),
    "avelzoo.timeline.event": ("Event",),
    "avelzoo.timeline.records": ("Localization", "SegmentScores"),
    "avelzoo.timeline.timeline": ("Timeline",),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *_WHERE]  # noqa: PLE0604 - every key of _WHERE is a string


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'avelzoo' has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
