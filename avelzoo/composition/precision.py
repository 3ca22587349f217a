"""The number format that ``compute.precision=auto`` stands for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avelzoo.composition.overrides import Override
from avelzoo.composition.resolving import Composition, overridden
from avelzoo.system.files import read_json
from avelzoo.system.speeds import Speeds, cached_speeds, processor_speeds

if TYPE_CHECKING:
    import torch

AUTO = "auto"
MIXED = "bf16-mixed"
FASTER = 1.5
"""Least ratio of the speeds of bf16 and float32 products for bf16-mixed; below it, casts cost the gain."""
BF16_GPU = (8, 0)
"""Compute capability from which on a GPU multiplies bf16 in its tensor cores."""
RECORD = "composition.json"
_FROM = "auto: "


def choose(speeds: Speeds) -> tuple[str, str]:
    """The precision for a processor with these speeds, and the reason.

    >>> choose(Speeds(float32=100e9, bf16=450e9))
    ('bf16-mixed', 'bf16 products 4.5 times as fast as float32 here')
    """
    return MIXED if speeds.ratio >= FASTER else "32", f"bf16 products {speeds.ratio:.2g} times as fast as float32 here"


def resolve_precision(precision: str, device: torch.device) -> tuple[str, str]:
    """The precision on a device, and the reason for it; ``auto`` is measured on a CPU. Other values have no reason."""
    if precision != AUTO:
        return precision, ""
    if device.type == "cpu":
        return choose(processor_speeds())
    import torch

    capability = torch.cuda.get_device_capability(device)
    return MIXED if capability >= BF16_GPU else "32", "compute capability {}.{}".format(*capability)


def with_precision(composition: Composition, precision: str, why: str) -> Composition:
    """The composition with a number format in place of ``auto``; the reason is the source of the value."""
    return overridden(composition, [Override("compute.precision", precision, _FROM + why)])


def chosen_before(run: Path) -> tuple[str, str] | None:
    """The precision with which the run in a folder began, and the reason; None if none has begun there.

    Raises:
        RunError: ``composition.json`` is damaged.
    """
    if not (run / RECORD).exists():
        return None
    slot = read_json(run, RECORD).get("slots", {}).get("compute", {})
    source = str(slot.get("sources", {}).get("precision", ""))
    why = source.removeprefix(_FROM) if source.startswith(_FROM) else ""
    return str(slot.get("options", {}).get("precision", "32")), why


def precision_line(run: Path) -> str:
    """Precision and reason of the run in a folder, if it was chosen for ``auto``; else an empty text."""
    precision, why = chosen_before(run) or ("", "")
    return f"{precision} ({why})" if why else ""


def expected_precision(device: str) -> str:
    """What is known about ``auto`` before the run, without torch.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    """
    gpu = f"{MIXED} on a GPU of compute capability {BF16_GPU[0]}.{BF16_GPU[1]} or newer, 32 on older ones"
    known = {threads: choose(speeds) for threads, speeds in cached_speeds().items()}
    cpu = "measured on the CPU when the run starts"
    if len({precision for precision, _ in known.values()}) == 1:
        precision, why = known[max(known)]
        cpu = f"{precision} on this CPU ({why}, measured before)"
    return gpu if device.startswith("cuda") else cpu if device == "cpu" else f"{cpu}; {gpu}"
