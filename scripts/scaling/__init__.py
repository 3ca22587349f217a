"""Measurements for docs/how-to/scale.md."""
