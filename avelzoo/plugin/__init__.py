"""Plugins: hooks, the host that loads them, the registry of their components."""
