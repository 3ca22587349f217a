"""Localization of events in users' own videos: windows over time, merged scores, events, files of results."""
