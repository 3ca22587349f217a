"""Writing data folders: packed copies and simulated data."""
