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
"""What a head gives that gates the video's category in every segment."""

PAIR_SIMILARITY = Channel("pair_similarity", "(b t)", "cosine of a segment's audio and vision after their propagation")
PROPAGATED = Channel("propagated", "(b t d)", "fused features after the propagation")

AUDIO_GATE = Channel("audio_gate", "(b t)", "in [0, 1], whether the audio stream holds the segment for an event")
VISUAL_GATE = Channel("visual_gate", "(b t)", "in [0, 1], whether the visual stream holds the segment for an event")
AUDIO_STREAM = Channel("audio_stream", "(b t d)", "audio stream, gated")
VISUAL_STREAM = Channel("visual_stream", "(b t d)", "visual stream, gated")
GATED_STREAMS = frozenset({AUDIO_GATE, VISUAL_GATE, AUDIO_STREAM, VISUAL_STREAM})
"""What an encoder with gated streams gives."""

JOINT_GATE = Channel("joint_gate", "(b t)", "product of both streams' gates")
MEAN_GATE = Channel("mean_gate", "(b t)", "mean of both streams' gates")
STREAM_LOGITS = Channel("stream_logits", "(b n)", "category of the video, from the gated streams alone")
CONTRAST_QUERIES = Channel("contrast_queries", "(b t d)", "unit vectors, the segment's features to be contrasted")
CONTRAST_KEYS = Channel(
    "contrast_keys", "(b t d)", "unit vectors, the queries of features with noise; in training alone"
)

EVENT_GATE = Channel("event_gate", "(b t)", "logit of event against background, from the encoder")
GLOBAL_AUDIO = Channel("global_audio", "(b d)", "the video's audio")
GLOBAL_VISUAL = Channel("global_visual", "(b d)", "the video's vision")
CLASSIFICATION_PATH = Channel("classification_path", "(b d)", "the video, from the subnetwork that tells its category")
LOCALIZATION_PATH = Channel("localization_path", "(b t d)", "segments, from the subnetwork that tells events")
CLASS_TOKEN = Channel("class_token", "(b d)", "the video, from a token that attends to all segments")
SPAN_LOGITS = Channel("span_logits", "(b t+1 2)", "where the event starts and ends, the last place meaning no event")
SENTINEL_WEIGHTS = Channel("sentinel_weights", "(b t 2)", "how much audio and vision rely on themselves")
