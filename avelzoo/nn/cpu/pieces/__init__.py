"""Chains of layers that a CPU trains piece by piece: rows that fit its caches pass through all layers before the next.

Between the layers of a chain nothing goes through main memory. A chain keeps its input, and of each piece what the
budget allows (`avelzoo.nn.cpu.pieces.budget`); the backward pass computes the rest again, and masks from their seeds.
Chains are differentiable once.
"""

from __future__ import annotations

from avelzoo.nn.cpu.pieces.chain import in_pieces, layers_of, run, worth_chain, worth_pieces
from avelzoo.nn.cpu.pieces.layers import Layer

__all__ = ["Layer", "in_pieces", "layers_of", "run", "worth_chain", "worth_pieces"]
