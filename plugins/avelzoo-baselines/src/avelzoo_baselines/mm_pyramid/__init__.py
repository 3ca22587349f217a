"""MM-Pyramid: multimodal pyramid attentional network (Yu et al. 2022)."""
