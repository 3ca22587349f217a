"""One trial of a sweep, called by launchers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from avelzoo.plugin.default import add_files

CALL = f"{__name__}:run_trial"


def run_trial(
    composition: Mapping[str, Any], folder: str, device: str, plugins: Sequence[str], command: Sequence[str]
) -> dict[str, Any]:
    """Train and evaluate a composition, or resume after an interrupted call.

    Args:
        composition: composition, as `Composition.to_dict` writes it.
        folder: run folder.
        device: as in `avelzoo.run`.
        plugins: single-file plugins of the run.
        command: command line, for the record.

    Returns:
        The content of ``result.json``.
    """
    from avelzoo import engine
    from avelzoo.composition.resolving import from_dict
    from avelzoo.plugin.default import default_host
    from avelzoo.plugin.listeners import plugin_listeners
    from avelzoo.system.allocator import keep_freed_memory

    keep_freed_memory(device)
    host = default_host()
    add_files(plugins, host)
    result = engine.run(
        from_dict(host.registry, composition),
        Path(folder),
        registry=host.registry,
        resume=True,
        device=device,
        command=command,
        listeners=plugin_listeners(host),
    )
    return result.to_dict()
