"""Channels: named tensors that parts exchange. Configs declare channels; records store tensors by channel.

Shapes are in the notation of `avelzoo.records`; c is a number of classes chosen by the giving part. This module needs
no torch at import.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Channel:
    """A tensor given by one part and read by other parts.

    Attributes:
        name: name in snake_case, with one meaning in all plugins.
        shape: shape such as "(b t n+1)".
        meaning: meaning in one phrase.

    >>> str(Channel("speed", "(b t)", "pixels a segment"))
    'speed'
    """

    name: str
    shape: str
    meaning: str

    @property
    def alternatives(self) -> tuple[tuple[Channel, ...], ...]:
        """As `AnyOf.alternatives`: the channel itself."""
        return ((self,),)

    def __str__(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True, init=False)
class AnyOf:
    """A need with alternatives, met by the first available one; a tuple of channels needs all of them.

    Attributes:
        alternatives: the channels of each alternative.

    >>> str(AnyOf(avelzoo.channels.EVENT_LOGITS, avelzoo.channels.SEGMENT_LOGITS))
    'event_logits or segment_logits'
    """

    alternatives: tuple[tuple[Channel, ...], ...]

    def __init__(self, *alternatives: Channel | tuple[Channel, ...]) -> None:
        each = tuple((a,) if isinstance(a, Channel) else a for a in alternatives)
        object.__setattr__(self, "alternatives", each)

    def __str__(self) -> str:
        """The names."""
        return " or ".join(" with ".join(map(str, together)) for together in self.alternatives)


Need = Channel | AnyOf
"""A channel, or alternatives."""


def met_by(need: Need, given: Container[Channel]) -> tuple[Channel, ...]:
    """Channels of the first alternative that is contained in ``given``; empty if the need is not met."""
    return next((together for together in need.alternatives if all(c in given for c in together)), ())


def channels_of(*needs: Need) -> frozenset[Channel]:
    """All channels named by needs."""
    return frozenset(channel for need in needs for together in need.alternatives for channel in together)


def clash(channels: Iterable[Channel], known: Mapping[str, Channel]) -> str:
    """Text that names two different channels of one name; empty if there are none."""
    return next((f"{c!r}; {known[c.name]!r}" for c in channels if known.get(c.name, c) != c), "")


FUSED = Channel("fused", "(b t d)", "both modalities, from the encoder")
AUDIO = Channel("audio", "(b t d)", "audio in temporal context, from the encoder")
VISUAL = Channel("visual", "(b t d)", "vision in temporal context, from the encoder")
EVENT_LOGITS = Channel("event_logits", "(b n)", "category of the video")
RELEVANCE_LOGITS = Channel("relevance_logits", "(b t)", "event versus background")
CATEGORY_RELEVANCE_LOGITS = Channel(
    "category_relevance_logits", "(b t n)", "event versus background by the classifier of each category"
)
SEGMENT_LOGITS = Channel("segment_logits", "(b t n+1)", "category of the segment, background last")
PROTOTYPE_LOGITS = Channel("prototype_logits", "(b t n)", "category of the segment, from distances to prototypes")
NEAREST_ANCHOR = Channel(
    "nearest_anchor", "(b t)", "distance to the nearest slot of the predicted category; only in evaluation"
)
AUDIO_LOGITS = Channel("audio_logits", "(b t n)", "category of the segment, only from audio")
VISUAL_LOGITS = Channel("visual_logits", "(b t n)", "category of the segment, only from vision")
AUDIO_SCORES = Channel("audio_scores", "(b t n)", "score of each category in [0, 1], only from audio")
VISUAL_SCORES = Channel("visual_scores", "(b t n)", "score of each category in [0, 1], only from vision")
EMBEDDING = Channel("embedding", "(b t d)", "embedding with a metric for distances")
RELEVANCE_ESTIMATE = Channel(
    "relevance_estimate", "(b t)", "relevance in [0, 1] from a head without memory, for memories"
)
MEMORY = Channel("memory", "(n l d)", "content of a memory, by category and slot")

UNIMODAL = AnyOf((AUDIO_SCORES, VISUAL_SCORES), (AUDIO_LOGITS, VISUAL_LOGITS))
"""Scores of the categories from each modality by itself, as decoders need them; logits become scores by softmax."""

ENCODED = (FUSED, AUDIO, VISUAL)
"""Channels that every encoder gives."""

HOUSE = {
    channel.name: channel
    for channel in (
        *ENCODED,
        EVENT_LOGITS,
        RELEVANCE_LOGITS,
        CATEGORY_RELEVANCE_LOGITS,
        SEGMENT_LOGITS,
        PROTOTYPE_LOGITS,
        NEAREST_ANCHOR,
        AUDIO_LOGITS,
        VISUAL_LOGITS,
        AUDIO_SCORES,
        VISUAL_SCORES,
        EMBEDDING,
        RELEVANCE_ESTIMATE,
        MEMORY,
    )
}
"""The channels of this library by name. A record's field of the same name holds the channel."""
