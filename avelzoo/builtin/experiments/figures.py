"""Figures 5 and 6 of Ge et al. 2023. Their curves are printed without numbers, so only their maxima are stated."""

from __future__ import annotations

from avelzoo.builtin.experiments.editions import folder_edition, worlds_edition
from avelzoo.composition.experiment import Experiment, ExperimentRow

PAPER = "ge2023"
SIZES = range(8, 33, 4)
MARGINS = tuple(tenths / 10 for tenths in range(5, 12))


def bank_size() -> Experiment:
    """Figure 5a: slots per category in the memory bank, 8 to 32."""
    return Experiment(
        name="bank-size",
        title="slots per category in the memory bank",
        paper=PAPER,
        source="Fig. 5a",
        rows=tuple(
            ExperimentRow(
                name=f"size-{size}", title=f"{size} slots", recipe="ead-b", options={"memory.size": size}, x=size
            )
            for size in SIZES
        ),
        editions=(worlds_edition(seeds=3), folder_edition()),
        figure="line",
        axis="slots per category",
        facts=("16 slots have the highest accuracy, under full and weak supervision.",),
    )


def margin() -> Experiment:
    """Figure 5b: margin m of the event-aware localization alignment, 0.5 to 1.1."""
    return Experiment(
        name="margin",
        title="margin m of the event-aware localization alignment",
        paper=PAPER,
        source="Fig. 5b",
        rows=tuple(
            ExperimentRow(name=f"m-{m}".replace(".", "-"), title=f"m = {m}", recipe="ead-b", options={"head.margin": m},
                          x=m)
            for m in MARGINS
        ),
        editions=(worlds_edition(seeds=3), folder_edition()),
        figure="line",
        axis="margin m",
        facts=("m = 0.7 has the highest accuracy under full supervision, m = 0.9 under weak supervision.",),
    )  # fmt: skip


def embedding() -> Experiment:
    """Figure 6: t-SNE of the fused features of the test split."""
    return Experiment(
        name="embedding",
        title="t-SNE of fused test features",
        paper=PAPER,
        source="Fig. 6",
        rows=(ExperimentRow(name="full-model", title="EAD-B", recipe="ead-b"),),
        supervisions=("full",),
        editions=(worlds_edition(seeds=1), folder_edition()),
        figure="embedding",
        facts=("Most samples form a cluster per category; background lies near the events of its category.",),
    )
