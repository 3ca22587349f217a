"""In which number format a GPU multiplies float32 matrices."""

from __future__ import annotations

import warnings
from typing import Literal

import torch


def multiply_in(name: Literal["float32", "tf32"]) -> None:
    """Choose for all float32 matrix products and recurrent or convolutional layers of this process.

    The old switches are set: every torch since 1.12 has them, and a process that mixes old and new ones is refused.
    """
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer torch recommends its new switches
        torch.backends.cudnn.allow_tf32 = name == "tf32"
