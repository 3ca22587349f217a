"""Branch heads: single, double, event-aware and its unshared variant."""
