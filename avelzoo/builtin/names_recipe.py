"""The recipe without training: names of categories as classes of published networks, and a decoder tuned on val."""

from __future__ import annotations

from avelzoo.builtin.datasets.configs import NamedScoresConfig
from avelzoo.builtin.decoders.configs import AgreementConfig
from avelzoo.builtin.encoders.configs import GivenScoresConfig
from avelzoo.builtin.heads.configs import JointScoresConfig
from avelzoo.builtin.memory.configs import NoMemoryConfig
from avelzoo.builtin.objectives.configs import GeneralConfig
from avelzoo.components import Supervision
from avelzoo.composition.recipe import Recipe, TrainConfig


def names_agreement(supervision: Supervision) -> Recipe:
    """Class probabilities of published networks by name; the agreement rule, with thresholds of val, decides."""
    return Recipe(
        name="names-agreement",
        summary="no training: AudioSet's and ImageNet's classes by name, agreement tuned on val; a floor",
        paper="ovavel2025",
        supervision=supervision,
        dataset=NamedScoresConfig(),
        encoder=GivenScoresConfig(),
        memory=NoMemoryConfig(),
        head=JointScoresConfig(),
        objective=GeneralConfig(),
        train=TrainConfig(epochs=1),
        decoder=AgreementConfig(),
        assumptions=(
            "A category's probability is the largest of its classes.",
            "A score is p / (p + 0.2) for sound and q / (q + 0.05) for pictures; a threshold of val applies to it.",
            "A category without a class in one modality has the other modality's score there.",
        ),
        limits=("Categories with the same classes, such as AVE's male and female speech, are not told apart.",),
    )
