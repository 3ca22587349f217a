"""Data folders in AVE's public layout: reading, checking, describing and simulating them. Needs no torch."""
