"""AVSDN, from its paper."""
