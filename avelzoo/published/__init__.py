"""Published code: checkpoints, outputs and training steps of the authors' own implementations."""
