"""Editions that the built-in experiments share: AVE's features in a folder, and embedded worlds within the hour."""

from __future__ import annotations

from avelzoo.composition.experiment import ExperimentEdition, FeatureSetting

FEATURES = (
    FeatureSetting(
        name="vggish", published="VGG-19 + VGGish", options={"dataset.audio": "vggish"}, file="audio_feature.h5"
    ),
    FeatureSetting(name="cnn14", published="VGG-19 + CNN14", options={"dataset.audio": "cnn14"}, file="audio_cnn14.h5"),
)
"""Table 1 and Table 2 have a column for each; the paper calls them 128-d and 2048-d."""


def folder_edition() -> ExperimentEdition:
    """The recipes' own values on the folder of ``--data``."""
    return ExperimentEdition(
        name="folder",
        summary="the recipes' own values on a data folder, with every kind of audio features in it",
        features=FEATURES,
        reads_folder=True,
    )


def worlds_edition(*, epochs: int = 10, seeds: int = 5, seconds: float = 60.0) -> ExperimentEdition:
    """Embedded worlds as they are, with their few epochs."""
    return ExperimentEdition(
        name="worlds",
        summary="synthetic worlds with known truth",
        options={"train.epochs": epochs},
        seeds=seeds,
        seconds=seconds,
    )
