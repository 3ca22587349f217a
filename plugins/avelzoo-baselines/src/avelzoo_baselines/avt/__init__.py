"""AVT, from its paper."""
