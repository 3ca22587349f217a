"""Cost of a composition: parameters, arithmetic, time by part, and memory of a step."""

from avelzoo.profiling.cost import Cost, profile

__all__ = ["Cost", "profile"]
