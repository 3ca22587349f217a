"""A data set, a component of every kind and a recipe that train in a blink, and draw from every random generator."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch
from torch import nn

from avelzoo.builtin.decoders.configs import ThresholdConfig
from avelzoo.builtin.decoders.head import HeadRuleConfig
from avelzoo.builtin.optimizers.configs import AdamConfig, AdamWConfig, SgdConfig
from avelzoo.builtin.samplers.configs import SequentialConfig, ShuffledConfig
from avelzoo.builtin.schedules.configs import ConstantConfig, CosineConfig, StepsConfig
from avelzoo.builtin.transforms.configs import NoTransformConfig
from avelzoo.channels import EVENT_LOGITS, RELEVANCE_LOGITS
from avelzoo.components import (
    KINDS,
    DatasetConfig,
    EncoderConfig,
    HeadConfig,
    MemoryConfig,
    ObjectiveConfig,
    Term,
    TransformConfig,
)
from avelzoo.composition.overrides import Override
from avelzoo.composition.recipe import ComputeConfig, Recipe, TrainConfig
from avelzoo.composition.resolving import Composition, resolve
from avelzoo.config import Help
from avelzoo.contracts import Dataset, Encoder, Head, Memory, Split, Transform
from avelzoo.plugin.registrar import Registrar
from avelzoo.plugin.registry import Registry
from avelzoo.records import Batch, Encoded, FeatureSpec, HeadOutput, MemoryView, Predictions, Targets, Widths

NAMES = ("bark", "bell", "horn")


class TinySplit(Split):
    def __init__(self, name, videos, config):
        rng = np.random.default_rng([config.seed, *name.encode()])
        self.name = name
        self.video_ids = [f"{name}-{i}" for i in range(videos)]
        self._events = rng.integers(0, 3, videos)
        on = rng.random((videos, 4)) < 0.7
        on[:, 0] = True
        self._labels = np.where(on, self._events[:, None], 3)
        noise = config.test_noise if name == "test" else config.noise
        signal = np.eye(config.audio_dim)[self._events][:, None] * on[..., None]
        self._audio = (signal + noise * rng.standard_normal(signal.shape)).astype(np.float32)
        self._visual = rng.standard_normal((videos, 4, 1, 2, 5)).astype(np.float32)
        if config.spoiled and name == "train":
            self._audio[-1] = np.inf

    def __len__(self):
        return len(self.video_ids)

    def fetch(self, indices):
        at = np.asarray(indices)
        batch = Batch(
            audio=torch.from_numpy(self._audio[at]),
            visual=torch.from_numpy(self._visual[at]),
            rows=torch.from_numpy(at.astype(np.int64)),
        )
        event = torch.from_numpy(self._events[at])
        segments = torch.from_numpy(self._labels[at])
        return batch, Targets(event=event, presence=torch.ones(len(at)), segments=segments, background=3)

    def labels(self):
        return self._labels.copy()

    def events(self):
        return self._events.copy()


class TinyData(Dataset):
    def __init__(self, config):
        names = NAMES if config.names == "own" else ("cat", "dog", "owl")
        self.spec = FeatureSpec(segments=4, audio_dim=config.audio_dim, grid=(1, 2), visual_dim=5, categories=names)
        sizes = {"train": config.videos, "val": 20, "test": 20}
        self._splits = {name: TinySplit(name, videos, config) for name, videos in sizes.items()}
        self._config = config

    def split(self, name):
        return self._splits[name]

    def references(self, name):
        return {"truth": self._splits[name].labels()}

    def fingerprint(self):
        return {"tiny": f"seed {self._config.seed}, {self._config.videos} videos"}


@dataclass(frozen=True, kw_only=True)
class TinyDataConfig(DatasetConfig):
    """Three categories told by the audio."""

    videos: Annotated[int, Help("training videos")] = 26
    noise: Annotated[float, Help("standard deviation")] = 0.3
    test_noise: Annotated[float, Help("the same, in test")] = 0.3
    audio_dim: Annotated[int, Help("audio channels")] = 4
    names: Annotated[str, Help("own or other")] = "own"
    seed: Annotated[int, Help("of the features")] = 0
    spoiled: Annotated[bool, Help("an infinite feature in training")] = False

    def open(self, supervision):
        return TinyData(self)


class TinyEncoder(Encoder):
    def __init__(self, spec, width):
        super().__init__()
        self.widths = Widths(fused=width, audio=width, visual=width)
        self.audio = nn.Linear(spec.audio_dim, width)
        self.visual = nn.Linear(spec.visual_dim, width)
        self.drop = nn.Dropout(0.2)

    def forward(self, audio, visual):
        a, v = self.audio(audio).relu(), self.visual(visual.mean(dim=(2, 3))).relu()
        return Encoded(fused=self.drop(a + 0.1 * v), audio=a, visual=v)


@dataclass(frozen=True, kw_only=True)
class TinyEncoderConfig(EncoderConfig):
    """Two linear maps and dropout."""

    width: Annotated[int, Help("channels")] = 8

    def build(self, spec):
        return TinyEncoder(spec, self.width)


class TinyMemory(Memory):
    """The mean embedding of each category so far, stirred by all three generators; counts readings."""

    def __init__(self, n, width):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n, 1, width))
        self.register_buffer("seen", torch.zeros(n, dtype=torch.int64))
        self.readings = 0

    def observe(self, encoded, batch, targets):
        with torch.no_grad():
            noise = 0.01 * (random.random() + float(np.random.rand()) + float(torch.rand(())))  # noqa: NPY002, S311
            for k in targets.event.unique().tolist():
                fresh = encoded.fused[targets.event == k].mean(dim=(0, 1))
                self.mean[k, 0] = 0.9 * self.mean[k, 0] + (0.1 + noise) * fresh.to(self.mean.dtype)
                self.seen[k] += 1

    def read(self, encode):
        self.readings += 1
        return MemoryView(items=self.mean.clone(), filled=(self.seen > 0).unsqueeze(1))


@dataclass(frozen=True, kw_only=True)
class TinyMemoryConfig(MemoryConfig):
    """Means."""

    def build(self, spec, widths, supervision):
        return TinyMemory(spec.n, widths.fused)


class TinyHead(Head):
    """``sharpness`` follows the epoch: with the weights of an epoch its answers come back."""

    def __init__(self, spec, width):
        super().__init__()
        self.event = nn.Linear(width, spec.n)
        self.relevance = nn.Linear(width, 1)
        self.unused = nn.Linear(1, 1)
        self.register_buffer("sharpness", torch.zeros(()))

    def begin_epoch(self, epoch, epochs):
        self.sharpness.fill_(1.0 + epoch)

    def forward(self, encoded, view):
        logits = self.event(encoded.fused.mean(dim=1))
        if view is not None:
            logits = logits + 0.1 * encoded.fused.mean(dim=1) @ view.items[:, 0].T.to(encoded.fused.dtype)
        return HeadOutput(event_logits=logits, relevance_logits=self.relevance(encoded.fused).squeeze(-1))

    def decode(self, output):
        category = output.event_logits.argmax(dim=1)
        relevance = (self.sharpness * output.relevance_logits).sigmoid()
        segments = torch.where(relevance > 0.5, category.unsqueeze(1), output.event_logits.shape[1])
        scores = output.event_logits
        return Predictions(segments=segments, category=category, category_scores=scores, relevance=relevance)


@dataclass(frozen=True, kw_only=True)
class TinyHeadConfig(HeadConfig):
    """Two classifiers."""

    def gives(self, supervision):
        return frozenset({EVENT_LOGITS, RELEVANCE_LOGITS})

    def build(self, spec, widths, supervision):
        return TinyHead(spec, widths.fused)


def event_loss(output, targets, view):
    return nn.functional.cross_entropy(output[EVENT_LOGITS], targets.event)


def relevance_loss(output, targets, view):
    logits = output[RELEVANCE_LOGITS]
    return nn.functional.binary_cross_entropy_with_logits(logits, targets.relevance.to(logits.dtype))


@dataclass(frozen=True, kw_only=True)
class TinyObjectiveConfig(ObjectiveConfig):
    """Two terms."""

    def terms(self, supervision):
        return (
            Term("event", 1.0, (EVENT_LOGITS,), lambda spec: event_loss),
            Term("relevance", 0.5, (RELEVANCE_LOGITS,), lambda spec: relevance_loss),
        )


class TinyNoise(Transform):
    """Noise on the audio."""

    def __call__(self, batch, targets, generator):
        noise = torch.randn(batch.audio.shape, generator=generator)
        return replace(batch, audio=batch.audio + 0.3 * noise.to(batch.audio)), targets


@dataclass(frozen=True, kw_only=True)
class TinyNoiseConfig(TransformConfig):
    """Noise."""

    def build(self, spec, supervision):
        return TinyNoise()


def tiny(supervision):
    """All of it."""
    return Recipe(
        name="tiny",
        summary="small",
        paper="",
        supervision=supervision,
        dataset=TinyDataConfig(),
        encoder=TinyEncoderConfig(),
        memory=TinyMemoryConfig(),
        head=TinyHeadConfig(),
        objective=TinyObjectiveConfig(),
        optimizer=AdamConfig(learning_rate=0.02),
        train=TrainConfig(epochs=3, batch_size=8),
        compute=ComputeConfig(eval_batch_size=7),
    )


def tiny_registry() -> Registry:
    """A registry that knows nothing else."""
    registry = Registry()
    zoo = Registrar(registry, plugin="tiny-plugin", distribution="tiny-wheel", version="3.1")
    zoo.dataset("tiny", TinyDataConfig)
    zoo.encoder("tiny", TinyEncoderConfig)
    zoo.memory("tiny", TinyMemoryConfig)
    zoo.head("tiny", TinyHeadConfig)
    zoo.objective("tiny", TinyObjectiveConfig)
    zoo.sampler("shuffled", ShuffledConfig)
    zoo.sampler("sequential", SequentialConfig)
    zoo.transform("none", NoTransformConfig)
    zoo.transform("noise", TinyNoiseConfig)
    zoo.optimizer("adam", AdamConfig)
    zoo.optimizer("adamw", AdamWConfig)
    zoo.optimizer("sgd", SgdConfig)
    zoo.decoder("head", HeadRuleConfig)
    zoo.decoder("threshold", ThresholdConfig)
    zoo.schedule("cosine", CosineConfig)
    zoo.schedule("steps", StepsConfig)
    zoo.schedule("constant", ConstantConfig)
    zoo.recipe("tiny", tiny)
    return registry


def composed(**options) -> Composition:
    """The recipe with other values and parts: ``composed(train_epochs=5, schedule="steps")``."""
    choices = {name: options.pop(name) for name in KINDS if name in options}
    overrides = [Override(name.replace("_", ".", 1), value, "test") for name, value in options.items()]
    return resolve(tiny_registry(), "tiny", choices=choices, overrides=overrides)
