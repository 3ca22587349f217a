"""Which kernels compute attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend
from torch.overrides import TorchFunctionMode

_NAMES = {
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "efficient",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
    SDPBackend.MATH: "math",
}


class AttentionKernels(TorchFunctionMode):
    """Collects the kernels that ``scaled_dot_product_attention`` chooses inside the block.

    PyTorch chooses by device, number format, sizes, mask and dropout. ``torch.nn.attention.sdpa_kernel`` limits the
    choice; compiled code and attention written out as products are not seen.

    >>> with AttentionKernels() as kernels:
    ...     _ = torch.nn.functional.scaled_dot_product_attention(*torch.ones(3, 1, 1, 4, 8))
    >>> kernels.names
    ('flash',)
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the kernels, sorted: cudnn, efficient, flash, math."""
        return tuple(sorted(self._found))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        args, kwargs = tuple(args), dict(kwargs or {})
        if func is F.scaled_dot_product_attention:
            self._found.add(_kernel(*args, **kwargs))
        return func(*args, **kwargs)


def _kernel(*args: Any, **kwargs: Any) -> str:
    """The choice for one call, which PyTorch makes again in the call itself."""
    with torch.no_grad():
        chosen = torch._fused_sdp_choice(*args, **kwargs)  # noqa: SLF001, the only way to ask
    return _NAMES.get(SDPBackend(chosen), "other")
