"""The channels of these systems, each declared once."""

from __future__ import annotations

from avelzoo import Channel

VIDEO_LOGITS = Channel(
    "video_logits", "(b c)", "category of the video before any gate; n classes, or n+1 with background last"
)
VIDEO_PROBABILITIES = Channel(
    "video_probabilities", "(b c)", "category of the video, pooled over segments; rows sum to 1"
)

GATED_VIDEO = frozenset({VIDEO_LOGITS, VIDEO_PROBABILITIES})
"""Channels of a head that gates the video's category in every segment."""

PAIR_SIMILARITY = Channel("pair_similarity", "(b t)", "cosine of a segment's audio and vision after their propagation")
PROPAGATED = Channel("propagated", "(b t d)", "fused features after the propagation")

AUDIO_GATE = Channel("audio_gate", "(b t)", "probability of an event in the segment, from the audio stream")
VISUAL_GATE = Channel("visual_gate", "(b t)", "probability of an event in the segment, from the visual stream")
AUDIO_STREAM = Channel("audio_stream", "(b t d)", "audio stream, gated")
VISUAL_STREAM = Channel("visual_stream", "(b t d)", "visual stream, gated")
GATED_STREAMS = frozenset({AUDIO_GATE, VISUAL_GATE, AUDIO_STREAM, VISUAL_STREAM})
"""Channels of an encoder with gated streams."""

JOINT_GATE = Channel("joint_gate", "(b t)", "product of both streams' gates")
MEAN_GATE = Channel("mean_gate", "(b t)", "mean of both streams' gates")
STREAM_LOGITS = Channel("stream_logits", "(b n)", "category of the video, only from the gated streams")
CONTRAST_QUERIES = Channel(
    "contrast_queries", "(b t d)", "unit vectors: the segment's features in the contrastive loss"
)
CONTRAST_KEYS = Channel("contrast_keys", "(b t d)", "unit vectors: queries from features with noise; only in training")

EVENT_GATE = Channel("event_gate", "(b t)", "logit of event versus background, from the encoder")
GLOBAL_AUDIO = Channel("global_audio", "(b d)", "the video's audio")
GLOBAL_VISUAL = Channel("global_visual", "(b d)", "the video's vision")
CLASSIFICATION_PATH = Channel(
    "classification_path", "(b d)", "features of the video, from the classification subnetwork"
)
LOCALIZATION_PATH = Channel("localization_path", "(b t d)", "features of segments, from the localization subnetwork")
CLASS_TOKEN = Channel("class_token", "(b d)", "features of the video, from a token that attends to all segments")
SPAN_LOGITS = Channel("span_logits", "(b t+1 2)", "start and end of the event; the last position means no event")
SENTINEL_WEIGHTS = Channel(
    "sentinel_weights", "(b t 2)", "weights of audio and vision on their own modality (sentinel)"
)
