"""Options of the built-in data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from avelzoo.components import DatasetConfig, Supervision
from avelzoo.config import Bounds, Help
from avelzoo.errors import DataError, OptionError

if TYPE_CHECKING:
    from avelzoo.contracts import Dataset
    from avelzoo.metrics import SplitLabels

Share = Bounds(min=0, max=1)

TrainVideos = Annotated[int, Help("videos in the training split"), Bounds(min=1)]
ValVideos = Annotated[int, Help("videos in the validation split"), Bounds(min=1)]
TestVideos = Annotated[int, Help("videos in the test split"), Bounds(min=1)]
Negatives = Annotated[int, Help("training videos without an event, for weak protocols with negatives"), Bounds(min=0)]
AudioLed = Annotated[int, Help("number of audio-led categories"), Bounds(min=0)]
VisualLed = Annotated[int, Help("number of visual-led categories"), Bounds(min=0)]
Balanced = Annotated[int, Help("number of balanced categories: both modalities follow the event"), Bounds(min=0)]
Rest = Annotated[float, Help("strength of a signature while its modality is inactive; 1: no fading"), Share]
Cue = Annotated[float, Help("increase of an active cue over its inactive level 1"), Bounds(min=0)]
CueNoise = Annotated[float, Help("standard deviation of a cue"), Bounds(min=0)]
Noise = Annotated[float, Help("standard deviation of the noise per channel"), Bounds(min=0)]
RunLengths = Annotated[
    Literal["ave", "uniform", "partial"],
    Help("lengths of events and decoys: as in AVE, uniform, or uniform below t"),
]
Spread = Annotated[int, Help("largest difference of a video's length from t, in segments"), Bounds(min=0)]
Eventless = Annotated[float, Help("share of videos without an event, in every split"), Share]
Repeated = Annotated[float, Help("share of events and decoys in two or three runs"), Share]


@dataclass(frozen=True, kw_only=True)
class AveConfig(DatasetConfig):
    """AVE, or any data in its public layout: a folder of HDF5 features, order files and Annotations.txt.

    >>> AveConfig(labels="labels").labels
    'labels'
    """

    paper: ClassVar[str] = "avel2018"
    reads_folder: ClassVar[bool] = True

    root: Annotated[Path | None, Help("folder with the files")] = None
    audio: Annotated[
        Literal["auto", "vggish", "cnn14"],
        Help("audio features: audio_feature.h5, audio_cnn14.h5, or the first one present"),
    ] = "auto"
    labels: Annotated[
        Literal["annotations", "labels", "right_labels"],
        Help("segment labels: from Annotations.txt, labels.h5 or right_labels.h5"),
    ] = "annotations"
    exclude_leaks: Annotated[bool, Help("exclude val and test videos that are also in train")] = False

    def read_labels(self) -> Mapping[str, SplitLabels]:
        from avelzoo.builtin.datasets.ave_labels import read_labels

        return read_labels(self)

    def open(self, supervision: Supervision) -> Dataset:
        from avelzoo.builtin.datasets.ave import AveDataset

        return AveDataset(self, supervision)


@dataclass(frozen=True, kw_only=True)
class NamedScoresConfig(AveConfig):
    """A folder made by `avelzoo extract`; its features become scores of its categories, without training.

    The classifiers of the networks that made the features score their own classes, AudioSet's and ImageNet's; the table
    of names says which classes stand for a category. Use networks with classes, such as yamnet and EfficientNet-Lite0.

    >>> NamedScoresConfig.reads_folder
    True
    """

    paper: ClassVar[str] = ""

    def open(self, supervision: Supervision) -> Dataset:
        """Open the folder and the classifiers of its networks.

        Raises:
            DataError: no folder is named, its features have no classes, or a file is missing or damaged.
        """
        from avelzoo.builtin.datasets.named_scores import EXTRACT, NamedScores

        if self.root is None:
            raise DataError(
                "the data set 'named-scores' needs a folder of extracted features",
                where="dataset.root",
                fix=f"name it with --data DIR; make it with `{EXTRACT}`",
            )
        return NamedScores(super().open(supervision), self.root)


@dataclass(frozen=True, kw_only=True)
class WorldsConfig(DatasetConfig):
    """Synthetic audio-visual event worlds with known truth and a dial for modality bias.

    >>> WorldsConfig(train_videos=24).open("full").spec.segments
    10
    """

    train_videos: TrainVideos = 240
    val_videos: ValVideos = 120
    test_videos: TestVideos = 240
    negatives: Negatives = 60
    audio_led: AudioLed = 3
    visual_led: VisualLed = 3
    balanced: Balanced = 3
    mislead: Annotated[
        float,
        Help("probability that the uninformative modality follows a random interval instead of the event"),
        Bounds(min=0, max=1),
    ] = 1.0
    run_lengths: RunLengths = "ave"
    segments: Annotated[int, Help("segments t per video, one second each"), Bounds(min=1)] = 10
    grid_height: Annotated[int, Help("rows h of the visual grid"), Bounds(min=1)] = 3
    grid_width: Annotated[int, Help("columns w of the visual grid"), Bounds(min=1)] = 3
    audio_channels: Annotated[int, Help("audio channels a"), Bounds(min=1)] = 32
    visual_channels: Annotated[int, Help("visual channels v"), Bounds(min=1)] = 48
    rest: Rest = 1.0
    cue: Cue = 1.0
    cue_noise: CueNoise = 0.2
    noise: Noise = 0.3
    jitter: Annotated[float, Help("standard deviation of a signature's strength (mean 1)"), Bounds(min=0)] = 0.2
    clutter: Annotated[float, Help("strength of the clutter in cells without an object"), Bounds(min=0)] = 0.5
    distractors: Annotated[
        int, Help("number of silent objects of other categories; at most cells - 1"), Bounds(min=0)
    ] = 1
    distraction: Annotated[
        float, Help("strength of a silent object's cue, relative to the event's object"), Bounds(min=0)
    ] = 0.3
    motion: Annotated[float, Help("probability that an object moves by one cell per segment"), Share] = 0.1
    spread: Spread = 0
    eventless: Eventless = 0.0
    repeated: Repeated = 0.0
    seed: Annotated[int, Help("random seed of the world"), Bounds(min=0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.audio_led + self.visual_led + self.balanced:
            raise OptionError(
                "the world has no event category",
                where="dataset.audio_led, dataset.visual_led, dataset.balanced",
                found="0 of each",
                fix="set one of them to 1 or more",
            )
        if self.spread >= self.segments:
            raise OptionError(
                "the shortest videos would have no segments",
                where="dataset.spread, dataset.segments",
                found=f"{self.segments} - {self.spread}",
                fix="make the spread smaller than the number of segments",
            )

    @property
    def single_runs(self) -> bool:
        return self.repeated == 0

    def train_defaults(self, supervision: Supervision) -> Mapping[str, Any]:
        return {"epochs": 10, "batch_size": 16}

    def open(self, supervision: Supervision) -> Dataset:
        from avelzoo.builtin.datasets.worlds import WorldsDataset

        return WorldsDataset(self, supervision)


@dataclass(frozen=True, kw_only=True)
class HardWorldsConfig(WorldsConfig):
    """A harder edition of worlds: 28 categories, 12 training videos each, fading signatures, weaker cues.

    >>> HardWorldsConfig().train_videos
    336
    """

    train_videos: TrainVideos = 336
    val_videos: ValVideos = 168
    test_videos: TestVideos = 336
    negatives: Negatives = 84
    audio_led: AudioLed = 10
    visual_led: VisualLed = 10
    balanced: Balanced = 8
    rest: Rest = 0.5
    cue: Cue = 0.6
    cue_noise: CueNoise = 0.4
    noise: Noise = 0.5

    def train_defaults(self, supervision: Supervision) -> Mapping[str, Any]:
        return {"epochs": 12, "batch_size": 16}


@dataclass(frozen=True, kw_only=True)
class VariedWorldsConfig(WorldsConfig):
    """A varied edition of worlds: 6 to 14 segments, videos without an event, and events in two or three runs.

    >>> VariedWorldsConfig().eventless
    0.15
    """

    train_videos: TrainVideos = 300
    val_videos: ValVideos = 150
    run_lengths: RunLengths = "uniform"
    spread: Spread = 4
    eventless: Eventless = 0.15
    repeated: Repeated = 0.3
