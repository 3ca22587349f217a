"""Data sets: AVE in its public layout, and synthetic worlds."""
