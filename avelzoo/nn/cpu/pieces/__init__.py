"""Chains of layers that a CPU trains piece by piece: rows that fit its caches pass through all layers before the next.

Between the layers of a chain nothing goes through main memory. A chain keeps its input, and of each piece what the
budget allows (`avelzoo.nn.cpu.pieces.budget`); the backward pass computes the rest again, and masks from their seeds.
Chains are differentiable once. Modules use `avelzoo.nn.cpu.pieces.chain`.
"""
