"""Published systems: checkpoints, outputs and training steps of the authors' implementations."""
