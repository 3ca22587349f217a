"""Promises of extractors."""
