"""Import of a published system's checkpoint into a run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from avelzoo.composition.resolving import resolve
from avelzoo.errors import AvelzooError, RunError, some
from avelzoo.plugin.default import default_host
from avelzoo.published.official import Fitted, fitted, official_system

if TYPE_CHECKING:
    from torch import Tensor

    from avelzoo.composition.model import Model
    from avelzoo.composition.recipe import Recipe
    from avelzoo.plugin.host import PluginHost
    from avelzoo.published.checkpoints import Checkpoint
    from avelzoo.records import FeatureSpec

_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class ImportedCheckpoint:
    """Record of an imported checkpoint.

    Attributes:
        run_dir: the new run folder.
        system: the published system.
        setting: its setting.
        file: name of the checkpoint.
        sha256: checksum of the checkpoint.
        recipe: qualified name of the recipe that reproduces the system's code.
        parameters: number of trainable parameters.
        entries: number of imported tensors.
        key: entry of the checkpoint that holds them; empty for the whole file.
        prefix: prefix removed from their names, such as ``module.``.
        rounded: number of tensors rounded to float32, by number format.
        not_taken: entries that were not imported, such as a second set of weights, or values that are not weights.
        inert: classes and functions that the file names; none was imported or called.
    """

    run_dir: str
    system: str
    setting: str
    file: str
    sha256: str
    recipe: str
    parameters: int
    entries: int
    key: str
    prefix: str
    rounded: dict[str, int]
    not_taken: tuple[str, ...]
    inert: tuple[str, ...]


def import_checkpoint(
    system: str,
    file: str | Path,
    *,
    setting: str = "full",
    out: str | Path | None = None,
    key: str | None = None,
    host: PluginHost | None = None,
) -> ImportedCheckpoint:
    """Convert a published system's checkpoint to a run folder. Nothing in the file is ever executed.

    Args:
        system: registered name, such as ``psp``.
        file: a checkpoint written by torch.save or safetensors, under any name.
        setting: ``full`` or ``weak``.
        out: the run folder; ``runs/SYSTEM-SETTING-FILE`` by default.
        key: entry that holds the weights, such as ``ema``; None to find it.
        host: where the system is looked up; by default everything that is installed.

    Raises:
        UsageError: no such system, setting or key.
        RunError: the file is missing, damaged, of another kind or another system's; its weights are not dense, real
            and finite; or the run folder exists. The message names the file, and nothing is written.
    """
    from avelzoo import engine
    from avelzoo.published.checkpoints import as_float32, read_checkpoint
    from avelzoo.system.isolation import isolated

    path = Path(file)
    host = host or default_host()
    adapter = official_system(system, setting, host)

    def make(state: dict[str, Tensor]) -> tuple[Recipe, FeatureSpec, Model]:
        return adapter.recipe(setting, state), adapter.spec(setting, state), adapter.load(setting, state)

    with isolated():
        read = read_checkpoint(path, key)
    with isolated(), _naming(f"{path}, entry '{read.key}'" if read.key else str(path)):
        state, rounded = as_float32(read.state)
        fit = fitted(state, make)
        recipe, spec, model = fit.value
        _require_finite(fit, model, read)
    composition = resolve(host.registry, recipe)
    composition = replace(composition, sources=dict.fromkeys(composition.sources, f"checkpoint {path.name}"))
    folder = Path(out) if out is not None else Path("runs") / f"{system.replace('/', '-')}-{setting}-{path.stem}"
    origin = {"system": system, "setting": setting, "file": path.name, "sha256": _sha256(path)}
    how = {"key": read.key, "prefix": fit.prefix, "rounded": rounded}
    engine.save_import(folder, composition, spec, model, origin | how)
    dropped = len(state) - len(fit.state)
    return ImportedCheckpoint(
        run_dir=str(folder),
        **origin,
        recipe=composition.owner.qualified,
        parameters=sum(p.numel() for p in model.parameters()),
        entries=len(fit.state),
        key=read.key,
        prefix=fit.prefix,
        rounded=rounded,
        not_taken=(*read.beside, *read.left_out, *([f"{dropped} without '{fit.prefix}'"] if dropped else ())),
        inert=read.inert,
    )


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Add the file, and its entry, to every error."""
    try:
        yield
    except AvelzooError as error:
        error.where = f"{file}: {error.where}" if error.where else file
        raise


def _require_finite(fit: Fitted[tuple[Recipe, FeatureSpec, Model]], model: Model, read: Checkpoint) -> None:
    """Refuse non-finite weights. Unused entries may hold any value: masks contain -inf.

    Raises:
        RunError: some weights are NaN or infinite, or too large for float32.
    """
    from avelzoo.published.checkpoints import not_finite

    wrong = not_finite(fit.state)
    if not wrong or not not_finite(model.state_dict()):
        return
    large = not not_finite(read.state)
    raise RunError(
        "the checkpoint's weights are too large for float32" if large else "the checkpoint's weights are not finite",
        found=some(wrong, _SHOWN),
        expected="finite numbers" + (" below 3.4e38" if large else ": neither NaN nor infinite"),
        fix="use a checkpoint from before the training diverged",
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
