"""Extraction: from video files to features in a data folder."""
