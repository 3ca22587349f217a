"""Safe reading of untrusted checkpoints: file format by content, and the weights. Nothing in a file is executed."""

from __future__ import annotations

from avelzoo.published.checkpoints.prefixes import is_wrapping, without_prefixes
from avelzoo.published.checkpoints.reading import Checkpoint, read_checkpoint
from avelzoo.published.checkpoints.weights import as_float32, not_finite

__all__ = ["Checkpoint", "as_float32", "is_wrapping", "not_finite", "read_checkpoint", "without_prefixes"]
