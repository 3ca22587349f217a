"""What several published systems have in common: heads, objectives, losses, the reading of their checkpoints."""
