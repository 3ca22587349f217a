"""Readers of AVE's public files and of other repositories' label files."""
