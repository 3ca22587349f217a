"""What `avelzoo doctor` examines: the environment, devices, data, plugins, weights and optional libraries."""

from avelzoo.doctor.examining import examine
from avelzoo.doctor.findings import Examination, Finding

__all__ = ["Examination", "Finding", "examine"]
