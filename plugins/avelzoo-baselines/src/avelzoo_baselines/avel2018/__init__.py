"""AVEL: audio-visual event localization in unconstrained videos (Tian et al. 2018)."""
