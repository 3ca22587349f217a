"""What parts hand to each other by name: a channel is both what a config declares and the key its tensor is found by.

Shapes are in the notation of `avelzoo.records`; c stands for classes whose number the part that gives them chooses.
This module needs no torch at import.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Channel:
    """A tensor that one part gives and others read.

    Attributes:
        name: in snake_case; one name has one meaning among all plugins.
        shape: such as "(b t n+1)".
        meaning: in one phrase.

    >>> str(Channel("speed", "(b t)", "pixels a segment"))
    'speed'
    """

    name: str
    shape: str
    meaning: str

    @property
    def alternatives(self) -> tuple[tuple[Channel, ...], ...]:
        """As `AnyOf.alternatives`: itself alone."""
        return ((self,),)

    def __str__(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True, init=False)
class AnyOf:
    """A need that several channels can meet, the first that is there; a tuple is met by all of its channels together.

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
    """The channels of the first alternative that are all among ``given``; none where it is not met."""
    return next((together for together in need.alternatives if all(c in given for c in together)), ())


def channels_of(*needs: Need) -> frozenset[Channel]:
    """Every channel that some needs name."""
    return frozenset(channel for need in needs for together in need.alternatives for channel in together)


def clash(channels: Iterable[Channel], known: Mapping[str, Channel]) -> str:
    """A channel that has the name of another one, and that one, in words; empty where there is none."""
    return next((f"{c!r}; {known[c.name]!r}" for c in channels if known.get(c.name, c) != c), "")


FUSED = Channel("fused", "(b t d)", "both modalities, from the encoder")
AUDIO = Channel("audio", "(b t d)", "audio in temporal context, from the encoder")
VISUAL = Channel("visual", "(b t d)", "vision in temporal context, from the encoder")
EVENT_LOGITS = Channel("event_logits", "(b n)", "category of the video")
RELEVANCE_LOGITS = Channel("relevance_logits", "(b t)", "event against background")
CATEGORY_RELEVANCE_LOGITS = Channel(
    "category_relevance_logits", "(b t n)", "event against background by each category's own classifier"
)
SEGMENT_LOGITS = Channel("segment_logits", "(b t n+1)", "category of the segment, background last")
PROTOTYPE_LOGITS = Channel("prototype_logits", "(b t n)", "category of the segment, from distances to prototypes")
NEAREST_ANCHOR = Channel(
    "nearest_anchor", "(b t)", "distance to the nearest slot of the predicted category; in evaluation alone"
)
AUDIO_LOGITS = Channel("audio_logits", "(b t n)", "category of the segment, from the audio alone")
VISUAL_LOGITS = Channel("visual_logits", "(b t n)", "category of the segment, from vision alone")
EMBEDDING = Channel("embedding", "(b t d)", "space in which a metric measures distances; the metric goes with it")
RELEVANCE_ESTIMATE = Channel(
    "relevance_estimate", "(b t)", "relevance in [0, 1] by a head that needs no memory for it, for memories"
)
MEMORY = Channel("memory", "(n l d)", "content of a memory, by category and slot")

ENCODED = (FUSED, AUDIO, VISUAL)
"""What every encoder gives."""

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
        EMBEDDING,
        RELEVANCE_ESTIMATE,
        MEMORY,
    )
}
"""The channels of this library by name. A record's field of such a name holds that channel."""
