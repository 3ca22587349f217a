"""Built-in data sets: AVE in its public layout, and synthetic worlds."""
