"""Registers the built-in components."""

from __future__ import annotations

from avelzoo.builtin.datasets import configs as datasets
from avelzoo.builtin.decoders import configs as decoders
from avelzoo.builtin.decoders.head import HeadRuleConfig
from avelzoo.builtin.encoders import configs as encoders
from avelzoo.builtin.experiments import figures, tables
from avelzoo.builtin.extractors import audio_configs as audio, visual_configs as visual
from avelzoo.builtin.formats.audacity import AudacityConfig
from avelzoo.builtin.formats.elan import ElanConfig
from avelzoo.builtin.formats.json import JsonConfig
from avelzoo.builtin.formats.raven import RavenConfig
from avelzoo.builtin.formats.rttm import RttmConfig
from avelzoo.builtin.formats.scores import ScoresConfig
from avelzoo.builtin.formats.srt import SrtConfig
from avelzoo.builtin.formats.table import CsvConfig, TsvConfig
from avelzoo.builtin.formats.textgrid import TextGridConfig
from avelzoo.builtin.formats.vtt import VttConfig
from avelzoo.builtin.ge2023 import recipes
from avelzoo.builtin.ge2023.official import Ge2023
from avelzoo.builtin.heads import configs as heads
from avelzoo.builtin.launchers import configs as launchers
from avelzoo.builtin.memory import configs as memory
from avelzoo.builtin.names_recipe import names_agreement
from avelzoo.builtin.objectives import configs as objectives
from avelzoo.builtin.optimizers import configs as optimizers
from avelzoo.builtin.papers import PAPERS
from avelzoo.builtin.samplers import configs as samplers
from avelzoo.builtin.schedules import configs as schedules
from avelzoo.builtin.transforms import configs as transforms
from avelzoo.plugin.hookspecs import hookimpl
from avelzoo.plugin.registrar import Registrar


@hookimpl
def avelzoo_register(zoo: Registrar) -> None:
    """Register all built-in components and recipes."""
    for paper in PAPERS:
        zoo.paper(paper)
    zoo.dataset("ave", datasets.AveConfig)
    zoo.dataset("worlds", datasets.WorldsConfig)
    zoo.dataset("worlds-hard", datasets.HardWorldsConfig)
    zoo.dataset("worlds-varied", datasets.VariedWorldsConfig)
    zoo.dataset("named-scores", datasets.NamedScoresConfig)
    zoo.encoder("st-fusion", encoders.STFusionConfig)
    zoo.encoder("mean-pool", encoders.MeanPoolConfig)
    zoo.encoder("given-scores", encoders.GivenScoresConfig)
    zoo.memory("jsd-bank", memory.JsdBankConfig)
    zoo.memory("lazy-bank", memory.LazyBankConfig)
    zoo.memory("random-bank", memory.RandomBankConfig)
    zoo.memory("feature-bank", memory.FeatureBankConfig)
    zoo.memory("none", memory.NoMemoryConfig)
    zoo.head("single", heads.SingleConfig)
    zoo.head("double", heads.DoubleConfig)
    zoo.head("event-aware", heads.EventAwareConfig)
    zoo.head("event-aware-classifiers", heads.EventAwareClassifiersConfig)
    zoo.head("joint-scores", heads.JointScoresConfig)
    zoo.objective("general", objectives.GeneralConfig)
    zoo.sampler("shuffled", samplers.ShuffledConfig)
    zoo.sampler("sequential", samplers.SequentialConfig)
    zoo.transform("none", transforms.NoTransformConfig)
    zoo.optimizer("adam", optimizers.AdamConfig)
    zoo.optimizer("adamw", optimizers.AdamWConfig)
    zoo.optimizer("sgd", optimizers.SgdConfig)
    zoo.schedule("cosine", schedules.CosineConfig)
    zoo.schedule("steps", schedules.StepsConfig)
    zoo.schedule("constant", schedules.ConstantConfig)
    _decoders(zoo)
    zoo.launcher("inline", launchers.InlineConfig)
    zoo.launcher("local", launchers.LocalConfig)
    zoo.extractor("log-mel", audio.LogMelConfig)
    zoo.extractor("vggish", audio.VggishConfig)
    zoo.extractor("cnn14", audio.Cnn14Config)
    zoo.extractor("yamnet", audio.YamnetConfig)
    zoo.extractor("colour-motion", visual.ColourMotionConfig)
    zoo.extractor("timm", visual.TimmConfig)
    zoo.extractor("vgg19", visual.Vgg19Config)
    zoo.format("json", JsonConfig)
    zoo.format("csv", CsvConfig)
    zoo.format("tsv", TsvConfig)
    zoo.format("vtt", VttConfig)
    zoo.format("srt", SrtConfig)
    zoo.format("audacity", AudacityConfig)
    zoo.format("raven", RavenConfig)
    zoo.format("textgrid", TextGridConfig)
    zoo.format("elan", ElanConfig)
    zoo.format("rttm", RttmConfig)
    zoo.format("scores", ScoresConfig)
    zoo.recipe("ead-b", recipes.ead_b)
    zoo.recipe("ead-b-tuned", recipes.ead_b_tuned)
    zoo.recipe("ead-b-official", recipes.ead_b_official)
    zoo.recipe("single-branch", recipes.single_branch)
    zoo.recipe("double-branch", recipes.double_branch)
    zoo.recipe("names-agreement", names_agreement)
    zoo.published_code("ge2023", Ge2023)
    _experiments(zoo)


def _decoders(zoo: Registrar) -> None:
    zoo.decoder("head", HeadRuleConfig)
    zoo.decoder("margin", decoders.MarginConfig)
    zoo.decoder("threshold", decoders.ThresholdConfig)
    zoo.decoder("single-span", decoders.SingleSpanConfig)
    zoo.decoder("agreement", decoders.AgreementConfig)
    zoo.decoder("dynamic-threshold", decoders.DynamicThresholdConfig)
    zoo.decoder("competition", decoders.CompetitionConfig)


def _experiments(zoo: Registrar) -> None:
    zoo.experiment("table1", tables.table1)
    zoo.experiment("table2", tables.table2)
    zoo.experiment("bank-size", figures.bank_size)
    zoo.experiment("margin", figures.margin)
    zoo.experiment("embedding", figures.embedding)
    zoo.experiment("heads", tables.heads)
    zoo.experiment("grid", tables.grid)
