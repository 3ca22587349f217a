"""Reports of runs: one HTML file that works offline."""
