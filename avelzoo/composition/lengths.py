"""Videos of different length: encoder and head get videos of one length at a time, without padding.

Operations over t (pooling, attention, convolution, positions) therefore equal those on an unpadded video, padding costs
no arithmetic, and encoders and heads need no masks. Loss terms and memories get the whole padded batch with its mask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from avelzoo.channels import AUDIO_LOGITS, AUDIO_SCORES, HOUSE, VISUAL_LOGITS, VISUAL_SCORES
from avelzoo.composition import returned
from avelzoo.records import Batch, Encoded, HeadOutput, Predictions
from avelzoo.tensor_record import TensorRecord

R = TypeVar("R", Batch, Encoded, HeadOutput)
S = TypeVar("S", bound=TensorRecord)

_SHAPES = {name: channel.shape for name, channel in HOUSE.items()} | {"segments": "(b t)", "relevance": "(b t)"}
"""Shapes of fields; tensors of a mapping have the shapes of their channels."""


def encode(encoder: nn.Module, batch: Batch) -> Encoded:
    """Encode a batch; the result has the batch's mask, if any. Outputs of padding are zeros."""
    if batch.mask is None:
        return _encoded(encoder, batch)
    return replace(each_length(lambda part: _encoded(encoder, part), batch, batch.mask), mask=batch.mask)


def _encoded(encoder: nn.Module, batch: Batch) -> Encoded:
    return returned.encoded(encoder, encoder(batch.audio, batch.visual), batch)


def decode(head: Any, output: HeadOutput) -> Predictions:
    """Predictions of a head; padding is background."""
    mask = output.mask
    if mask is None:
        return _decoded(head, output)
    predictions = each_length(lambda part: _decoded(head, part), output, mask)
    return replace(predictions, segments=predictions.segments.masked_fill(~mask, predictions.category_scores.shape[1]))


def unimodal_scores(output: HeadOutput) -> dict[str, Tensor]:
    """Scores of the categories by modality (b t n): as given, or softmax of the logits; 0 in padding."""
    found = {}
    for scores, logits in ((AUDIO_SCORES, AUDIO_LOGITS), (VISUAL_SCORES, VISUAL_LOGITS)):
        given, raw = output.get(scores), output.get(logits)
        if given is None and raw is not None:
            given = raw.float().softmax(dim=-1)
        if given is not None:
            found[scores.name] = given if output.mask is None else given * output.mask.unsqueeze(-1)
    return found


def _decoded(head: Any, output: HeadOutput) -> Predictions:
    return returned.record(head, "decode", head.decode(output), Predictions)


def each_length(function: Callable[[R], S], record: R, mask: Tensor) -> S:
    """Apply ``function`` to the videos of each length, without padding; pad the results with zeros, in video order.

    Args:
        function: treats each video independently.
        record: of b videos.
        mask: (b t) bool; a video's real segments come first.
    """
    lengths, t = mask.sum(dim=1), mask.shape[1]
    bare: R = replace(record, mask=None)
    places, parts = [], []
    for length in sorted(set(lengths.tolist())):
        here = (lengths == length).nonzero().squeeze(1)
        parts.append(_resized(function(_resized(bare.take(here), length)), t))
        places.append(here)
    return type(parts[0]).cat(parts).take(torch.cat(places).argsort())


def _resized(record: S, t: int) -> S:
    """A copy with t segments: truncated, or padded with zeros."""
    changes: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if isinstance(value, Tensor) and field.name in _SHAPES:
            changes[field.name] = _resize(value, _SHAPES[field.name], t)
        elif isinstance(value, Mapping):
            changes[field.name] = {channel: _resize(one, channel.shape, t) for channel, one in value.items()}
    return replace(record, **changes)  # type: ignore[type-var]


def _resize(value: Tensor, shape: str, t: int) -> Tensor:
    """Truncate or pad the segment dimensions: those named t, and t+1 for one extra entry after the segments."""
    for dim, name in enumerate(shape.strip("()").split()):
        if counted := re.fullmatch(r"t(?:\+(\d+))?", name):
            size = t + int(counted[1] or 0)
            if size <= value.shape[dim]:
                value = value.narrow(dim, 0, size)
            else:
                value = F.pad(value, [0, 0] * (value.dim() - dim - 1) + [0, size - value.shape[dim]])
    return value
