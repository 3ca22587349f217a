"""Libraries that avelzoo needs, and those of its optional extras: versions against the supported ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from avelzoo.doctor.findings import Finding, Level
from avelzoo.doctor.imports import Imports

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}
"""Modules whose name differs from that of their distribution."""

EXTRAS = {
    "media": "reading and writing videos",
    "onnx": "`avelzoo export --onnx`",
    "report": "maps of embeddings (t-SNE)",
    "ray": "sweeps on a Ray cluster",
}
"""Extras for users, with what each is for."""


@dataclass(frozen=True)
class Library:
    """A requirement of avelzoo and what is installed.

    Attributes:
        name: name of the distribution.
        range: supported versions, such as ``>=2.6``.
        extra: the extra that it belongs to; empty for a library that avelzoo always needs.
        version: the installed version; empty if the library is missing.
        fits: whether the installed version is supported.
    """

    name: str
    range: str
    extra: str
    version: str
    fits: bool

    @property
    def module(self) -> str:
        """Name to import."""
        return MODULES.get(self.name, self.name.replace("-", "_"))


@cache
def libraries() -> tuple[Library, ...]:
    """Every library that avelzoo's metadata name for users.

    Raises:
        PackageNotFoundError: avelzoo is not installed; it has no metadata.
    """
    from packaging.requirements import Requirement

    found = []
    for text in metadata.requires("avelzoo") or ():
        requirement = Requirement(text)
        extra = next((extra for extra in EXTRAS if _for(requirement, extra) and not _for(requirement, "")), "")
        if extra or _for(requirement, ""):
            found.append(_library(requirement, extra))
    return tuple(found)


def required(imports: Imports) -> Iterator[Finding]:
    """Findings about the libraries that avelzoo always needs."""
    try:
        needed = [library for library in libraries() if not library.extra]
    except metadata.PackageNotFoundError:
        text = "avelzoo's metadata are missing: versions of libraries are not checked"
        yield Finding("environment", "libraries", "warning", text, "install avelzoo with pip")
        needed = []
    for library in needed:
        command = f"pip install '{library.name}{library.range}'"
        text = f"{library.version}, supported {library.range or 'any version'}"
        if error := imports.errors.get(library.module):
            missing = "" if library.version else "missing; "
            yield Finding("environment", library.name, "problem", f"{missing}cannot be imported: {error}", command)
        elif not library.version:
            yield Finding("environment", library.name, "problem", "missing", command)
        elif not library.fits:
            yield Finding("environment", library.name, "problem", text, command)
        else:
            yield Finding("environment", library.name, "ok", text)


def extras(imports: Imports) -> Iterator[Finding]:
    """A finding per optional extra: complete, or what is missing and the command that installs it."""
    for extra, purpose in EXTRAS.items():
        of_extra = [library for library in libraries() if library.extra == extra]
        if not of_extra:
            text = f"unknown to the installed avelzoo, whose metadata are older than its code (for {purpose})"
            yield Finding("extras", extra, "warning", text, "install avelzoo again")
            continue
        level, text = _complete(of_extra, imports.errors)
        fix = f"pip install 'avelzoo[{extra}]'" if level != "ok" else ""
        yield Finding("extras", extra, level, f"{text} (for {purpose})", fix)


def _complete(of_extra: list[Library], errors: Mapping[str, str]) -> tuple[Level, str]:
    broken = [f"{lib.name} cannot be imported: {errors[lib.module]}" for lib in of_extra if lib.module in errors]
    missing = [lib.name for lib in of_extra if not lib.version]
    unfit = [f"{lib.name} {lib.version}, supported {lib.range}" for lib in of_extra if lib.version and not lib.fits]
    if broken or unfit:
        return "problem", "; ".join([*broken, *unfit])
    if missing:
        return "warning", f"missing: {', '.join(missing)}"
    return "ok", ", ".join(f"{lib.name} {lib.version}" for lib in of_extra)


def _for(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _library(requirement: Requirement, extra: str) -> Library:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        version = ""
    fits = bool(version) and requirement.specifier.contains(version, prereleases=True)
    return Library(requirement.name, str(requirement.specifier), extra, version, fits)
