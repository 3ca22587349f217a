"""Small videos of synthetic events with known truth, for the tutorial."""
