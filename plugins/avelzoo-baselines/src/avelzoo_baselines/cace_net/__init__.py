"""CACE-Net: co-guidance attention and contrastive enhancement (He et al. 2024)."""
