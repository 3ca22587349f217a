"""Recipes of CACE-Net."""

from __future__ import annotations

from avelzoo import NoMemoryConfig, Published, Recipe, Supervision, TrainConfig, WorldsConfig
from avelzoo_baselines.cace_net.configs import CaceNetConfig, CaceNetFullConfig, CaceNetHeadConfig


def cace_net(supervision: Supervision) -> Recipe:
    """CACE-Net in float32, its joint gate trained as the probability that it is. Fully supervised only."""
    return _recipe("cace-net", "He et al. 2024: co-guidance and contrast", supervision, official=False)


def cace_net_official(supervision: Supervision) -> Recipe:
    """CACE-Net as its public code runs it. Fully supervised only: the public weak model cannot be built."""
    summary = "He et al. 2024: the public code (Brain-Cog-Lab/CACE-Net), bug for bug"
    return _recipe("cace-net-official", summary, supervision, official=True)


def _recipe(name: str, summary: str, supervision: Supervision, *, official: bool) -> Recipe:
    return Recipe(
        name=name,
        summary=summary,
        paper="cace2024",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="onehot+neg"),
        encoder=CaceNetConfig(
            width=256,
            heads=4,
            layers=2,
            encoder_feedforward=1024,
            decoder_feedforward=512,
            recurrent=True,
            audio_hidden=128,
            visual_hidden=256,
            gate_weight=0.1,
            gate_form="add",
            gate_source="other",
            self_weight=0.4,
            attention_width=256,
            query_width=128,
            fusion_heads=4,
            dropout=0.1,
            input_dropout=0.2,
            attention_dropout=0.2,
            fusion_dropout=0.2,
            equal_layers=official,
            guidance="co",
            audio_weight=0.3,
        ),
        memory=NoMemoryConfig(),
        head=CaceNetHeadConfig(top=4, stream_weight=0.3, contrast_weight=0.6, noise=0.1, start=0.125),
        objective=CaceNetFullConfig(
            event=1.0,
            relevance=1.0,
            gate=1.0,
            streams=1.0,
            gate_loss="logits" if official else "probability",
            background=1.0,
            background_temperature=0.01,
            unimodal=0.01,
            prototype=0.1,
            contrastive=0.1,
            segment=1.0,
            prototype_level="segment",
            contrastive_mean="segments",
        ),
        train=TrainConfig(
            epochs=200,
            batch_size=64,
            learning_rate=7e-4,
            schedule="steps",
            milestones=(10, 20, 30),
            gamma=0.5,
            clip_norm=0.5,
            order="shuffled",
            drop_last=False,
            seed=3917,
            precision="64" if official else "32",
        ),
        published=(
            Published("full", "the authors' own extraction", 0.808, "the public code's page; epoch chosen on test"),
        ),
    )
