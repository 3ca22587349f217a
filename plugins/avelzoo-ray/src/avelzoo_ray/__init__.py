"""Runs avelzoo's sweeps on a Ray cluster."""
