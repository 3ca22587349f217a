"""Floating-point operations of a computation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from avelzoo.nn.cpu import plain_layers


def _attention(*shapes: Any, **_: Any) -> int:
    """From the shapes of queries, keys and values."""
    return int(sdpa_flop_count(*shapes[:3]))  # type: ignore[no-untyped-call]


def _attention_backward(*shapes: Any, **_: Any) -> int:
    """From the shapes of the output's gradient, queries, keys and values."""
    return int(sdpa_backward_flop_count(*shapes[:4]))  # type: ignore[no-untyped-call]


_FUSED = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,  # noqa: SLF001
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,  # noqa: SLF001
}
"""Formulas of the fused attention on CPUs, which torch's counter does not know."""


def count_flops(action: Callable[[], Any]) -> int:
    """Products and sums of the matrix products, convolutions, attention and LSTMs that ``action`` computes.

    torch's counter does not know its fused LSTM on CPUs either, so the plain form runs instead.
    """
    onednn: Any = torch.backends.mkldnn  # its context manager warns on machines without Intel GPUs
    fused, onednn.enabled = onednn.enabled, False
    try:
        with plain_layers(), FlopCounterMode(display=False, custom_mapping=_FUSED) as counter:
            action()
    finally:
        onednn.enabled = fused
    return int(counter.get_total_flops())
