"""AVIN and AVFB, from their papers."""
