"""Promises of result formats."""
