"""CMAN, from its paper."""
