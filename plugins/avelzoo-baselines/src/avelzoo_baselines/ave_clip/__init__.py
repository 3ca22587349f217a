"""AVE-CLIP, from its paper."""
