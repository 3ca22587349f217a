"""Declared experiments: rows of overrides, seeds and published values; plans, results, tables and plots."""
