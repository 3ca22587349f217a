"""Prediction files of any repository, read as they are: names, ids or scores of segments, one entry per video."""
