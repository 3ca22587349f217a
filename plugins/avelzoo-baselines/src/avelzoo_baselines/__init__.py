"""The published systems that Ge et al. 2023 compare with, as plugins of avelzoo."""
