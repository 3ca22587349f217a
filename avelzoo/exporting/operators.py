"""ONNX forms of PyTorch operators that PyTorch's exporter does not translate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from avelzoo.exporting.libraries import library

LOWEST = -1e30
"""Added to masked attention logits; finite, because an entirely masked row would become NaN."""


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Table for ``torch.onnx.export``: operator -> function of ONNX operators."""
    aten = torch.ops.aten
    return {
        aten._cdist_forward.default: _euclidean,  # noqa: SLF001 - the operator's public name in exported graphs
        aten.scaled_dot_product_attention.default: _attention,
    }


def _euclidean(x: Any, y: Any, p: float, compute_mode: int | None = None) -> Any:
    """(... p d), (... q d) -> (... p q): sqrt(sum_d (x_p - y_q)^2), by differences whatever the mode."""
    op = library("onnxscript").opset18
    if p != 2.0:
        raise NotImplementedError(f"only Euclidean distances are translated, not those of order {p}")
    difference = op.Sub(op.Unsqueeze(x, [-2]), op.Unsqueeze(y, [-3]))
    return op.Sqrt(op.ReduceSum(op.Mul(difference, difference), [-1], keepdims=0))


def _attention(  # noqa: PLR0917 - the signature of the operator
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(scale Q K^T + mask) V over any number of leading axes; PyTorch's translation has exactly four axes."""
    op = library("onnxscript").opset18
    if dropout_p or is_causal or enable_gqa:
        raise NotImplementedError("attention with dropout, causal masks or grouped queries is not translated")
    rank = len(key.shape)
    scale = float(query.shape[-1]) ** -0.5 if scale is None else scale
    transposed = op.Transpose(key, perm=[*range(rank - 2), rank - 1, rank - 2])
    logits = op.Mul(op.MatMul(query, transposed), scale)
    if attn_mask is not None:
        is_bool = str(attn_mask.dtype).endswith("BOOL")
        logits = op.Where(attn_mask, logits, LOWEST) if is_bool else op.Add(logits, attn_mask)
    return op.MatMul(op.Softmax(logits, axis=-1), value)
