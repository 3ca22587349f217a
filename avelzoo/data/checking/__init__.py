"""Checks of data folders: missing files and faults."""
