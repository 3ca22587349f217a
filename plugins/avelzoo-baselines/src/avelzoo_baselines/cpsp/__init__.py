"""CPSP: contrastive positive sample propagation (Zhou et al. 2022)."""
