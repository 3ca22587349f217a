"""A run's model as an ONNX file, compared with the run before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.errors import CompositionError, StorageError, UsageError
from avelzoo.exporting.comparing import Agreement, compare, random_features
from avelzoo.exporting.conversion import convert, failure
from avelzoo.exporting.inference import OUTPUTS, Inference
from avelzoo.exporting.libraries import require_libraries
from avelzoo.system.files import write_bytes
from avelzoo.system.isolation import isolated
from avelzoo.version import __version__

if TYPE_CHECKING:
    from avelzoo.engine import LoadedRun

PREFIX = "avelzoo."
"""Prefix of metadata keys in the file."""
LARGEST = 2**31 - 1
"""Bytes that one ONNX file can hold."""


@dataclass(frozen=True)
class OnnxExport:
    """An exported model.

    Attributes:
        path: the file.
        size: its bytes.
        segments: t, the number of segments that the model accepts.
        inputs: names and shapes of the inputs; ``b`` is free.
        outputs: names and shapes of the outputs.
        metadata: metadata in the file.
        agreement: comparison with the run's model.
    """

    path: Path
    size: int
    segments: int
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    metadata: Mapping[str, str]
    agreement: Agreement


@isolated()
def export_onnx(run: LoadedRun, path: str | Path, *, segments: int | None = None) -> OnnxExport:
    """Write a run's model as an ONNX file: from features to final predictions, any number of videos.

    The graph holds the encoder, the memory's content as constants, the head and its decision. It is compared with the
    run's model by onnxruntime on random features before the file is written.

    Args:
        run: run to export; it is not changed.
        path: file to write.
        segments: t, number of segments of a video, which is constant in the file; by default the training's.

    Raises:
        UsageError: a library of the extra ``onnx`` is missing, or segments is below 1.
        CompositionError: a part of the model cannot be exported.
        RunError: the exported model differs from the run's model.
        StorageError: the file cannot be written.
    """
    target = Path(path)
    require_libraries()
    _require_exportable(run)
    if target.is_dir() or not target.parent.is_dir():
        raise StorageError(
            "the ONNX file cannot be written: " + ("it is a folder" if target.is_dir() else "its folder is missing"),
            where=str(path),
            fix="name a file in an existing folder",
        )
    t = run.spec.segments if segments is None else segments
    if t < 1:
        raise UsageError("a video has at least one segment", where="segments", found=str(t))
    inference = Inference(run.model)
    metadata = _metadata(run, t)
    content = _convert(run, inference, t, metadata)
    agreement = compare(content, inference, run.spec, t)
    write_bytes(target, content)
    n, a, (h, w), v = run.spec.n, run.spec.audio_dim, run.spec.grid, run.spec.visual_dim
    return OnnxExport(
        path=target,
        size=len(content),
        segments=t,
        inputs={"audio": f"(b {t} {a}) float32", "visual": f"(b {t} {h} {w} {v}) float32"},
        outputs=dict(
            zip(OUTPUTS, (f"(b {t}) int64", "(b) int64", f"(b {n}) float32", f"(b {t}) float32"), strict=True)
        ),
        metadata=metadata,
        agreement=agreement,
    )


def _require_exportable(run: LoadedRun) -> None:
    """Refuse at once what a graph of the model cannot hold."""
    if next(run.model.parameters(), None) is None:
        raise CompositionError(
            "the run has no trained model to export",
            where=f"recipe: {run.composition.owner.qualified}",
            fix="export a run of another recipe; predict with this one in avelzoo",
        )
    entry = run.composition.entries.get("decoder")
    if entry is not None and entry.name != "head":
        raise CompositionError(
            "the run's decoder cannot be exported: it decides from the scores of the whole video in NumPy",
            where=f"decoder: {entry.qualified}",
            expected="decoder: head",
            fix="export a run with --decoder head, or apply the decoder to the exported scores",
        )


def _convert(run: LoadedRun, inference: Inference, t: int, metadata: Mapping[str, str]) -> bytes:
    """The ONNX file's bytes."""
    features = random_features(run.spec, 3, t, seed=7)
    try:
        model = convert(inference, features, OUTPUTS)
    except Exception as error:
        raise failure(run, inference, features, error) from error
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    if model.ByteSize() > LARGEST:
        raise CompositionError(
            "the model is too large for one ONNX file",
            found=f"{model.ByteSize() / 1e9:.1f} GB",
            expected=f"at most {LARGEST / 1e9:.1f} GB",
        )
    content: bytes = model.SerializeToString()
    return content


def _metadata(run: LoadedRun, t: int) -> dict[str, str]:
    """What a user of the file needs to know besides the graph; values that are no text are JSON."""
    recipe, decision = run.composition.recipe, run.model.head.decision
    facts: dict[str, Any] = {
        "version": __version__,
        "recipe": run.composition.owner.qualified,
        "supervision": recipe.supervision,
        "categories": list(run.spec.categories),
        "background": run.spec.background,
        "segments": t,
        "seconds_per_segment": run.spec.seconds_per_segment,
    }
    if decision is not None:
        threshold = float(decision.tuned) if decision.use_tuned else decision.threshold
        facts |= {"threshold": threshold, "threshold_from": "val" if decision.use_tuned else "recipe"}
    return {PREFIX + key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
