"""DPNet, from its paper."""
