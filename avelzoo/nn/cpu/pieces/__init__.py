"""Chains of layers that a CPU trains piece by piece: rows that fit its caches pass through all layers before the next.

Between the layers of a chain nothing goes through main memory. A chain keeps its input, and of each piece what the
budget allows (`avelzoo.nn.cpu.pieces.budget`); the backward pass computes the rest again, and masks from their seeds.
What is always kept lies in one tensor for all pieces, and in the memory of the step before
(`avelzoo.nn.cpu.pieces.buffers`). Chains are differentiable once. Modules use `avelzoo.nn.cpu.pieces.chain`.
"""
