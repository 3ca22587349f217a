"""Intervals, tests and power for scores of videos and seeds. Requires only numpy."""
