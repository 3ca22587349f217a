"""Layers with less memory traffic on CPUs; the same mathematics as their plain forms."""
