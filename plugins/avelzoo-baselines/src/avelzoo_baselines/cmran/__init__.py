"""CMRAN: cross-modal relation-aware networks (Xu et al. 2020)."""
