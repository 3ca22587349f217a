"""The banks as compositions of one module."""

from __future__ import annotations

from avelzoo.builtin.memory.bank import Bank
from avelzoo.builtin.memory.configs import FeatureBankConfig, JsdBankConfig, LazyBankConfig, RandomBankConfig
from avelzoo.builtin.memory.lazy import LazyBank
from avelzoo.builtin.memory.relation import JsdRelation, RandomRelation, UnimodalClassifiers
from avelzoo.builtin.memory.slots import RankedSlots
from avelzoo.components import Supervision
from avelzoo.records import FeatureSpec, Widths


def jsd_bank(config: JsdBankConfig, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Bank:
    """Raw segments by audio-visual agreement (sec. 3.4.1-2)."""
    return Bank(
        RankedSlots(spec.n, config.size, _raw(spec)),
        UnimodalClassifiers(widths.audio, widths.visual, spec.n),
        JsdRelation(),
        stores="raw",
        width=widths.fused,
        supervised=supervision == "full",
        unfilled=config.unfilled,
        background_videos=config.background_videos,
        context=config.context,
        best_only=config.candidates == "best",
        by_audio_sum=config.duplicates == "audio-sum",
        refresh=config.refresh_scores,
        estimated=config.weak_score == "jsd+relevance",
        update_fraction=config.update_fraction,
    )


def lazy_bank(config: LazyBankConfig, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Bank:
    """As the first, with embeddings that grow stale (this library's own)."""
    return LazyBank(
        Bank(
            RankedSlots(spec.n, config.size, _raw(spec) | {"fused": (widths.fused,)}),
            UnimodalClassifiers(widths.audio, widths.visual, spec.n),
            JsdRelation(),
            stores="raw",
            width=widths.fused,
            supervised=supervision == "full",
            unfilled=config.unfilled,
            background_videos=config.background_videos,
            context=config.context,
            refresh=config.refresh_scores,
        ),
        every=config.every,
    )


def random_bank(config: RandomBankConfig, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Bank:
    """Raw segments at random (Table 2, "- JSD-based Bank Update")."""
    return Bank(
        RankedSlots(spec.n, config.size, _raw(spec)),
        UnimodalClassifiers(widths.audio, widths.visual, spec.n),
        RandomRelation(),
        stores="raw",
        width=widths.fused,
        supervised=supervision == "full",
        unfilled=config.unfilled,
        background_videos=config.background_videos,
        context=config.context,
    )


def feature_bank(config: FeatureBankConfig, spec: FeatureSpec, widths: Widths, supervision: Supervision) -> Bank:
    """Fused features by audio-visual agreement (Table 2, "- Bank Feature Consistency")."""
    return Bank(
        RankedSlots(spec.n, config.size, {"fused": (widths.fused,)}),
        UnimodalClassifiers(widths.audio, widths.visual, spec.n),
        JsdRelation(),
        stores="fused",
        width=widths.fused,
        supervised=supervision == "full",
        unfilled=config.unfilled,
        background_videos=config.background_videos,
    )


def _raw(spec: FeatureSpec) -> dict[str, tuple[int, ...]]:
    return {"audio": (spec.audio_dim,), "visual": (*spec.grid, spec.visual_dim)}
