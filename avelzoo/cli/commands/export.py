"""`avelzoo export`: a run's model as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from avelzoo.cli import render
from avelzoo.errors import UsageError


def export(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Run folder of a run or an import.")],
    onnx: Annotated[Path | None, typer.Option(metavar="FILE", help="ONNX file to write.")] = None,
    segments: Annotated[
        int | None, typer.Option(help=r"Segments of a video, constant in the file. \[default: the training's]", min=1)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a run's model as an ONNX file, compared with the run before it is written."""
    if onnx is None:
        raise UsageError("the output file is missing", fix=f"avelzoo export {run_dir} --onnx model.onnx")
    from avelzoo import engine
    from avelzoo.exporting import export_onnx
    from avelzoo.plugin.default import default_host

    run = engine.load_run(run_dir, default_host().registry)
    found = export_onnx(run, onnx, segments=segments)
    agreement = found.agreement
    if json:
        facts: dict[str, Any] = {
            "run_dir": str(run_dir),
            "onnx": str(found.path),
            "bytes": found.size,
            "segments": found.segments,
            "inputs": found.inputs,
            "outputs": found.outputs,
            "metadata": found.metadata,
            "largest_difference": agreement.largest,
            "flipped_decisions": agreement.flipped,
            "batch_sizes": agreement.batches,
        }
        render.emit_json(facts)
        return
    rows = {
        "file": f"{found.path}, {found.size / 1e6:.1f} MB",
        "inputs": ", ".join(f"{name} {shape}" for name, shape in found.inputs.items()),
        "outputs": ", ".join(f"{name} {shape}" for name, shape in found.outputs.items()),
        "compared": f"onnxruntime, random features of {', '.join(map(str, agreement.batches))} videos:"
        f" scores differ by at most {agreement.largest:.1e}, {100 * agreement.flipped:g} % of decisions",
    }
    render.console().print(render.fields(rows))
