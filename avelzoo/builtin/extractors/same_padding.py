"""TensorFlow's "same" padding without a copy of the input."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: ceil(n / stride) outputs, an odd zero at the end.

    PyTorch pads both sides alike. Where "same" needs one zero more at the end (stride 2 and an even size), the kernel
    gets a first row and column of zeros and both sides get that one zero more: the same sums, without padding the input
    first, which takes longer than a depthwise convolution.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(b c h w) -> (b d ceil(h / stride) ceil(w / stride))."""
        rows, columns = (self._zeros(axis, size) for axis, size in enumerate(x.shape[2:]))
        if rows[0] == rows[1] and columns[0] == columns[1]:
            return self._convolved(x, self.weight, (rows[0], columns[0]))
        if rows[1] == rows[0] + 1 and columns[1] == columns[0] + 1:
            return self._convolved(x, F.pad(self.weight, (1, 0, 1, 0)), (rows[1], columns[1]))
        return self._convolved(F.pad(x, (*columns, *rows)), self.weight, (0, 0))

    def _zeros(self, axis: int, size: int) -> tuple[int, int]:
        """Zeros before and after an axis."""
        stride, reach = self.stride[axis], (self.kernel_size[axis] - 1) * self.dilation[axis] + 1
        total = max(0, (-(-size // stride) - 1) * stride + reach - size)
        return total // 2, total - total // 2

    def _convolved(self, x: Tensor, weight: Tensor, padding: tuple[int, int]) -> Tensor:
        strides = cast("tuple[int, int]", self.stride)
        weight = weight.contiguous(memory_format=torch.channels_last) if weight is not self.weight else weight
        return F.conv2d(x, weight, self.bias, strides, padding, cast("tuple[int, int]", self.dilation), self.groups)

    @classmethod
    @torch.no_grad()
    def like(cls, other: nn.Conv2d) -> SameConv2d:
        """A convolution with another one's weights and sizes, whatever its padding."""
        made = cls(
            other.in_channels,
            other.out_channels,
            cast("tuple[int, int]", other.kernel_size),
            stride=cast("tuple[int, int]", other.stride),
            dilation=cast("tuple[int, int]", other.dilation),
            groups=other.groups,
            bias=other.bias is not None,
        )
        made.load_state_dict(other.state_dict())
        return made.requires_grad_(requires_grad=False).train(other.training)
