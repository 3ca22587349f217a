"""What a data folder lacks and what is wrong with it."""
