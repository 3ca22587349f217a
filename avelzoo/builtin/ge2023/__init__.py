"""Ge et al. 2023: recipes, and a reader of the public code's checkpoints."""
