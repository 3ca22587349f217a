"""The whole examination, section by section."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from avelzoo.doctor.completion import completion
from avelzoo.doctor.data import data
from avelzoo.doctor.devices import devices
from avelzoo.doctor.environment import interpreter, machine
from avelzoo.doctor.findings import Examination, guarded
from avelzoo.doctor.imports import Probe
from avelzoo.doctor.installed import plugins, weights
from avelzoo.doctor.libraries import extras, libraries, required

TRIED = ("media",)
"""Extras whose libraries are imported as well: they are fast, and ship binaries that may not fit the system."""


def examine(folder: Path | None = None, dataset: str | None = None) -> Examination:
    """Examine the installation; nothing is changed and the network is not used.

    Args:
        folder: data folder to examine; None for none.
        dataset: name of the data set of the folder; None for AVE's public layout.

    Returns:
        The findings. Errors of libraries are findings, not exceptions.
    """
    probe = Probe(_modules())
    try:
        before = guarded("environment", interpreter)
        own = [*guarded("plugins", plugins), *guarded("weights", weights)]
        imports = probe.result()
    except BaseException:
        probe.stop()
        raise
    return Examination(
        (
            *before,
            *guarded("environment", lambda: required(imports)),
            *guarded("environment", lambda: machine(imports)),
            *guarded("devices", lambda: devices(imports)),
            *guarded("data", lambda: data(folder, dataset, torch_works=bool(imports.torch))),
            *own,
            *guarded("extras", lambda: extras(imports)),
            *guarded("completion", completion),
        )
    )


def _modules() -> list[str]:
    """Modules to import: all required ones, and installed ones of a few extras; PyTorch where nothing is known."""
    try:
        known = libraries()
    except (metadata.PackageNotFoundError, ImportError):
        return ["torch"]
    return [lib.module for lib in known if not lib.extra or (lib.extra in TRIED and lib.version)]
