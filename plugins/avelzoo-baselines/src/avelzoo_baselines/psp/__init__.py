"""PSP: positive sample propagation (Zhou et al. 2021)."""
