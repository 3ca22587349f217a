"""Downloads from the Hugging Face hub: a file arrives whole and verified, or not at all."""

from __future__ import annotations

import glob
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from avelzoo.errors import DataError, StorageError, first_line
from avelzoo.extractors import WeightsFile
from avelzoo.system.files import storage_error
from avelzoo.system.locking import lock_folder, unlock
from avelzoo.weights.checking import fault

_SHA256 = re.compile(r"[0-9a-f]{64}")


def download(file: WeightsFile, target: Path) -> None:
    """Download a file to ``target``.

    The file is written under a temporary name, compared with the size and the SHA-256 that the hub states and with the
    checksum in ``file``, and then moved. Remains of killed downloads of the same file are removed.

    Raises:
        DataError: the hub cannot be reached, has no such file, or sent another one.
        StorageError: no space, no permission.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    repository, _, member = file.hub.partition(":")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target)
        draft = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    except OSError as error:
        raise storage_error(error, target) from error
    lock = lock_folder(draft)
    try:
        try:
            stated = get_hf_file_metadata(hf_hub_url(repository, member))
            got = Path(hf_hub_download(repository, member, local_dir=draft))
        except Exception as error:
            raise DataError(
                f"weights '{file.name}' cannot be downloaded: {first_line(error)}",
                where=f"{repository}, file {member}",
                fix=f"check the connection, or get the file elsewhere and put it at {target}",
            ) from error
        etag = (stated.etag or "").lower()
        problem = fault(got, file.sha256 or (etag if _SHA256.fullmatch(etag) else ""), file.md5)
        if not problem and stated.size is not None and stated.size != got.stat().st_size:
            problem = f"an incomplete file: {got.stat().st_size:,} bytes of {stated.size:,}"
        if problem:
            raise DataError(
                f"the download of weights '{file.name}' is {problem}",
                where=f"{repository}, file {member}",
                fix="try again; nothing was kept",
            )
        try:
            got.replace(target)
        except OSError as error:
            raise storage_error(error, target) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        unlock([lock])


def remove_abandoned(target: Path) -> None:
    """Remove what killed downloads of a file have left; folders of running downloads are locked and stay."""
    for folder in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        with suppress(StorageError):  # removed meanwhile
            lock = lock_folder(folder)
            if lock is not None and lock >= 0:
                shutil.rmtree(folder, ignore_errors=True)
            unlock([lock])


def _prefix(target: Path) -> str:
    return f".{target.name}.partial-"
