"""Objectives: named loss terms for full and for weak supervision."""
