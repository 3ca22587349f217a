"""Experiments of Ge et al. 2023, as declarations."""
