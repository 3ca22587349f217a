"""DAM, from its paper."""
