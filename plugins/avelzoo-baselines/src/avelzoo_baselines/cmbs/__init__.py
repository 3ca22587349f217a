"""CMBS: cross-modal background suppression (Xia and Zhao 2022)."""
