"""Encoders: the paper's spatial-temporal fusion, and a floor."""
