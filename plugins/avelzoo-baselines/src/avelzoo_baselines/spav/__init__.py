"""SPAV, from its paper."""
