"""Ge et al. 2023: recipes, and reading the checkpoints of its public code."""
