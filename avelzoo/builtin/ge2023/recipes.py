"""The built-in recipes: differences from the defaults of components and training.

Training is the default of `Recipe`: sec. 4.1.3 has 300 epochs, batches of 128, Adam at 3e-4 with cosine annealing.
"""

from __future__ import annotations

from dataclasses import replace

from avelzoo.builtin.datasets.configs import WorldsConfig
from avelzoo.builtin.encoders.configs import STFusionConfig
from avelzoo.builtin.heads.configs import DoubleConfig, EventAwareConfig, SingleConfig
from avelzoo.builtin.memory.configs import JsdBankConfig, NoMemoryConfig
from avelzoo.builtin.objectives.configs import GeneralConfig
from avelzoo.components import HeadConfig, Supervision
from avelzoo.composition.recipe import Published, Recipe

ENCODER = STFusionConfig()
"""Sec. 4.1.3, with details from the public code that the paper does not state."""


def published_scores(source: str, *scores: float) -> tuple[Published, ...]:
    """Four scores of Ge et al. 2023: full with VGGish, full with CNN14, weak with VGGish, weak with CNN14."""
    columns = (
        ("full", "VGG-19 + VGGish"),
        ("full", "VGG-19 + CNN14"),
        ("weak", "VGG-19 + VGGish"),
        ("weak", "VGG-19 + CNN14"),
    )
    return tuple(
        Published(supervision, features, score, source)  # type: ignore[arg-type]
        for (supervision, features), score in zip(columns, scores, strict=True)
    )


def ead_b(supervision: Supervision) -> Recipe:
    """Event-aware double branch with memory-assisted metric learning, as stated in the paper."""
    full = supervision == "full"
    return Recipe(
        name="ead-b",
        summary="Ge et al. 2023: the paper's equations and hyper-parameters",
        paper="ge2023",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=ENCODER,
        memory=JsdBankConfig(),
        head=EventAwareConfig(margin=0.7 if full else 0.9),
        objective=GeneralConfig(),
        published=published_scores("Ge et al. 2023, Table 1", 0.804, 0.813, 0.772, 0.787),
    )


def ead_b_tuned(supervision: Supervision) -> Recipe:
    """`ead-b` with the event/background distance threshold chosen on val instead of m."""
    paper = ead_b(supervision)
    assert isinstance(paper.head, EventAwareConfig)
    return replace(
        paper,
        name="ead-b-tuned",
        summary="Ge et al. 2023 with eq. 21's threshold chosen on val instead of m (ours)",
        head=replace(paper.head, threshold_from="val"),
        published=(),
    )


def ead_b_official(supervision: Supervision) -> Recipe:
    """The authors' released code with its default arguments, including its bugs."""
    full = supervision == "full"
    return Recipe(
        name="ead-b-official",
        summary="Ge et al. 2023: the authors' public code (ShipingGe/AVEL), including its bugs",
        paper="ge2023",
        supervision=supervision,
        dataset=WorldsConfig(weak_protocol="soft-duration"),
        encoder=ENCODER,
        memory=JsdBankConfig(
            size=32 if full else 20,
            unfilled="zeros",
            background_videos="category-0",
            candidates="best",
            duplicates="audio-sum",
            refresh_scores=False,
            update_fraction=0.5,
        ),
        head=EventAwareConfig(
            margin=0.7 if full else 0.9,
            temperature=0.1,
            prototype_distance="scaled",
            event_from="prototypes" if full else "prototypes+classifier",
            dropout_at="logits",
        ),
        objective=GeneralConfig(
            prototype_level="video",
            contrastive_mean="parts" if full else "segments",
            background_videos="mask" if full else "category-0",
        ),
        published=published_scores("Ge et al. 2023, Table 1", 0.804, 0.813, 0.772, 0.787),
    )


def single_branch(supervision: Supervision) -> Recipe:
    """Table 2's single branch instead of the event-aware one: n+1 classes per segment, no memory."""
    return _generic_branch(
        "single-branch",
        "Ge et al. 2023, Table 2: a single (n+1)-class branch instead of the event-aware double branch",
        SingleConfig(),
        supervision,
        0.783, 0.795, 0.751, 0.767,
    )  # fmt: skip


def double_branch(supervision: Supervision) -> Recipe:
    """Table 2's general double branch instead of the event-aware one, no memory."""
    return _generic_branch(
        "double-branch",
        "Ge et al. 2023, Table 2: the general double branch instead of the event-aware one",
        DoubleConfig(),
        supervision,
        0.789, 0.801, 0.758, 0.771,
    )  # fmt: skip


def _generic_branch(name: str, summary: str, head: HeadConfig, supervision: Supervision, *scores: float) -> Recipe:
    return Recipe(
        name=name,
        summary=summary,
        paper="ge2023",
        supervision=supervision,
        dataset=WorldsConfig(),
        encoder=ENCODER,
        memory=NoMemoryConfig(),
        head=head,
        objective=GeneralConfig(),
        published=published_scores("Ge et al. 2023, Table 2", *scores),
    )
