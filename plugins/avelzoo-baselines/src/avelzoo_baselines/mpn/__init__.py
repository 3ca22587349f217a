"""MPN, from its paper."""
