"""Recipes of CMBS."""

from __future__ import annotations

from avelzoo import (
    HeadConfig,
    NoMemoryConfig,
    ObjectiveConfig,
    Published,
    Recipe,
    Supervision,
    TrainConfig,
    WorldsConfig,
)
from avelzoo_baselines.cmbs.configs import CmbsConfig, CmbsHeadConfig, CmbsWeakHeadConfig, GatedFullConfig
from avelzoo_baselines.shared.configs import VideoConfig
from avelzoo_baselines.shared.statements import GATES, SQUASHED_GATE, where_weak


def cmbs(supervision: Supervision) -> Recipe:
    """CMBS as the paper describes it: streams gate each other, gates are probabilities."""
    summary = "Xia and Zhao 2022: cross-modal background suppression, as the paper states it"
    return _recipe("cmbs", summary, supervision, official=False)


def cmbs_official(supervision: Supervision) -> Recipe:
    """CMBS as its public code runs it."""
    summary = "Xia and Zhao 2022: the public code (marmot-xy/CMBS), bug for bug"
    return _recipe("cmbs-official", summary, supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    full = supervision == "full"
    head: HeadConfig = (
        CmbsHeadConfig(top=4, stream_weight=0.3)
        if full
        else CmbsWeakHeadConfig(top=4, stream_weight=0.5, relevance="squashed-gate" if official else "gate")
    )
    return Recipe(
        name=name,
        summary=summary,
        paper="cmbs2022",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="onehot+neg"),
        encoder=CmbsConfig(
            width=256,
            heads=4,
            layers=2,
            encoder_feedforward=1024 if full else 2048,
            decoder_feedforward=1024,
            recurrent=full,
            audio_hidden=128,
            visual_hidden=256,
            gate_weight=0.1 if full else 0.2,
            gate_form="add" if full else "mix",
            gate_source="own" if official and not full else "other",
            self_weight=0.4 if full else 0.5,
            attention_width=256,
            query_width=128,
            fusion_heads=4 if full else 2,
            dropout=0.1,
            input_dropout=0.2 if full else 0.1,
            attention_dropout=0.2,
            fusion_dropout=0.2,
            equal_layers=official,
        ),
        memory=NoMemoryConfig(),
        head=head,
        objective=_objective(supervision, official=official),
        train=TrainConfig(
            epochs=200,
            batch_size=64,
            learning_rate=7e-4 if full else 6e-4,
            schedule="steps",
            milestones=(10, 20, 30) if full else (10, 20, 40),
            gamma=0.5,
            clip_norm=0.5,
            order="shuffled",
            drop_last=False,
            seed=43 if full else 666,
            precision="64" if official else "32",
        ),
        limits=where_weak(supervision, SQUASHED_GATE if official else GATES),
        published=(
            Published("full", "VGG-19 + VGGish", 0.793, "Ge et al. 2023, Table 1"),
            Published("weak", "VGG-19 + VGGish", 0.742, "Ge et al. 2023, Table 1"),
        ),
    )


def _objective(supervision: Supervision, *, official: bool) -> ObjectiveConfig:
    if supervision == "full":
        return GatedFullConfig(
            event=1.0,
            relevance=1.0,
            gate=1.0,
            streams=1.0,
            gate_loss="logits" if official else "probability",
            unimodal=0.01,
            prototype=0.1,
            contrastive=0.1,
            segment=1.0,
            prototype_level="segment",
            contrastive_mean="segments",
        )
    return VideoConfig(
        video=1.0,
        video_loss="soft-margin",
        unimodal=0.01,
        prototype=0.1,
        prototype_level="segment",
        background_videos="mask",
    )
